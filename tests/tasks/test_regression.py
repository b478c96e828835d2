"""Regressors of sequences, from the data to quantiles and back from disk."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from gatewise.errors import InputError
from gatewise.nn import Encoder
from gatewise.tasks.regression import SequenceRegressor
from gatewise.train import Trainer

SMALL = Encoder(hidden_size=6, bidirectional=True)


def sums(n: int = 60, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences of uneven lengths, and how far each drifts, with noise."""
    rng = np.random.default_rng(seed)
    drift = rng.uniform(-3, 3, n)
    values = [d + rng.normal(size=(rng.integers(4, 12), 1)) for d in drift]
    return values, 100 + 10 * drift


def small(**options) -> SequenceRegressor:
    return SequenceRegressor(**{"encoder": SMALL, "trainer": Trainer(max_epochs=8), **options})


@cache
def fitted() -> SequenceRegressor:
    return small().fit(*sums(80))


def test_it_learns_in_the_answers_own_units():
    values, answers = sums(40, 1)
    model = fitted()
    found = model.predict(values)
    assert np.abs(found - answers).mean() < 0.6 * np.abs(answers - np.median(answers)).mean()
    assert model.score(values, answers) == pytest.approx(
        -np.abs(model.predict_quantiles(values)[:, 1] - answers).mean(), rel=1e-3
    )
    table = model.evaluate(values, answers).table
    assert list(table) == ["model", "median", "mean and variance"]
    assert table["model"]["mae"] == pytest.approx(np.abs(found - answers).mean())


def test_a_linear_model_that_is_better_is_listened_to():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(8, 3)) for _ in range(120)]
    answers = [v[:, 0].mean() * 50 for v in values]
    model = small(trainer=Trainer(max_epochs=1, lr=1e-6)).fit(values, answers)
    assert float(model.network_.share) > 0.7  # pyright: ignore[reportArgumentType]
    row = model.evaluate(values, answers).table
    assert row["model"]["mae"] < 0.5 * row["median"]["mae"]


def test_quantiles_are_in_order_and_hold_what_they_promise():
    values, answers = sums(200, 2)
    found = fitted().predict_quantiles(values)
    assert (np.diff(found, axis=1) >= 0).all()
    inside = ((found[:, 0] <= answers) & (answers <= found[:, -1])).mean()
    assert inside > 0.6


def test_a_saved_model_answers_the_same(tmp_path):
    values, _ = sums(10, 3)
    fitted().save(tmp_path / "model")
    loaded = SequenceRegressor.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict_quantiles(values), fitted().predict_quantiles(values)
    )


def test_frames_and_texts_are_answered_with_quantiles():
    texts = [f"{'very ' * (i % 5)}good" for i in range(40)]
    frame = pd.DataFrame({"text": texts, "label": [float(i % 5) for i in range(40)]})
    model = small(quantiles=(0.25, 0.75)).fit(frame)
    found = model.predict(frame)
    assert list(found) == ["text", "prediction", "q0.25", "q0.5", "q0.75"]


def test_the_report_shows_what_one_wants_to_see():
    page = fitted().report_.html()
    for heading in ("Answers", "Calibration", "Worst mistakes", "Figures"):
        assert f"<h2>{heading}</h2>" in page


def test_wrong_input_is_named():
    values, answers = sums(10)
    with pytest.raises(InputError, match="which is no number"):
        small().fit(values, ["a"] * 10)
    with pytest.raises(InputError, match="every sequence has the answer 3"):
        small().fit(values, [3.0] * 10)
    with pytest.raises(InputError, match="has no label"):
        small().fit(values, [*answers[:-1], np.nan])
    with pytest.raises(InputError, match="quantiles="):
        small(quantiles=(0.0, 0.5)).fit(values, answers)


def test_it_works_in_scikit_learn():
    pytest.importorskip("sklearn")
    from sklearn.base import is_regressor
    from sklearn.model_selection import GridSearchCV, cross_val_score

    x = np.random.default_rng(0).normal(size=(40, 6))
    y = x.mean(1)
    model = small(trainer=Trainer(max_epochs=2))
    assert is_regressor(model)
    assert np.isfinite(cross_val_score(model, x, y, cv=2, scoring="r2")).all()
    search = GridSearchCV(model, {"reading__pooling": ["mean", "last"]}, cv=2).fit(x, y)
    assert search.predict(x).shape == (40,)
