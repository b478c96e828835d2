"""The plain loop that a fit is timed against trains the network that the fit trains."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import classification, summary
from benchmarks import classification_times as times
from benchmarks.harness import Options, Result
from gatewise.data.labels.batches import LabelBatch
from gatewise.data.sequences.holdout import Holdout
from gatewise.data.sequences.sequences import Sequences
from gatewise.nn.networks.classifier import SequenceNetwork
from gatewise.tasks.classification import SequenceClassifier
from gatewise.train import Trainer


def sequences() -> Sequences:
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(rng.integers(3, 7), 2)) for _ in range(20)]
    return Sequences.of(values, labels=[i % 3 for i in range(20)])


def test_both_networks_are_the_same():
    model = SequenceClassifier(holdout=Holdout(0.0), trainer=Trainer(max_steps=2))
    ours = model.fit(sequences()).network_
    assert isinstance(ours, SequenceNetwork)
    plain = times.PlainNetwork(2, 3).eval()
    renamed = {
        name.replace("recurrent", "lstm"): value for name, value in ours.state_dict().items()
    }
    del renamed["share"]
    plain.load_state_dict(renamed)
    x, lengths = torch.randn(4, 6, 2), torch.tensor([6, 2, 3, 1])
    x = x.masked_fill((torch.arange(6) >= lengths.unsqueeze(1)).unsqueeze(-1), 0)
    torch.testing.assert_close(
        plain(x, lengths), ours(LabelBatch(x, lengths)), rtol=1e-4, atol=1e-5
    )


def test_both_are_timed_in_the_same_run(monkeypatch):
    monkeypatch.setattr(times, "EPOCHS", 1)
    monkeypatch.setattr(times, "ucr", lambda name: (sequences(), sequences()))
    result = Result({})
    times.fit_times((0,), result)
    share = result.figures["fit_seconds"] / result.figures["fit_plain_torch_seconds"]
    assert result.figures["fit_share_of_plain_torch"] == share
    assert [row["method"] for row in result.rows] == ["model", "plain PyTorch loop"]


def test_the_mean_over_the_ucr_sets_stands_beside_that_of_a_simple_classifier(monkeypatch):
    shares = dict(zip(classification.UCR, (0.5, 0.6, 0.7, 0.8), strict=True))
    monkeypatch.setattr(
        classification, "SETS",
        {n: (lambda _, n=n: (n, n), lambda seed: None, "accuracy") for n in shares},
    )  # fmt: skip
    monkeypatch.setattr(classification, "_run", lambda model, train, test: {
        "model": {"accuracy": 1.0, "seconds": 0.0},
        "mean and variance": {"accuracy": shares[train]},
    })  # fmt: skip

    monkeypatch.setattr(classification, "_add_neighbour", lambda result, name, *_: (
        result.figures.update({f"{name}_nearest_by_dtw_accuracy": shares[name] + 0.1})
    ))  # fmt: skip

    def figures(*names: str) -> dict[str, float]:
        own = argparse.Namespace(only=names)
        return classification.measure(Options(Path(), 1, (0, 1), own)).figures

    found = figures(*shares)
    assert found["ucr_mean_and_variance_accuracy"] == pytest.approx(0.65)
    assert found["ucr_nearest_by_dtw_accuracy"] == pytest.approx(0.75)
    (row,) = summary.rows([{"benchmark": "classification", "figures": found}])
    assert row["ours"] == "100.0 %"
    assert row["beside it"] == "nearest by time warping 75.0 %, mean and variance 65.0 %"
    assert not any(name.startswith("ucr") for name in figures("GunPoint"))


def test_the_nearest_series_answers():
    def of(values, labels):
        return Sequences.of([[v, v] for v in values], labels=list(labels))

    result = Result({})
    classification._add_neighbour(result, "x", of([0.0, 9.0], "ab"), of([1.0, 8.0, 2.0], "abb"))
    assert result.figures == {"x_nearest_by_dtw_accuracy": pytest.approx(2 / 3)}
