"""Measures of ranges against their definitions, written out step by step, and against aeon."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gatewise.errors import InputError
from gatewise.evaluation import anomaly_events as measures
from gatewise.evaluation.anomaly_inputs import events

pairs = st.integers(1, 40).flatmap(
    lambda n: st.tuples(arrays.arrays(bool, n), arrays.arrays(bool, n))
)


def tatbul(ranges, others, alpha, bias, cardinality):
    """Recall of ranges as in Tatbul et al. 2018, figures 2 and 3, in plain loops."""

    def delta(i, length):
        if bias == "flat":
            return 1
        if bias == "front":
            return length - i + 1
        if bias == "back":
            return i
        return i if i <= length / 2 else length - i + 1

    def overlap(own, other):
        mine = most = 0
        length = own[1] - own[0] + 1
        for i in range(1, length + 1):
            most += delta(i, length)
            mine += delta(i, length) * (other[0] <= own[0] + i - 1 <= other[1])
        return mine / most

    total = 0
    for own in ranges:
        shares = [overlap(own, other) for other in others]
        touched = sum(share > 0 for share in shares)
        factor = 1 / touched if touched > 1 and cardinality == "reciprocal" else 1
        total += alpha * (touched > 0) + (1 - alpha) * factor * sum(shares)
    return total / len(ranges) if len(ranges) else 0


@settings(max_examples=80, deadline=None)
@given(
    pairs,
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from(["flat", "front", "middle", "back"]),
    st.sampled_from(["one", "reciprocal"]),
)
def test_ranges_by_the_paper(pair, alpha, bias, cardinality):
    labels, alarms = pair
    found = measures.range_scores(
        labels, alarms, existence=alpha, bias=bias, cardinality=cardinality
    )
    real, raised = events(labels), events(alarms)
    assert found.recall == pytest.approx(tatbul(real, raised, alpha, bias, cardinality))
    assert found.precision == pytest.approx(tatbul(raised, real, 0.0, bias, cardinality))


@pytest.mark.parametrize("bias", ["flat", "front", "back"])
def test_ranges_by_aeon(bias):
    aeon = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    rng = np.random.default_rng(3)
    labels = np.repeat(rng.random(30) < 0.3, 7).astype(int)
    alarms = np.repeat(rng.random(70) < 0.3, 3).astype(int)
    found = measures.range_scores(labels, alarms, existence=0.5, bias=bias)
    options = {"cardinality": "reciprocal", "bias": bias}
    assert found.precision == pytest.approx(aeon.range_precision(labels, alarms, **options))
    assert found.recall == pytest.approx(aeon.range_recall(labels, alarms, alpha=0.5, **options))


def test_events():
    assert events([1, 1, 0, 1]).tolist() == [[0, 1], [3, 3]]
    assert events([0, 0]).shape == (0, 2)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_event_scores_by_sets(pair):
    labels, alarms = pair
    runs = [[set(range(a, b + 1)) for a, b in events(mask)] for mask in pair]
    touched = [sum(any(own & other for other in runs[1 - k]) for own in runs[k]) for k in (0, 1)]
    found = measures.event_scores(labels, alarms)
    assert found.recall == pytest.approx(touched[0] / max(len(runs[0]), 1))
    assert found.precision == pytest.approx(touched[1] / max(len(runs[1]), 1))


def test_one_alarm_over_everything_has_the_precision_of_a_guess():
    labels = np.arange(100) >= 90
    assert measures.event_scores(labels, np.ones(100)).f1 == 1
    found = measures.best_event_f1(labels, np.zeros(100))
    assert found == pytest.approx((0.1, 1.0, 2 * 0.1 / 1.1))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 40)
    .flatmap(
        lambda n: st.tuples(
            arrays.arrays(bool, n), arrays.arrays(np.int64, n, elements=st.integers(0, 6))
        )
    )
    .filter(lambda pair: 0 < pair[0].sum() < len(pair[0]))
)
def test_best_event_f1_by_brute_force(pair):
    labels, scores = pair
    best = 0
    for threshold in np.unique(scores):
        alarms = scores >= threshold
        recall = measures.event_scores(labels, alarms).recall
        precision = (labels & alarms).sum() / alarms.sum()
        best = max(best, 2 * precision * recall / max(precision + recall, 1e-300))
    assert measures.best_event_f1(labels, scores).f1 == pytest.approx(best)


def test_delay_of_alarms_that_began_before_or_never():
    labels = [0, 1, 1, 0, 1, 1, 1, 0, 1]
    alarms = [1, 1, 0, 0, 0, 0, 1, 0, 0]
    assert measures.detection_delay(labels, alarms) == (1.0, 2.0, 1)
    assert measures.detection_delay(labels, np.zeros(9)).missed == 3
    assert np.isnan(measures.detection_delay(labels, np.zeros(9)).mean)


def test_false_alarms_per_day():
    hours = np.arange(24 * 10)
    labels, alarms = hours < 48, hours % 24 == 5
    assert measures.false_alarms_per_day(labels, alarms, 3600) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measures.range_scores([0, 1], [0, 1], existence=2), "existence is 2"),
        (lambda: measures.range_scores([0, 1], [0, 1], bias="left"), "bias is 'left'"),
        (lambda: measures.range_scores([0, 1], [0, 1], cardinality="x"), "cardinality is 'x'"),
        (lambda: measures.event_scores([0, 1], [0]), "one of each per step"),
        (lambda: measures.event_scores([0, 1], [0, 0.5]), "alarms holds 0.5"),
        (lambda: measures.false_alarms_per_day([0], [0], 0), "step_seconds is 0"),
        (lambda: measures.false_alarms_per_day([1], [0], 1), "no normal step"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
