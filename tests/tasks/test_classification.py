"""Classifiers of sequences, from the data to the answer and back from disk."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.data.sequences.holdout import Holdout
from gatewise.data.sequences.reading import read_sequences
from gatewise.data.sequences.sequences import Sequences
from gatewise.errors import InputError
from gatewise.nn import Encoder
from gatewise.nn.networks.reading import Reading
from gatewise.tasks.classification import SequenceClassifier
from gatewise.train import Trainer

SMALL = Encoder(hidden_size=6, bidirectional=True)
FAST = Trainer(max_epochs=3)


def waves(n: int = 60, seed: int = 0, channels: int = 2) -> tuple[list[np.ndarray], list[str]]:
    """Slow and fast waves of uneven lengths."""
    rng = np.random.default_rng(seed)
    labels = [("slow", "fast")[k % 2] for k in range(n)]
    values = []
    for label in labels:
        t = np.arange(rng.integers(8, 20))[:, None] + rng.random((1, channels)) * 9
        wave = np.sin(t * (0.5 if label == "slow" else 1.8))
        values.append((wave + 0.1 * rng.normal(size=wave.shape)).astype(np.float32))
    return values, labels


def small(**options) -> SequenceClassifier:
    return SequenceClassifier(
        **{"encoder": SMALL, "trainer": FAST, "reading": Reading(embedding_size=8), **options}
    )


@cache
def fitted() -> SequenceClassifier:
    return small(trainer=Trainer(max_epochs=40, lr=1e-2)).fit(*waves())


def test_it_learns_and_says_how_well_beside_the_baselines():
    model = fitted()
    assert model.score(*waves(40, 1)) >= 0.9
    assert model.classes_.tolist() == ["fast", "slow"]
    assert model.summary_ is not None
    assert list(model.summary_.table) == ["model", "majority", "mean and variance"]
    verdict = model.evaluate(*waves(40, 1))
    assert verdict.table["model"]["accuracy"] == pytest.approx(model.score(*waves(40, 1)))
    assert "baseline" in verdict.sentences[0]


def test_probabilities_belong_to_the_labels():
    values, _ = waves(20, 2)
    model = fitted()
    found = model.predict_proba(values)
    np.testing.assert_allclose(found.sum(1), 1)
    assert model.predict(values).tolist() == model.classes_[found.argmax(1)].tolist()


def test_a_sequence_has_the_same_answer_alone_as_among_others():
    values, _ = waves(12, 3)
    together = fitted().predict_proba(values)
    alone = np.concatenate([fitted().predict_proba([one]) for one in values])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("architecture", ["lstm", "lstm_fcn"])
def test_a_saved_model_answers_the_same(tmp_path, architecture):
    values, labels = waves()
    model = small(reading=Reading(architecture=architecture), top_k=2).fit(values, labels)
    model.save(tmp_path / "model")
    loaded = SequenceClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(values), model.predict_proba(values))
    assert loaded.classes_.tolist() == model.classes_.tolist()
    assert loaded.evaluate(values, labels).table == model.evaluate(values, labels).table


def test_what_is_held_out_changes_neither_scale_nor_vocabulary():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(5, 1)) for _ in range(40)]
    groups = np.array([f"g{i // 10}" for i in range(40)], dtype=object)
    labels = np.array([i % 2 for i in range(40)], dtype=object)

    def scale(changed: int | None) -> tuple[np.ndarray, np.ndarray]:
        own = [v * 1000 if groups[i] == f"g{changed}" else v for i, v in enumerate(values)]
        data = small(holdout=Holdout(0.2, by="group")).data()
        data.fit(Sequences.of(own, labels=labels, groups=groups))
        return data.features_.mean, data.features_.std  # pyright: ignore[reportAttributeAccessIssue]

    plain = scale(None)
    same = [np.allclose(scale(k)[1], plain[1]) for k in range(4)]
    assert sum(same) == 1

    texts = [f"w{i} {'yes' if i % 2 else 'no'}" for i in range(40)]
    data = small().data()
    fold = data.fit(texts, [i % 2 for i in range(40)])
    assert fold.valid is not None
    held_out = {f"w{fold.valid.where(i).split()[-1]}" for i in range(len(fold.valid))}
    assert not held_out & set(data.features_.vocabulary.names)  # pyright: ignore[reportAttributeAccessIssue]


def test_texts_need_nothing_but_labels(tmp_path):
    words = np.random.default_rng(0).choice(["the", "a", "film", "was", "of"], (80, 5))
    texts = [" ".join([*row, "good" if i % 2 else "bad"]) for i, row in enumerate(words)]
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n" + "\n".join(f"{t},{i % 2}" for i, t in enumerate(texts)))
    model = small(trainer=Trainer(max_epochs=25)).fit(path)
    assert model.predict(["the film was good", "never seen words bad"]).tolist() == [1, 0]
    answer = model.predict(path)
    assert list(answer) == ["text", "label", "probability"]
    assert model.summary_ is not None
    assert "bag of words" in model.summary_.table


def test_letters_are_read_of_fasta_files(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for i in range(40):
        letters = "".join(rng.choice(list("ACDEK"), 12))
        lines += [f">p{i}|{i % 2}", letters + ("WWW" if i % 2 else "YYY")]
    path = tmp_path / "p.fasta"
    path.write_text("\n".join(lines) + "\n")
    model = small(trainer=Trainer(max_epochs=15)).fit(path)
    answer = model.predict(path)
    assert answer["series"][0] == "p0"
    assert np.mean(answer["label"] == np.array([str(i % 2) for i in range(40)])) > 0.9


def test_missing_values_are_marked_and_gaps_read():
    rng = np.random.default_rng(0)
    rows = [
        {"series": i, "time": t, "x": np.nan if (i + k) % 3 == 0 else rng.normal(), "label": i % 2}
        for i in range(24)
        for k, t in enumerate(np.cumsum(rng.integers(1, 9, 6)))
    ]
    frame = pd.DataFrame(rows)
    model = small().fit(frame)
    assert model.data_.features_.columns == ("x", "x is there", "gap")  # pyright: ignore[reportAttributeAccessIssue]
    assert np.isfinite(model.predict_proba(frame)).all()
    sooner = frame.assign(time=frame["time"] / 10)
    assert not np.allclose(model.predict_proba(sooner), model.predict_proba(frame))
    # A cell that takes the gap is given it, and it is no channel then.
    timed = small(encoder=Encoder(cell="time_aware_lstm", hidden_size=4)).fit(frame)
    assert timed.data_.features_.columns == ("x", "x is there")  # pyright: ignore[reportAttributeAccessIssue]
    assert not np.allclose(timed.predict_proba(sooner), timed.predict_proba(frame))


def test_answers_are_a_frame_where_the_question_was():
    rows = {"series": ["a", "a", "b", "b"] * 6, "x": np.arange(24.0)}
    frame = pd.DataFrame(rows)
    frame["series"] = [f"{s}{i // 4}" for i, s in enumerate(frame["series"])]
    frame["label"] = [s[0] for s in frame["series"]]
    found = small(top_k=2).fit(frame).predict(frame.drop(columns="label"))
    assert list(found) == ["series", "label", "probability", "label_2", "probability_2"]
    assert set(found["label"]) <= {"a", "b"}


def test_columns_may_come_in_another_order():
    values, labels = waves(20)
    rows = [
        {"series": i, "u": u, "v": v, "label": y}
        for i, (part, y) in enumerate(zip(values, labels, strict=True))
        for u, v in part.tolist()
    ]
    frame = pd.DataFrame(rows)
    model = small().fit(frame)
    turned = model.predict(frame[["label", "v", "series", "u"]])
    pd.testing.assert_frame_equal(turned, model.predict(frame))
    with pytest.raises(InputError, match="channel 'u' is missing"):
        model.predict(frame.drop(columns="u"))


def test_a_longer_sequence_than_any_is_answered():
    long = np.concatenate(waves(30)[0])
    assert fitted().predict([long])[0] in ("slow", "fast")


def test_rare_classes_count_the_same_when_they_are_balanced():
    values, labels = waves(60)
    kept = [i for i, y in enumerate(labels) if y == "slow" or i % 6 == 1]
    x, y = [values[i] for i in kept], [labels[i] for i in kept]
    weights = small(class_weights="balanced").fit(x, y).task_.objective.weights  # pyright: ignore[reportAttributeAccessIssue]
    model = small(class_weights="balanced").fit(x, y)
    counts = torch.tensor(model.data_.answers_.counts)  # pyright: ignore[reportAttributeAccessIssue]
    assert (weights * counts).sum() == pytest.approx(counts.sum().item())
    assert weights[0] > weights[1]


def test_an_ensemble_averages_its_members():
    model = small(ensemble=2, trainer=Trainer(max_epochs=1)).fit(*waves(30))
    assert len(model.network_.members) == 2  # pyright: ignore[reportArgumentType]
    assert model.predict_proba(waves(5)[0]).shape == (5, 2)


def test_a_label_that_was_never_seen_is_missed_and_said():
    values, labels = waves(20)
    verdict = fitted().evaluate(values, [*labels[:-1], "sudden"])
    assert "1 sequence has a label that was never seen" in verdict.sentences[1]


def test_labels_that_occur_once_are_said():
    values, labels = waves(20)
    model = small().fit(values, [*labels[:-1], "sudden"])
    assert model.summary_ is not None
    said = model.summary_.sentences
    assert any("occurs once and cannot be held out: sudden" in line for line in said)


def test_the_report_shows_what_one_wants_to_see():
    page = fitted().report_.html()
    for heading in ("Confusion matrix", "Each class", "Worst mistakes", "Calibration", "Figures"):
        assert f"<h2>{heading}</h2>" in page
    hostile = small().fit(
        [f"<b>{i % 2}</b> x" for i in range(40)], [f"<i>{i % 2}" for i in range(40)]
    )
    assert "<i>0" not in hostile.report_.html()


WRONG = {
    "no labels": (waves(10)[0], None, "there are no labels"),
    "one class": (waves(10)[0], ["a"] * 10, "every sequence has the label 'a'"),
    "each its own": (waves(10)[0], list("abcdefghij"), "every label occurs once"),
    "missing label": (waves(10)[0], ["a", None] * 5, "sequence 1 has no label"),
    "too few labels": (waves(10)[0], ["a"], "shape"),
    "empty": ([[1.0], [], [2.0]], [0, 1, 0], "sequence 1 is empty"),
    "blank": (["a", "b", " "], [0, 1, 0], "sequence 2 is empty"),
    "one class left": (
        Sequences.of([[1.0]] * 8, labels=[0, 0, 0, 0, 1, 1, 1, 1], groups=np.array([*"aaaabbbb"])),
        None,
        "all that is left to fit on has the label",
    ),
}


@pytest.mark.parametrize(("x", "y", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_named(x, y, said):
    with pytest.raises(InputError, match=said):
        small().fit(x, y)


def test_a_wrong_question_is_named():
    model = fitted()
    with pytest.raises(InputError, match="3 channels"):
        model.predict([np.zeros((4, 3))])
    with pytest.raises(InputError, match="fitted on numbers"):
        model.predict(["some text"])
    with pytest.raises(InputError, match="sequence 1 is empty"):
        model.predict([np.zeros((4, 2)), np.zeros((0, 2))])
    with pytest.raises(InputError, match="not fitted"):
        small().predict_proba(waves(3)[0])


@pytest.mark.parametrize(
    "options",
    [
        {"label_smoothing": 1.0},
        {"top_k": 0},
        {"ensemble": 0},
        {"class_weights": "even"},
    ],
)
def test_wrong_parameters_are_named(options):
    (name,) = options
    with pytest.raises(InputError, match=f"{name}="):
        small(**options).fit(*waves(10))


def test_it_works_in_scikit_learn():
    pytest.importorskip("sklearn")
    from sklearn.base import is_classifier
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    y = np.repeat(["down", "up"], 20)
    x = np.linspace(-1, 1, 12) * np.where(y == "up", 1, -1)[:, None] + 0.1 * rng.normal(
        size=(40, 12)
    )
    model = small(trainer=Trainer(max_epochs=4))
    assert is_classifier(model)
    scores = cross_val_score(model, x, y, cv=StratifiedKFold(2), scoring="accuracy")
    assert scores.shape == (2,)
    assert np.isfinite(cross_val_score(model, x, y, cv=2, scoring="neg_log_loss")).all()
    search = GridSearchCV(
        model, {"encoder__hidden_size": [2, 4], "reading__pooling": ["last", "mean"]}, cv=2
    )
    search.fit(x, y)
    assert search.best_params_["encoder__hidden_size"] in (2, 4)
    pipeline = make_pipeline(StandardScaler(), small()).fit(x, y)
    assert pipeline.predict(x).shape == (40,)
    assert pipeline.predict_proba(x).shape == (40, 2)


def test_reading_beforehand_changes_nothing():
    values, labels = waves(20)
    one = small().fit(values, labels).predict_proba(values)
    other = small().fit(read_sequences(values, labels)).predict_proba(values)
    np.testing.assert_array_equal(one, other)
