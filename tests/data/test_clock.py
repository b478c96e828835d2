"""The clock against pandas' offsets: same names, same stamps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.time.clock import Clock, infer, seasonal_periods, stamps
from gatewise.errors import InputError

NAMES = ["h", "15min", "30s", "2h", "D", "B", "W-SUN", "W-WED", "2W-MON", "MS", "ME", "2MS"]
NAMES += ["QS-OCT", "QE-DEC", "QS-NOV", "YS-JAN", "YE-DEC", "YS-JUL", "100ms"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [4, 60])
def test_pandas_names_are_found_and_continued(name, count):
    truth = pd.date_range(
        "2023-01-03 10:00" if "M" not in name else "2023-01-03", periods=count + 9, freq=name
    )
    time = truth.to_numpy().astype("M8[ns]")
    clock = infer(time[:count], np.zeros(count, np.int64))
    assert clock is not None
    if name == "B" and count == 4:
        pytest.skip("four days from Tuesday on do not show a weekend")
    assert clock.name == name
    np.testing.assert_array_equal(stamps(time[0], clock.name, count + 9), time)
    np.testing.assert_array_equal(clock.steps_between(time[0], time), np.arange(count + 9))
    np.testing.assert_array_equal(clock.after(time[-1], -np.arange(count + 9)), time[::-1])


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    start=st.datetimes(pd.Timestamp("1960-01-01"), pd.Timestamp("2050-01-01")),
    steps=st.integers(-200, 200),
)
def test_steps_between_undoes_after(name, start, steps):
    clock = Clock.parse(name)
    first = np.datetime64(start.replace(microsecond=0), "ns")
    if name == "B":
        first = np.busday_offset(first.astype("M8[D]"), 0, roll="forward").astype("M8[ns]")
    assert clock.steps_between(first, clock.after(first, steps)) == steps


@pytest.mark.parametrize(
    ("stamps_in", "name"),
    [
        (["2024-01-15", "2024-02-15", "2024-03-15"], "MS"),
        (["2024-01-01", "2024-01-31", "2024-03-01", "2024-03-31"], "30D"),
        (["2024-01-01", "2024-01-29", "2024-02-26", "2024-03-25"], "4W-MON"),
        (["2021-01-01", "2022-01-01", "2023-01-01"], "YS-JAN"),
        (["2024-01-31", "2024-02-29", "2024-03-28", "2024-04-30", "2024-05-31"], "ME"),
        (["2024-01-02", "2024-02-01", "2024-03-04", "2024-04-01", "2024-05-02"], "MS"),
        (["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "D"),
    ],
)
def test_less_tidy_stamps(stamps_in, name):
    time = np.array(stamps_in, dtype="M8[ns]")
    clock = infer(time, np.zeros(len(time), np.int64))
    assert clock is not None
    assert clock.name == name


def test_five_days_of_two_series_are_no_business_days():
    week = np.datetime64("2024-01-01", "ns") + np.arange(5) * np.timedelta64(1, "D")
    clock = infer(np.tile(week, 2), np.repeat([0, 1], 5))
    assert clock is not None
    assert clock.name == "D"


def test_jitter_is_rounded_to_a_step_that_somebody_meant():
    rng = np.random.default_rng(0)
    time = np.datetime64("2024-01-01", "ns") + np.arange(500) * np.timedelta64(3600, "s")
    time = time + rng.integers(-120, 120, 500) * np.timedelta64(1, "s")
    clock = infer(time, np.zeros(500, np.int64))
    assert clock is not None
    assert clock.name == "h"


def test_the_15th_stays_the_15th_and_the_31st_is_cut_to_the_month():
    middle = stamps(np.datetime64("2024-01-15", "ns"), "MS", 3).astype("M8[D]")
    np.testing.assert_array_equal(
        middle, np.array(["2024-01-15", "2024-02-15", "2024-03-15"], "M8[D]")
    )
    late = stamps(np.datetime64("2023-01-31", "ns"), "MS", 2).astype("M8[D]")
    np.testing.assert_array_equal(late, np.array(["2023-01-31", "2023-02-28"], "M8[D]"))


@pytest.mark.parametrize(
    ("freq", "periods"),
    [
        ("h", (24, 168)),
        ("15min", (96, 672)),
        ("2h", (12, 84)),
        ("D", (7, 365)),
        ("B", (5, 261)),
        ("W-SUN", (52,)),
        ("MS", (12,)),
        ("ME", (12,)),
        ("QS-OCT", (4,)),
        ("YS-JAN", ()),
        ("min", (1440, 10080)),
        ("s", (60, 3600, 86400)),
        (None, ()),
        ("5", ()),
    ],
)
def test_seasonal_periods(freq, periods):
    assert seasonal_periods(freq) == periods


@pytest.mark.parametrize("old", ["H", "M", "Q", "A", "T", "S", "Y", "hourly", "monthly"])
def test_older_names_are_understood(old):
    assert Clock.parse(old).name in ("h", "ME", "QE", "YE", "min", "s", "MS")


@pytest.mark.parametrize("name", ["", "x", "W-XYZ", "fortnight", "h-MON", "-1h", "0h"])
def test_what_is_no_clock_is_refused(name):
    with pytest.raises(InputError, match="is not a clock"):
        Clock.parse(name)
