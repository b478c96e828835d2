"""The benchmark of transfer from end to end, on made sentences."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import transfer as bench
from benchmarks import transfer_models as models
from benchmarks.harness import Options, Result
from benchmarks.unlabelled import as_written, read, without
from gatewise.data.sequences.sequences import Sequences
from gatewise.errors import InputError
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


def asked(**how):
    own = {"set": "trec", "labels": (20, 0), "texts": [], "most": 0, "epochs": 1, "validate": False}
    return Options(Path(), 1, (0,), Namespace(**{**own, "directions": ("forward",), **how}))


@pytest.fixture
def made(monkeypatch):
    train, test = sentences(60, 0), sentences(20, 1)
    monkeypatch.setattr(bench, "_parts", lambda *_, **__: (train, test, (test,)))
    monkeypatch.setattr(bench, "Trainer", lambda **how: Trainer(**{"max_epochs": 1, **how}))
    short = Trainer(max_epochs=1, epoch_examples=64, batch_size=4)
    monkeypatch.setattr(models, "SMALL_TRAINER", short)
    monkeypatch.setitem(models.LARGE_TRAINER, "epoch_examples", 64)
    monkeypatch.setitem(models.TUNING, "trainer", short)


def test_all_are_fitted_on_the_same_labels_and_judged_on_the_same_test_part(made, tmp_path):
    result = bench.measure(asked(keep=tmp_path, directions=("forward", "backward")))
    fitted = [row for row in result.rows if "labels" in row]
    assert [(row["model"], row["labels"]) for row in fitted] == [
        (name, count) for count in (20, 60) for name in ("scratch", "same_network", "transfer")
    ]
    for rows in (fitted[:3], fitted[3:]):
        assert len({row["bag of words"] for row in rows}) == 1
    for count in (20, 60):
        for said in ("", "_alone"):
            errors = {n: result.figures[f"error{said}_{n}_{count}"] for n in bench.ARMS}
            assert all(0 < error <= 1 for error in errors.values())
            lower = result.figures[f"lower{said}_than_scratch_{count}"]
            assert lower == pytest.approx(1 - errors["transfer"] / errors["scratch"])
    read = sorted(row["model"] for row in result.rows if "labels" not in row)
    assert read == [
        f"language model of {name}, {direction}"
        for name in ("nothing", "sentences")
        for direction in ("backward", "forward")
    ]


def test_texts_are_read_first_without_what_is_judged_on_and_once(made, tmp_path):
    file = tmp_path / "texts.txt"
    given = [f"my hen and the cat {verb} here" for verb in ("sings", "weeps", "rots")] * 8
    file.write_text("\n".join([*given, "so the  CAT sings, my friend"]), encoding="utf-8")
    options = asked(labels=(20,), texts=[str(file)], keep=tmp_path / "kept")
    result = bench.measure(options)
    assert result.notes == [
        "0 of 25 texts hold a sentence that is, or may be, judged on, and were left out."
    ]
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    assert kept == {f"{of}, forward" for of in ("nothing", "texts", "texts and sentences")}
    again = bench.measure(options)
    assert all("labels" in row for row in again.rows)
    assert again.figures == result.figures


def test_a_sentence_is_found_whatever_its_case_signs_and_spaces():
    texts = ["He said: it is n't BAD!", "an unbad film, it is not bad", "so bad", "it isn't badly"]
    # The last one goes, too: rather one text too many.
    assert without(texts, ["it isn't bad .", "so bad"]) == texts[1:3]


def test_sentences_are_put_together_as_they_are_written():
    given = Sequences.of(["it 's -lrb- ca n't -rrb-", "the dogs ' tails , `` we 'll ''"])
    assert as_written(given).texts == ("it's ( can't )", "the dogs ' tails , \" we'll \"")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match="give one of imdb, open_trivia, or a file in UTF-8"):
        read([str(tmp_path / "no.txt")], tmp_path)


def test_the_gate_wants_more_labels_to_help():
    assert bench.gate(Result({"error_scratch_100": 0.4, "error_scratch_500": 0.2})) is None
    worse = {"error_scratch_100": 0.2, "error_scratch_500": 0.4, "error_transfer_500": 0.1}
    assert bench.gate(Result(worse)) == "more labels did not help"
