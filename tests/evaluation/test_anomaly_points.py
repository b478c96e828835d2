"""Point measures against scikit-learn and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gatewise.errors import InputError
from gatewise.evaluation import anomaly_points as points
from gatewise.evaluation.anomaly_inputs import events

scores_and_labels = (
    st.integers(2, 60)
    .flatmap(
        lambda n: st.tuples(
            arrays.arrays(bool, n), arrays.arrays(np.int64, n, elements=st.integers(0, 8))
        )
    )
    .filter(lambda pair: 0 < pair[0].sum() < len(pair[0]))
)


@settings(max_examples=60, deadline=None)
@given(scores_and_labels)
def test_areas_are_those_of_sklearn(pair):
    sklearn = pytest.importorskip("sklearn.metrics")
    labels, scores = pair
    assert points.auc_pr(labels, scores) == pytest.approx(
        sklearn.average_precision_score(labels, scores)
    )
    assert points.auc_roc(labels, scores) == pytest.approx(sklearn.roc_auc_score(labels, scores))


@settings(max_examples=60, deadline=None)
@given(scores_and_labels)
def test_best_f1_by_brute_force(pair):
    labels, scores = pair
    best = points.best_f1(labels, scores)
    each = {t: points.f1_at(labels, scores, t) for t in np.unique(scores)}
    assert best.f1 == pytest.approx(max(found.f1 for found in each.values()))
    at = each[best.threshold]
    assert (best.precision, best.recall) == pytest.approx((at.precision, at.recall))


@settings(max_examples=60, deadline=None)
@given(scores_and_labels, st.integers(0, 8))
def test_point_adjustment_by_its_definition(pair, threshold):
    labels, scores = pair
    alarms = scores >= threshold
    for first, last in events(labels):
        if alarms[first : last + 1].any():
            alarms[first : last + 1] = True
    wanted = points.f1_of(*points.precision_recall(labels, alarms))
    found = points.point_adjusted_f1(labels, scores, threshold=threshold, draws=2)
    assert found.f1 == pytest.approx(wanted)
    assert points.point_adjusted_f1(labels, scores, draws=1).f1 >= wanted - 1e-12


def test_random_scores_look_good_after_point_adjustment():
    labels = (np.arange(5000) // 250) % 4 == 3
    rng = np.random.default_rng(1)
    found = points.point_adjusted_f1(labels, rng.random(5000))
    assert found.random > 0.9
    assert found.f1 == pytest.approx(found.random, abs=0.05)
    assert points.best_f1(labels, rng.random(5000)).f1 < 0.45


def test_as_many_random_alarms_as_given():
    labels = np.arange(100) >= 90
    assert points.point_adjusted_f1(labels, np.zeros(100), threshold=1.0) == (0.0, 0.0)
    whole = points.point_adjusted_f1(labels, np.zeros(100), threshold=0.0)
    assert whole.f1 == pytest.approx(whole.random)


def test_nan_is_never_an_alarm():
    assert points.f1_at([0, 1], [np.nan, 1.0], threshold=-1e9).precision == 1.0
    assert points.auc_roc([0, 1], [np.nan, 1.0]) == 1.0


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([1, 1], [0.0, 1.0], "labels say that every step is an anomaly"),
        ([0, 1], [[0.0, 1.0]], "scores has shape"),
        ([], [], "it is .steps., not empty"),
        ([0, 3], [0.0, 1.0], "labels holds 3; it is 1 in an anomaly and 0 elsewhere"),
    ],
)
def test_wrong_input(labels, scores, message):
    for measure in (points.auc_pr, points.auc_roc, points.best_f1, points.point_adjusted_f1):
        with pytest.raises(InputError, match=message):
            measure(labels, scores)


def test_no_random_scores():
    with pytest.raises(InputError, match="draws is 0"):
        points.point_adjusted_f1([0, 1], [0.0, 1.0], draws=0)
