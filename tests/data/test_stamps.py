"""Stamps as text and numbers."""

import numpy as np
import pandas as pd
import pytest

from gatewise.data.time.stamps import from_numbers, from_text, from_wall, to_wall
from gatewise.errors import InputError

HOURS = pd.date_range("2023-12-30 22:00", periods=60, freq="h")


def text(values):
    return np.array(list(values), dtype=object)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y/%m/%d %H:%M",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %H:%M",
        "%d/%m/%Y %H:%M:%S",
        "%m/%d/%Y %I:%M %p",
        "%Y%m%d %H:%M",
        "%d-%b-%Y %H:%M",
    ],
)
def test_usual_ways_to_write_a_time(form):
    found = from_text(text(HOURS.strftime(form)), "t")
    np.testing.assert_array_equal(found.time, HOURS.to_numpy().astype("M8[ns]"))
    assert found.zone is None


@pytest.mark.parametrize(
    ("form", "freq"),
    [("%Y-%m-%d", "D"), ("%Y-%m", "MS"), ("%b %Y", "MS"), ("%Y", "YS"), ("%d.%m.%y", "D")],
)
def test_usual_ways_to_write_a_date(form, freq):
    truth = pd.date_range("2020-01-01", periods=40, freq=freq)
    found = from_text(text(truth.strftime(form)), "t")
    np.testing.assert_array_equal(found.time, truth.to_numpy().astype("M8[ns]"))
    assert found.unit == "date"


def test_quarters_and_weeks():
    quarters = from_text(text(["2023Q4", "2024Q1", "2024-Q2"]), "t").time
    assert quarters.astype("M8[M]").astype(str).tolist() == ["2023-10", "2024-01", "2024-04"]
    weeks = from_text(text(["2020-W53", "2021-W01"]), "t").time
    assert weeks.astype("M8[D]").astype(str).tolist() == ["2020-12-28", "2021-01-04"]


def test_day_and_month_are_told_apart_by_regularity():
    truth = pd.date_range("2024-01-01", periods=12, freq="D")
    found = from_text(text(truth.strftime("%d/%m/%Y")), "t")
    np.testing.assert_array_equal(found.time, truth.to_numpy().astype("M8[ns]"))
    assert found.notes == ("time 't' was read as day/month/year",)


@pytest.mark.parametrize(
    ("suffix", "zone"), [("Z", "UTC"), ("+00:00", "UTC"), ("+02:00", "+02:00")]
)
def test_one_zone_is_kept(suffix, zone):
    found = from_text(text(HOURS.strftime("%Y-%m-%dT%H:%M:%S") + suffix), "t")
    truth = HOURS.to_numpy().astype("M8[ns]") - np.timedelta64(2 if "2" in suffix else 0, "h")
    np.testing.assert_array_equal(found.time, truth)
    assert found.zone == zone


def test_summer_time_is_one_zone():
    truth = pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin")
    found = from_text(text(map(str, truth)), "t")
    np.testing.assert_array_equal(found.time, truth.tz_convert(None).to_numpy().astype("M8[ns]"))
    assert found.zone == "UTC"
    assert "summer time" in found.notes[0]


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-01 00:00+01:00", "2024-01-01 01:00+05:00"],
        ["2024-01-01 00:00+01:00", "2024-01-01 01:00"],
        ["2024-01-01 00:00Z", "2024-01-01 01:00+01:00", "2024-01-01 02:00Z"],
    ],
)
def test_mixed_zones_are_refused(values):
    with pytest.raises(InputError, match=r"mixes time zones \(row 1: .*, row 2: "):
        from_text(text(values), "t")


@pytest.mark.parametrize("bad", ["2024-13-01", "soon", "", None, "2024-02-30", "31/12"])
def test_an_unreadable_stamp_is_named_with_its_row(bad):
    values = [*pd.date_range("2024-01-01", periods=5).strftime("%Y-%m-%d"), bad, "2024-01-07"]
    said = f"row 6: {bad!r} in time column 't' is not a date"
    if not bad:
        said = "row 6: the cell in time column 't' is empty; fill it"
    with pytest.raises(InputError, match=said):
        from_text(text(values), "t")


def test_text_that_is_no_time_names_the_first_row():
    with pytest.raises(InputError, match="row 1: 'red'"):
        from_text(text(["red", "green"]), "t")


def test_far_stamps_are_refused():
    with pytest.raises(InputError, match=r"row 2: '9999-12-31' .* 1678 to 2261"):
        from_text(text(["2024-01-01", "9999-12-31"]), "t")


@pytest.mark.parametrize(("scale", "word"), [(1, "seconds"), (1000, "milli"), (10**9, "nano")])
def test_epochs(scale, word):
    values = HOURS.to_numpy().astype("M8[s]").astype(np.int64) * scale
    found = from_numbers(values, "t")
    np.testing.assert_array_equal(found.time, HOURS.to_numpy().astype("M8[ns]"))
    assert word in found.notes[0]


def test_numbers_that_are_years_days_or_steps():
    assert from_numbers(np.array([1999.0, 2000.0]), "year").time[1] == np.datetime64("2000-01-01")
    assert from_numbers(np.array([20240131, 20240201]), "d").time[0] == np.datetime64("2024-01-31")
    assert from_numbers(np.array([1999, 2000]), "t").time.dtype == np.int64
    assert from_numbers(np.array([20241301, 20241302]), "d").time.dtype == np.int64
    with pytest.raises(InputError, match=r"row 2: 1.5 in time column"):
        from_numbers(np.array([1.0, 1.5]), "t")
    with pytest.raises(InputError, match="row 1: the cell in time column 't' is empty"):
        from_numbers(np.array([np.nan, 1.5]), "t")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "+05:30", "UTC"])
def test_wall_clocks_agree_with_pandas(zone):
    utc = pd.date_range("2024-01-01", "2024-12-31", freq="7h")
    wall = to_wall(utc.to_numpy().astype("M8[ns]"), zone)
    truth = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    np.testing.assert_array_equal(wall, truth.to_numpy().astype("M8[ns]"))
    days = pd.date_range("2024-01-01", "2024-12-31", freq="D")
    back = from_wall(days.to_numpy().astype("M8[ns]"), zone)
    truth = days.tz_localize(zone).tz_convert(None)
    np.testing.assert_array_equal(back, truth.to_numpy().astype("M8[ns]"))


def test_an_unknown_zone_is_refused():
    with pytest.raises(InputError, match="'Mars/Base' is not known"):
        to_wall(np.array(["2024-01-01"], "M8[ns]"), "Mars/Base")
