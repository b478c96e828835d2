"""Figures of classes and numbers, against scikit-learn's and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.evaluation.labels import (
    auc,
    calibration_bins,
    class_figures,
    confusion,
    measure_figures,
    per_class,
)


def drawn(seed: int, n: int = 60, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.random((n, classes)) ** 2
    return rng.integers(0, classes, n), raw / raw.sum(1, keepdims=True)


@settings(deadline=None)  # the first call imports scikit-learn
@given(st.integers(0, 20), st.integers(2, 5))
def test_figures_are_scikit_learns(seed, classes):
    metrics = pytest.importorskip("sklearn.metrics")
    labels, probabilities = drawn(seed, classes=classes)
    labels[:classes] = np.arange(classes)
    found, predicted = class_figures(labels, probabilities), probabilities.argmax(1)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "log_loss": metrics.log_loss(labels, probabilities),
        "auc": metrics.roc_auc_score(labels, probabilities[:, 1])
        if classes == 2
        else metrics.roc_auc_score(labels, probabilities, multi_class="ovr"),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name
    np.testing.assert_array_equal(
        confusion(labels, predicted, classes), metrics.confusion_matrix(labels, predicted)
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=2, max_size=12))
def test_auc_counts_pairs(pairs):
    labels = np.array([one for one, _ in pairs])
    scores = np.array([float(score) for _, score in pairs])
    ups, downs = scores[labels], scores[~labels]
    found = auc(labels, scores)
    if not len(ups) or not len(downs):
        assert np.isnan(found)
        return
    won = [float(u > d) + 0.5 * float(u == d) for u in ups for d in downs]
    assert found == pytest.approx(np.mean(won))


def test_calibration_error_is_the_gap_weighted_by_examples():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    labels = np.array([0, 1, 0, 1])
    # Two answers at 0.9, half right; two at 0.6, all right.
    expected = 0.5 * abs(0.9 - 0.5) + 0.5 * abs(0.6 - 1.0)
    assert class_figures(labels, probabilities)["calibration_error"] == pytest.approx(expected)
    said, was, count = calibration_bins(labels, probabilities, 10)
    assert count.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 0, 2] or count.sum() == 4
    assert np.nansum(said * count) == pytest.approx(3.0)
    assert np.nansum(was * count) == pytest.approx(3.0)


def test_a_class_that_was_never_seen_is_missed():
    found = class_figures(np.array([0, -1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert found["accuracy"] == 0.5
    assert found["log_loss"] == pytest.approx(0.0)


def test_per_class_is_nan_where_nothing_can_be_said():
    table = per_class(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]]))
    assert table["precision"][0] == pytest.approx(2 / 3)
    assert table["recall"].tolist()[:2] == [1.0, 0.5]
    assert np.isnan(table["recall"][2])


def test_numbers_are_judged_by_the_median_and_all_quantiles():
    answers = np.array([1.0, 2.0, 5.0])
    quantiles = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 1.5], [4.0, 5.0, 9.0]])
    found = measure_figures(answers, quantiles, (0.1, 0.5, 0.9))
    assert found["mae"] == pytest.approx(1 / 3)
    assert found["coverage"] == pytest.approx(2 / 3)
    losses = [
        max(q * (a - p), (q - 1) * (a - p))
        for a, row in zip(answers, quantiles, strict=True)
        for q, p in zip((0.1, 0.5, 0.9), row, strict=True)
    ]
    assert found["pinball"] == pytest.approx(np.mean(losses))
    assert found["r2"] == pytest.approx(1 - 1 / np.sum((answers - answers.mean()) ** 2))
