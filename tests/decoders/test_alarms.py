"""Errors to scores: smoothing, usual errors, thresholds, and what is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.decoders.alarms import CAP, FLOOR, Alarms
from gatewise.decoders.smoothing import share_of, smooth
from gatewise.evaluation.anomaly_surprise import surprise


class Known:
    """A network whose errors are its target."""

    def errors(self, inputs, target, carry=None):
        return target, carry


def track(errors, since=0):
    target = torch.from_numpy(np.asarray(errors, float))
    return SimpleNamespace(inputs=torch.zeros(len(target), 1), target=target, since=since)


def batch(*tracks):
    return SimpleNamespace(tracks=tracks)


def fitted(errors, span=5, **rest):
    alarms = Alarms(span, rest.pop("interval", 1000), **rest)
    alarms.fit(Known(), [batch(track(errors))])
    return alarms


def noise(steps=4000, channels=2, seed=0):
    return np.random.default_rng(seed).exponential(size=(steps, channels)) * [1.0, 10.0][:channels]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.integers(1, 50), st.integers(0, 99))
def test_smoothing_is_the_recursion(steps, span, seed):
    random = np.random.default_rng(seed)
    values = np.where(random.random((steps, 2)) < 0.2, np.nan, random.normal(size=(steps, 2)))
    state, wanted = np.array([1.0, -1.0]), []
    for row in values:
        state = np.where(np.isnan(row), state, state + share_of(span) * (row - state))
        wanted.append(state)
    got = smooth(values, span, np.array([1.0, -1.0]))
    np.testing.assert_allclose(got, np.reshape(wanted, (steps, 2)), rtol=1e-12, atol=1e-12)


def test_each_channel_counts_in_its_own_usual_error():
    alarms = fitted(noise())
    np.testing.assert_allclose(alarms.levels_, [1, 10], rtol=0.1)
    quiet = alarms.judge(noise(seed=1))
    assert np.median(quiet.score) == pytest.approx(1, rel=0.1)
    loud = noise(seed=1)
    loud[100:120, 0] += 10
    scored = alarms.judge(loud)
    share = np.square(scored.channels[110]) / np.square(scored.channels[110]).sum()
    assert share[0] > 0.9
    assert scored.alarm[105:120].all()


def test_only_what_was_held_out_is_learned_from():
    errors = noise()
    errors[:2000] *= 100
    alarms = Alarms(5, 1000)
    alarms.fit(Known(), [batch(track(errors, since=2000))])
    np.testing.assert_allclose(alarms.levels_, [1, 10], rtol=0.15)


@pytest.mark.parametrize("method", ["pot", "quantile", "surprise"])
def test_false_alarms_come_as_often_as_was_asked_for(method):
    alarms = fitted(noise(30_000), interval=1500, method=method)
    raised = np.flatnonzero(alarms.judge(noise(120_000, seed=2)).alarm)
    events = 1 + (np.diff(raised) > alarms.span).sum()
    assert events * 1500 / 120_000 == pytest.approx(1, rel=0.5)


def test_a_few_anomalies_in_what_was_held_out_do_not_move_what_is_usual():
    clean, soiled = noise(channels=1), noise(channels=1)
    soiled[1000:1010] = 1000
    assert fitted(soiled).levels_ == pytest.approx(fitted(clean).levels_, rel=0.05)


def test_nothing_is_usual_to_the_last_digit():
    assert fitted(np.zeros((100, 1))).levels_ == [FLOOR]


def test_a_channel_that_was_never_seen_is_worth_one():
    errors = noise()
    errors[:, 1] = np.nan
    alarms = fitted(errors)
    assert alarms.levels_[1] == 1
    assert np.isfinite(alarms.judge(errors).score).all()


def test_one_absurd_value_is_over_in_the_end():
    alarms = fitted(noise(channels=1))
    wild = noise(channels=1, seed=3)
    wild[10] = 1e90
    score = alarms.judge(wild).score
    assert score.max() <= CAP
    assert score[-1] < 3


def test_adapting_follows_a_drift_and_says_by_what_factor():
    drifted = 5 * noise(seed=4)
    plain = fitted(noise()).judge(drifted)
    adapted = fitted(noise(), memory=200).judge(drifted)
    assert np.median(plain.score[-500:]) == pytest.approx(5, rel=0.1)
    assert np.median(adapted.score[-500:]) == pytest.approx(1, rel=0.15)
    np.testing.assert_allclose(adapted.factor, 5, rtol=0.2)
    assert (plain.factor == 1).all()


def test_adapting_does_not_run_away_where_nothing_drifts():
    assert fitted(noise(), memory=200).judge(noise(20_000, seed=5)).factor == pytest.approx(
        1, rel=0.25
    )


def test_the_dynamic_threshold_knows_only_what_came_before():
    alarms = fitted(noise(), method="telemanom")
    errors = noise(seed=6)
    changed = errors.copy()
    changed[2000:] *= 7
    one, other = alarms.judge(errors), alarms.judge(changed)
    np.testing.assert_array_equal(one.threshold[:2000], other.threshold[:2000])
    assert other.alarm[2000:2060].any()


def test_surprise_is_the_scores_surprise_after_those_that_were_held_out():
    alarms = fitted(noise(), method="surprise", quiet=7)
    plain = fitted(noise()).judge(noise(seed=8)).score
    score = alarms.judge(noise(seed=8)).score
    assert len(alarms.history_) == 4000
    wanted = surprise(np.concatenate([alarms.history_, plain]), quiet=7)[4000:]
    np.testing.assert_array_equal(score, wanted)
    limit = alarms.limit()
    told = [limit.take(s) for s in plain.tolist()]
    np.testing.assert_allclose([s for s, _ in told], score, rtol=1e-6, atol=1e-9)
    assert {t for _, t in told} == {alarms.threshold_}


@pytest.mark.parametrize("method", ["telemanom", "surprise"])
def test_what_was_learned_comes_back(method):
    alarms = fitted(noise(), method=method, memory=100)
    settings_, tensors = alarms.state()
    again = Alarms(5, 1000, method, memory=100)
    again.restore(settings_, tensors)
    one, other = alarms.judge(noise(seed=7)), again.judge(noise(seed=7))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
