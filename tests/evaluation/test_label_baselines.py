"""Baselines on labels, against scikit-learn's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.evaluation.descent import minimum
from gatewise.evaluation.label_baselines import (
    Baselines,
    FromBags,
    FromMoments,
    class_baselines,
    measure_baselines,
)


def series(seed: int = 0, n: int = 40) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    parts = [rng.normal(k, 1 + k, (rng.integers(2, 9), 2)).astype(np.float32) for k in labels]
    return parts, labels


def bags(seed: int = 0, n: int = 50) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return [rng.integers(4 + 3 * k, 12, rng.integers(1, 7)) for k in labels], labels


def test_the_minimum_of_rosenbrocks_valley_is_found():
    def valley(x):
        a, b = 1 - x[0], x[1] - x[0] ** 2
        return a**2 + 100 * b**2, np.array([-2 * a - 400 * x[0] * b, 200 * b])

    np.testing.assert_allclose(minimum(valley, np.array([-1.2, 1.0])), [1, 1], atol=1e-4)


def test_the_penalised_logistic_loss_is_at_its_minimum():
    linear = pytest.importorskip("sklearn.linear_model")
    parts, labels = series()
    fitted = class_baselines(FromMoments(), parts, labels, 3)
    features = fitted.look._scaled(parts)
    other = linear.LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(features, labels)
    raised = np.exp(fitted.linear(parts))
    found = raised / raised.sum(1, keepdims=True)
    np.testing.assert_allclose(found, other.predict_proba(features), atol=2e-3)


def test_bags_are_which_tokens_are_there():
    parts, labels = bags()
    look = FromBags(12)
    matrix = np.zeros((len(parts), 12))
    for row, part in zip(matrix, parts, strict=True):
        row[part] = 1
    weights, errors = np.random.default_rng(1).normal(size=(2, 12, 3))[0], np.ones((len(parts), 2))
    errors[:, 1] = labels
    np.testing.assert_allclose(look.times(parts, weights), matrix @ weights)
    np.testing.assert_allclose(look.back(parts, errors), matrix.T @ errors)


def test_ridge_regression_is_the_closed_form():
    parts, labels = series()
    answers = labels.astype(np.float32)
    fitted = measure_baselines(FromMoments(), parts, answers)
    x = fitted.look._scaled(parts)
    centred, middle = x - x.mean(0), answers.mean()
    weights = np.linalg.solve(
        centred.T @ centred + np.eye(x.shape[1]), centred.T @ (answers - middle)
    )
    expected = centred @ weights + middle
    np.testing.assert_allclose(fitted.linear(parts)[:, 0], expected, atol=1e-3)


@pytest.mark.parametrize("make", [series, bags])
def test_restored_baselines_answer_the_same(make):
    parts, labels = make()
    look = FromMoments() if make is series else FromBags(12)
    fitted = class_baselines(look, parts, labels, labels.max() + 1)
    restored = Baselines.restored(*fitted.state())
    np.testing.assert_array_equal(restored.linear(parts), fitted.linear(parts))
    np.testing.assert_array_equal(restored.constant, fitted.constant)
