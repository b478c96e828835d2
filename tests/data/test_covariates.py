"""Covariates to channels and back from a file; a calendar's features close their circles."""

import json

import numpy as np
import pytest

from gatewise.data.time import calendar
from gatewise.data.windows import covariates
from gatewise.data.windows.covariates import MOST_LEVELS, Column


def test_numbers_are_standardised_by_what_was_fitted_on():
    column = Column.learn("price", [np.array([1.0, np.nan]), np.array([3.0, 8.0])])
    seen = np.array([1.0, 3.0, 8.0])
    found = column.encode(np.array([1.0, np.nan, 20.0]))[:, 0]
    expected = (np.array([1.0, seen.mean(), 20.0]) - seen.mean()) / seen.std()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("values", [[4.0, 4.0], [np.nan, np.nan], []])
def test_numbers_that_tell_nothing_do_no_harm(values):
    column = Column.learn("price", [np.array(values)])
    assert np.isfinite(column.encode(np.array([4.0, np.nan, 7.0]))).all()


def test_levels_are_kept_by_how_frequent_they_are_and_the_rest_share_one():
    values = np.array([f"v{k}" for k in range(100) for _ in range(k + 1)], dtype=object)
    column = Column.learn("kind", [values])
    assert column.levels == tuple(f"v{k}" for k in range(99, 99 - MOST_LEVELS, -1))
    assert column.width == MOST_LEVELS + 1
    found = column.encode(np.array(["v99", "v0", "never", None, float("nan")], dtype=object))
    assert found.argmax(1)[:3].tolist() == [0, MOST_LEVELS, MOST_LEVELS]
    assert found.sum(1).tolist() == [1, 1, 1, 0, 0]


def test_columns_lie_side_by_side_and_short_ones_are_padded():
    columns = covariates.learn(
        {
            "price": [np.array([1.0, 3.0])],
            "promo": [np.array(["no", "yes"], dtype=object)],
        }
    )
    values = {"price": np.array([1.0, 3.0, 3.0]), "promo": np.array(["yes"], dtype=object)}
    found = covariates.encode(columns, values, 3)
    assert found.shape == (3, covariates.width(columns)) == (3, 4)
    assert found[:, 0].tolist() == [-1, 1, 1]
    assert found[:, 1:].sum(1).tolist() == [1, 0, 0]
    saved = json.loads(json.dumps(covariates.state(columns)))
    assert covariates.restore(saved) == columns


@pytest.mark.parametrize("cycle", calendar.CYCLES)
def test_a_calendars_features_repeat_with_their_cycle_and_nothing_shorter(cycle):
    hours = np.arange(0, 24 * 800, 5)
    start = np.datetime64("2024-02-27", "ns")
    length = calendar.CYCLES[cycle]
    stamps = start + hours * calendar.HOUR
    later = start + (hours * 3600 + round(length * 3600)) * np.timedelta64(10**9, "ns")
    one, two = (calendar.features(s, (cycle,)) for s in (stamps, later))
    np.testing.assert_allclose(one, two, atol=1e-4)
    half = start + (hours * 3600 + round(length * 1800)) * np.timedelta64(10**9, "ns")
    assert (np.abs(one - calendar.features(half, (cycle,))).max(1) > 0.5).all()
    assert one.shape == (len(hours), 2 * calendar.HARMONICS[cycle])
    np.testing.assert_allclose(one[:, ::2] ** 2 + one[:, 1::2] ** 2, 1, rtol=1e-5)


def test_only_cycles_that_were_seen_twice_are_learned():
    day, hour = np.timedelta64(1, "D"), np.timedelta64(1, "h")
    learn = calendar.cycles_worth_learning
    assert learn(hour, 1 * day) == ()
    assert learn(hour, 2 * day) == ("hour of day",)
    assert learn(hour, 14 * day) == ("hour of day", "day of week")
    assert learn(day, 1000 * day) == ("day of week", "day of year")
    assert learn(30 * day, 1000 * day) == ("day of year",)
