"""Surprise: by its definition in loops, what it must not know, and wrong input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.errors import InputError
from gatewise.evaluation.anomaly_surprise import Surprises, improbability, surprise


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
    np.testing.assert_allclose(surprise(50 * scores), surprise(scores), rtol=1e-6)
    noise = np.random.default_rng(1).exponential(size=300)
    np.testing.assert_allclose(surprise(50 * noise + 3), surprise(noise), rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.integers(1, 9), st.integers(2, 60), st.integers(0, 99))
def test_one_by_one_is_all_at_once(steps, quiet, memory, seed):
    random = np.random.default_rng(seed)
    scores = random.exponential(size=steps) * 10.0 ** random.integers(-3, 4)
    scores[random.random(steps) < 0.1] = np.nan
    before, after = np.split(scores, [steps // 3])
    running = Surprises(quiet, memory, before)
    kept = running.snapshot()
    found = [running.take(s) for s in after.tolist()]
    wanted = surprise(scores, quiet, memory)[len(before) :]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)
    running.restore(kept)
    assert [running.take(s) for s in after.tolist()] == found


def test_one_huge_score_is_forgotten_after_so_many_steps():
    scores = np.random.default_rng(3).exponential(size=400)
    clean = scores[201:]
    scores[100] = 1e6
    running = Surprises(memory=100)
    found = [running.take(s) for s in scores.tolist()]
    wanted = surprise(clean, memory=100)
    np.testing.assert_allclose(found[301:], wanted[100:], rtol=1e-4)


def test_far_out_one_is_told_from_another():
    z = np.linspace(5, 37, 200)
    exact = [-math.log10(0.5 * math.erfc(v / math.sqrt(2))) for v in z]
    np.testing.assert_allclose([improbability(v) for v in z], exact, rtol=1e-9)
    assert improbability(1e9) > improbability(1e8) > improbability(40) > 300
    assert improbability(-math.inf) == 0


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
    with pytest.raises(InputError, match="quiet is 0"):
        Surprises(quiet=0)
    with pytest.raises(InputError, match="scores has shape"):
        surprise([[1.0]])
