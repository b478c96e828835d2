"""Surprise: by its definition in loops, what it must not know, and wrong input."""

import math

import numpy as np
import pytest

from gatewise.errors import InputError
from gatewise.evaluation.anomaly_surprise import surprise


def plain(scores, quiet, memory):
    found = []
    for t, score in enumerate(scores):
        past = scores[max(0, t - memory) : t]
        past = past[np.isfinite(past)]
        if len(past) < 2 or not np.isfinite(score):
            found.append(0.0)
            continue
        z = (score - past.mean()) / max(past.std(), 1e-3 * np.abs(past).mean())
        found.append(-math.log10(max(0.5 * math.erfc(z / math.sqrt(2)), 1e-300)))
    found = np.array(found)
    if quiet == 1:
        return found
    return np.array(
        [v if v > max(found[max(0, t - quiet) : t], default=-1) else 0 for t, v in enumerate(found)]
    )


@pytest.mark.parametrize(("quiet", "memory"), [(1, 1000), (1, 40), (7, 1000), (3, 25)])
def test_by_its_definition(quiet, memory):
    scores = np.random.default_rng(0).exponential(size=300)
    scores[[0, 5, 77]] = np.nan
    found = surprise(scores, quiet, memory)
    np.testing.assert_allclose(found, plain(scores, quiet, memory), rtol=1e-6, atol=1e-9)


def test_it_is_causal_and_has_no_unit():
    scores = np.random.default_rng(1).exponential(size=300)
    later = scores.copy()
    scores[:20] = later[:20] = 1.0
    later[200:] = np.exp(later[200:])
    np.testing.assert_allclose(surprise(scores, 5)[:200], surprise(later, 5)[:200], rtol=1e-6)
    np.testing.assert_allclose(surprise(50 * scores + 3), surprise(scores), rtol=1e-6)


def test_an_event_is_told_once():
    scores = np.random.default_rng(2).exponential(size=500)
    scores[300:310] += 40
    found = surprise(scores, quiet=12) > 10
    assert found[300]
    assert found.sum() <= 3
    assert (surprise(scores) > 10).sum() >= 4


def test_constant_and_missing_scores_are_no_surprise():
    assert (surprise(np.zeros(5)) < 0.4).all()
    assert not surprise(np.full(5, np.nan)).any()
    assert surprise([]).shape == (0,)


def test_wrong_input():
    with pytest.raises(InputError, match="quiet is 0"):
        surprise([1.0], quiet=0)
    with pytest.raises(InputError, match="memory is -1"):
        surprise([1.0], memory=-1)
    with pytest.raises(InputError, match="scores has shape"):
        surprise([[1.0]])
