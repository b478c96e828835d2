"""Filling and scaling against slow transcriptions, and the promise that nothing looks ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.windows.scaling import (
    choose_transform,
    expanding_scale,
    fill,
    scale_series,
    settled_after,
    typical_change,
)


@st.composite
def gappy(draw, least=1):
    """A series with gaps, its season, and which of its steps are missing."""
    period = draw(st.integers(1, 6))
    steps = draw(st.integers(least, 60))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    y = rng.normal(10, 3, steps)
    missing = rng.random(steps) < draw(st.sampled_from([0.0, 0.2, 0.7]))
    if missing.all():
        missing[rng.integers(steps)] = False
    return np.where(missing, np.nan, y), period, missing


def slow_fill(y, missing, period):
    out = [float("nan") if gone else float(v) for v, gone in zip(y, missing, strict=True)]
    season = range(min(period, len(y)))
    known = [t for t in season if not missing[t]]
    for t in season:
        if missing[t]:
            if known:
                nearest = min(known, key=lambda k: (abs(k - t), k))
                out[t] = float(y[nearest])
            else:
                out[t] = float(y[next(k for k in range(len(y)) if not missing[k])])
    for t in range(period, len(y)):
        if missing[t]:
            out[t] = out[t - period]
    return np.array(out)


def slow_scale(z, missing, period):
    out = []
    for end in range(len(z) + 1):
        changes = [
            abs(z[t] - z[t - period])
            for t in range(period, end)
            if not missing[t] and not missing[t - period]
        ]
        out.append(max((sum(changes) + period) / (len(changes) + period), 1e-6))
    return np.array(out)


@given(gappy())
@settings(max_examples=60, deadline=None)
def test_gaps_are_filled_by_the_season_before(made):
    y, period, missing = made
    np.testing.assert_array_equal(fill(y, missing, period), slow_fill(y, missing, period))


@given(gappy())
@settings(max_examples=60, deadline=None)
def test_the_expanding_scale_is_the_mean_change_so_far(made):
    y, period, missing = made
    z = fill(y, missing, period)
    np.testing.assert_allclose(
        expanding_scale(z, missing, period), slow_scale(z, missing, period), rtol=1e-10
    )


@given(gappy(), st.sampled_from(["log", "linear"]))
@settings(max_examples=60, deadline=None)
def test_undoing_gives_back_what_was_seen(made, transform):
    y, period, missing = made
    y = np.abs(y) + 0.1
    scaled = scale_series(y, period, transform)
    np.testing.assert_allclose(scaled.undo(scaled.values)[~missing], y[~missing], rtol=1e-10)
    np.testing.assert_array_equal(scaled.missing, missing)


@given(gappy(least=20), st.sampled_from(["log", "linear"]), st.data())
@settings(max_examples=80, deadline=None)
def test_what_came_first_is_scaled_alike_whatever_follows(made, transform, data):
    y, period, missing = made
    y = np.abs(y) + 0.1
    opening = settled_after(period)
    if opening > len(y) or missing[:opening].all():
        return
    n = data.draw(st.integers(opening, len(y)))
    whole, part = scale_series(y, period, transform), scale_series(y[:n], period, transform)
    assert (part.center, part.unit) == (whole.center, whole.unit)
    np.testing.assert_array_equal(part.values, whole.values[:n])
    np.testing.assert_allclose(part.scale, whole.scale[: n + 1], rtol=1e-12)


@pytest.mark.parametrize("transform", ["log", "linear"])
def test_only_what_is_said_to_be_known_sets_center_and_unit(transform):
    y = np.exp(np.random.default_rng(0).normal(size=40))
    other = np.concatenate([y[:10], 7 * y[10:]])
    one = scale_series(y, 12, transform, known=10)
    two = scale_series(other, 12, transform, known=10)
    assert (one.center, one.unit) == (two.center, two.unit)
    np.testing.assert_array_equal(one.values[:10], two.values[:10])
    np.testing.assert_array_equal(one.scale[:11], two.scale[:11])


def test_a_constant_series_has_a_size_all_the_same():
    assert typical_change(np.full(20, 3.0), np.zeros(20, bool), 4) == 3.0
    assert typical_change(np.zeros(20), np.zeros(20, bool), 4) == 1.0
    scaled = scale_series(np.full(20, 5.0), 4, "linear")
    assert np.isfinite(scaled.values).all()
    assert (scaled.scale > 0).all()


def test_values_at_or_below_zero_count_as_missing_under_a_logarithm():
    scaled = scale_series(np.array([1.0, 2.0, 0.0, -1.0, 3.0]), 1, "log")
    np.testing.assert_array_equal(scaled.missing, [False, False, True, True, False])
    assert np.isfinite(scaled.values).all()


def test_the_logarithm_is_taken_of_positive_series_without_deep_dips():
    rng = np.random.default_rng(0)
    plain = np.exp(rng.normal(5, 0.3, 200))
    assert choose_transform([plain]) == "log"
    assert choose_transform([plain, plain - plain.max()]) == "linear"
    dipping = plain.copy()
    dipping[50] = 1e-6
    assert choose_transform([dipping]) == "linear"
    assert choose_transform([plain] * 20 + [dipping]) == "log"
    assert choose_transform([np.full(5, np.nan), plain]) == "log"
