"""The benchmark of transfer from end to end, on made sentences."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from benchmarks import transfer as bench
from benchmarks.harness import Options, Result
from gatewise.data.sequences.sequences import Sequences
from gatewise.train import Trainer

SUBJECTS, GOOD, BAD = ("the cat", "a dog", "my hen"), ("sings", "smiles"), ("weeps", "rots")


def sentences(count: int, seed: int) -> Sequences:
    """Good and bad ones; a fifth has the wrong label, so that nobody is always right."""
    rng = np.random.default_rng(seed)
    kinds = rng.random(count) < 0.5
    texts = (f"{rng.choice(SUBJECTS)} {rng.choice(GOOD if kind else BAD)}" for kind in kinds)
    said = kinds ^ (rng.random(count) < 0.2)
    labels = np.where(said, "good", "bad").astype(object)
    return Sequences(None, tuple(range(count)), texts=tuple(texts), labels=labels)


def test_both_are_fitted_on_the_same_labels_and_judged_on_the_same_test_part(monkeypatch):
    monkeypatch.setattr(bench, "EPOCHS", 1)
    monkeypatch.setattr(bench, "_parts", lambda name, root: (sentences(60, 0), sentences(20, 1)))
    monkeypatch.setattr(bench, "Trainer", lambda **how: Trainer(**{"max_epochs": 1, **how}))
    own = Namespace(set="trec", labels=(20, 0))
    result = bench.measure(Options(Path(), 1, (0,), own))
    fitted = [row for row in result.rows if "labels" in row]
    assert [(row["model"], row["labels"]) for row in fitted] == [
        *(("scratch", 20), ("transfer", 20)),
        *(("scratch", 60), ("transfer", 60)),
    ]
    for first, second in (fitted[:2], fitted[2:]):
        assert first["bag of words"] == second["bag of words"]
    for count in (20, 60):
        scratch, transfer = (
            result.figures[f"error_{name}_{count}"] for name in ("scratch", "transfer")
        )
        assert 0 < scratch <= 1
        assert 0 < transfer <= 1
        assert f"error_lower_by_{count}" in result.figures
    read = [row["model"] for row in result.rows if "labels" not in row]
    assert read == ["language model, forward", "language model, backward"]


def test_the_gate_wants_more_labels_to_help():
    assert bench.gate(Result({"error_scratch_100": 0.4, "error_scratch_500": 0.2})) is None
    worse = {"error_scratch_100": 0.2, "error_scratch_500": 0.4, "error_transfer_500": 0.1}
    assert bench.gate(Result(worse)) == "more labels did not help"
