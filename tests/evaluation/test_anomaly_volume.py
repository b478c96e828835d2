"""VUS against aeon: stored values of its 1.6.0, and itself where it is installed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.errors import InputError
from gatewise.evaluation.anomaly_volume import range_auc, vus


def case(seed, steps, count, longest, ties=False):
    """Labels with events of random lengths, and scores that know something of them."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(steps, dtype=int)
    for start in rng.integers(0, steps, count):
        labels[start : start + int(rng.integers(1, longest))] = 1
    scores = rng.random(steps) + 0.7 * np.convolve(labels, np.ones(9) / 9, "same")
    return labels, np.round(scores, 1) if ties else scores


CASES = [
    (0, 400, 3, 30, False),
    (1, 1000, 6, 50, False),
    (2, 300, 2, 3, False),
    (3, 777, 5, 40, True),
    (4, 120, 1, 20, True),
]

# aeon 1.6.0: range_pr_vus_score and range_roc_vus_score with max_buffer_size=40
VOLUMES = [
    (0.5304454141598346, 0.8447874634887955),
    (0.8296293944904929, 0.9277891564345655),
    (0.13957292561122547, 0.6910332349605046),
    (0.6914348131221737, 0.8903953882380132),
    (0.6724841687921171, 0.8484502748696177),
]

# aeon 1.6.0: range_pr_auc_score and range_roc_auc_score, default buffer
AREAS = [
    (0.5665719262942135, 0.8701656082522173),
    (0.8229505541691399, 0.9243027659409279),
    (0.005294030294030294, 0.24244966442953023),
    (0.688618672052986, 0.8789330209743427),
    (0.671136825230816, 0.8525290336923026),
]


@pytest.mark.parametrize(("given", "volume", "area"), list(zip(CASES, VOLUMES, AREAS, strict=True)))
def test_values_of_aeon(given, volume, area):
    labels, scores = case(*given)
    np.testing.assert_allclose(vus(labels, scores, longest=40), volume, rtol=1e-12)
    np.testing.assert_allclose(range_auc(labels, scores), area, rtol=1e-12)


@pytest.mark.parametrize("buffer", [0, 1, 2, 7, 30, 200])
def test_aeon_itself(buffer):
    aeon = pytest.importorskip("aeon.benchmarking.metrics.anomaly_detection")
    labels, scores = case(5, 500, 4, 30)
    theirs = (
        aeon.range_pr_auc_score(labels, scores, buffer),
        aeon.range_roc_auc_score(labels, scores, buffer),
    )
    np.testing.assert_allclose(range_auc(labels, scores, buffer), theirs, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 300), st.integers(1, 4), st.integers(0, 20))
def test_volumes_are_shares(seed, steps, count, longest):
    labels, scores = case(seed, steps, count, max(2, steps // 6))
    if labels.all() or not labels.any():
        return
    areas = vus(labels, scores, longest)
    assert 0 <= areas.pr <= 1 + 1e-9
    assert 0 <= areas.roc <= 1 + 1e-9


def test_only_the_order_of_scores_counts():
    labels, scores = case(1, 500, 4, 30)
    assert vus(labels, scores, 10) == vus(labels, np.exp(scores), 10)


def test_nan_is_never_an_alarm():
    labels, scores = case(1, 500, 4, 30)
    below = np.where(np.arange(500) < 50, -1e9, scores)
    unknown = np.where(np.arange(500) < 50, np.nan, scores)
    assert vus(labels, unknown, 10) == vus(labels, below, 10)


def test_wrong_input():
    with pytest.raises(InputError, match="longest is -1"):
        vus([0, 1], [0.0, 1.0], -1)
    with pytest.raises(InputError, match="labels say that every step is normal"):
        vus([0, 0], [0.0, 1.0], 1)
    with pytest.raises(InputError, match="one of each per step"):
        range_auc([0, 1, 1], [0.0, 1.0])
    with pytest.raises(InputError, match="labels holds 2"):
        range_auc([0, 2], [0.0, 1.0])
