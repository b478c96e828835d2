"""What repeats is found where something repeats, and nowhere else."""

import numpy as np
import pytest

from gatewise.data.time.season import LONGEST_PATCH, Rhythm, find_rhythm


def hourly(weeks=8, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(168 * weeks)
    day = np.sin(t * 2 * np.pi / 24) + 0.4 * np.cos(t * 4 * np.pi / 24)
    return 10 + day * np.where((t // 24) % 7 > 4, 0.4, 1.0) + 0.05 * rng.normal(size=len(t))


def monthly(years=10, seed=0):
    t = np.arange(12 * years)
    noise = 0.1 * np.random.default_rng(seed).normal(size=len(t))
    return 5 + 0.02 * t + np.sin(t * np.pi / 6) + noise


def walk(steps=400, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


@pytest.mark.parametrize("candidates", [(24, 168), None])
def test_a_day_and_a_week_are_found_in_hours(candidates):
    found = find_rhythm([hourly(seed=k) for k in range(3)], candidates, 48)
    assert (found.period, found.cycle) == (24, 168)
    assert found.period % found.patch == 0
    assert found.lookback >= 168


@pytest.mark.parametrize("candidates", [(12,), None])
def test_a_year_is_found_in_months(candidates):
    found = find_rhythm([monthly()], candidates, 12)
    assert (found.period, found.cycle) == (12, 12)
    assert found.lookback >= 12


@pytest.mark.parametrize("candidates", [(24, 168), (7,), None, ()])
def test_a_random_walk_has_no_season(candidates):
    found = find_rhythm([walk(seed=k) for k in range(5)], candidates, 12)
    assert (found.period, found.cycle, found.patch) == (1, 1, 1)
    assert found.lookback >= 1


@pytest.mark.parametrize("steps", [3, 5, 12, 23])
@pytest.mark.parametrize("candidates", [(12,), None])
def test_a_season_that_was_hardly_seen_is_none(steps, candidates):
    found = find_rhythm([monthly()[:steps]], candidates, 2)
    assert found.period < 12
    assert found.lookback >= found.patch >= 1


@pytest.mark.parametrize("series", [hourly(), monthly(), walk(), np.ones(50), hourly(30)[::10]])
@pytest.mark.parametrize("horizon", [1, 7, 48])
def test_the_parts_of_a_rhythm_fit_into_each_other(series, horizon):
    r = find_rhythm([series], None, horizon)
    assert r.period % r.patch == 0
    assert r.cycle % r.period == 0
    assert r.lookback % r.patch == 0
    assert r.lookback >= r.cycle
    assert r.patch <= LONGEST_PATCH
    assert Rhythm(**r.state()) == r


def test_gaps_hide_no_season():
    series = hourly()
    series[np.random.default_rng(1).random(len(series)) < 0.2] = np.nan
    assert find_rhythm([series], (24, 168), 24).period == 24


def test_neither_level_nor_size_of_a_series_matters():
    series = hourly()
    assert find_rhythm([1e6 * series + 1e9], (24, 168), 24) == find_rhythm([series], (24, 168), 24)
