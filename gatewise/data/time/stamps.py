"""Stamps as people write them: text, numbers and dates to one kind of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import InputError

_OFFSET = re.compile(r"(?<=\d)\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)$")
_ISO = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?)?$")
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_MONTHS = ("%b %Y", "%B %Y", "%b-%Y", "%Y/%m", "%m/%Y", "%Y", "%b-%y", "%b %y")
_FORMATS = tuple(date + time for time in _TIMES for date in _DATES) + _MONTHS
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])$")
_WEEK = re.compile(r"\d{4}-?W\d\d$")
# Seconds since 1970 between 1980 and 2100, in the units that systems count in.
_EPOCHS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@dataclass(frozen=True)
class Stamps:
    """The time of each row.

    Args:
        time: datetime64[ns] (UTC where there is a zone), or int64 step numbers; [rows].
        zone: IANA name or offset, None for naive stamps.
        unit: "date", "s", "ms", "us", "ns": what answers should be written in.
        notes: What was guessed.
    """

    time: np.ndarray
    zone: str | None = None
    unit: str = "ns"
    notes: tuple[str, ...] = ()


def from_numbers(values: np.ndarray, column: str) -> Stamps:
    """Read numbers as step numbers, years, days like 20240131 or times since 1970.

    Args:
        values: float64 or int64 [rows].
        column: For messages.

    Raises:
        InputError: A stamp is missing or not whole.

    Example:
        >>> from_numbers(np.array([1704067200, 1704070800]), "ts").time[1]
        np.datetime64('2024-01-01T01:00:00.000000000')
    """
    if values.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
        if len(bad):
            raise _unreadable(int(bad[0]), values[bad[0]], column)
        values = values.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    name = column.lower()
    if low >= 1500 and high <= 2200 and re.search(r"year|jahr|date|^ds$|time", name):
        years = (values - 1970).astype("M8[Y]").astype("M8[ns]")
        return Stamps(years, unit="date", notes=(f"time {column!r} was read as years",))
    if low >= 19000101 and high <= 22001231:
        year, month, day = values // 10000, values // 100 % 100, values % 100
        if ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all():
            months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
            days = months.astype("M8[D]") + (day - 1).astype("m8[D]")
            if (days.astype("M8[M]") == months).all():
                note = f"time {column!r} was read as days written like 20240131"
                return Stamps(days.astype("M8[ns]"), unit="date", notes=(note,))
    for word, scale in _EPOCHS.items():
        if 315_532_800 * scale <= low and high <= 4_102_444_800 * scale:
            time = (values * (10**9 // scale)).astype("M8[ns]")
            note = f"time {column!r} was read as {word} since 1970, UTC"
            return Stamps(time, unit="ns", notes=(note,))
    return Stamps(values.astype(np.int64))


def from_text(values: np.ndarray, column: str) -> Stamps:
    """Read text as stamps: ISO 8601 first, then the usual ways to write a date.

    Args:
        values: str or None, object [rows].
        column: For messages.

    Raises:
        InputError: A stamp cannot be read (its row and text are named), or zones are mixed.

    Example:
        >>> from_text(np.array(["31.12.2023 23:00", "01.01.2024 00:00"], object), "t").time[1]
        np.datetime64('2024-01-01T00:00:00.000000000')
    """
    listed = values.tolist()
    places = {text: place for place, text in enumerate(dict.fromkeys(listed))}
    index = np.fromiter(map(places.__getitem__, listed), np.int64, len(listed))
    distinct = ["" if v is None else str(v).strip() for v in places]
    first_row = np.full(len(distinct), len(values))
    np.minimum.at(first_row, index, np.arange(len(values)))

    def rows(position: int) -> int:
        return int(first_row[position])

    texts, offsets = _split_offsets(distinct)
    zone, shift, notes = _zone(texts, offsets, rows, column)
    time, day_only, note = _parse(texts, rows, distinct, column)
    time = time - shift
    unit = "date" if day_only and zone is None else "ns"
    return Stamps(time[index], zone, unit, notes + note)


def _split_offsets(texts: list[str]) -> tuple[list[str], list[str]]:
    bare, offsets = [], []
    for text in texts:
        found = _OFFSET.search(text, text.find(":")) if ":" in text else None
        bare.append(text[: found.start()] if found else text)
        offsets.append(found.group(1) if found else "")
    return bare, offsets


def _zone(
    texts: list[str], offsets: list[str], rows: Any, column: str
) -> tuple[str | None, np.ndarray, tuple[str, ...]]:
    minutes = np.array([_minutes(o) for o in offsets], dtype="m8[m]")
    kinds: dict[Any, int] = {}
    for i, (offset, size) in enumerate(zip(offsets, minutes.astype(int), strict=True)):
        kinds.setdefault(int(size) if offset else "", i)
    shift = minutes.astype("m8[ns]")
    if len(kinds) == 1:
        only = next(iter(kinds))
        name = None if only == "" else "UTC" if only == 0 else _offset_name(int(only))
        return name, shift, ()
    if "" not in kinds and len(kinds) == 2 and _is_summer_time(texts, minutes.astype(int)):
        note = f"the offset of {column!r} changes by an hour with summer time: read as UTC"
        return "UTC", shift, (note,)
    (one, i), (other, j) = sorted(kinds.items(), key=lambda item: item[1])[:2]
    shown = [k if k == "" else _offset_name(int(k)) for k in (one, other)]
    shown = [s or "none" for s in shown]
    raise InputError(
        f"time column {column!r} mixes time zones (row {rows(i) + 1}: {shown[0]}, "
        f"row {rows(j) + 1}: {shown[1]}); write all stamps in one zone, UTC for instance"
    )


def _minutes(offset: str) -> int:
    if offset in ("", "Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * 60 + int(digits[2:])
    return -size if offset[0] == "-" else size


def _offset_name(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _is_summer_time(texts: list[str], minutes: np.ndarray) -> bool:
    """Whether two offsets are one place's winter and summer: an hour apart, changing rarely."""
    if abs(int(minutes.max() - minutes.min())) != 60 or not all(_ISO.match(t) for t in texts):
        return False
    time = np.array(texts, dtype="M8[s]") - minutes.astype("m8[m]")
    order = np.argsort(time)
    changes = np.flatnonzero(np.diff(minutes[order]))
    months = time[order][changes].astype("M8[M]").astype(int) % 12 + 1
    return len(changes) > 0 and bool(np.isin(months, (3, 4, 9, 10, 11)).all())


def _parse(
    texts: list[str], rows: Any, shown: list[str], column: str
) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """Give datetime64[ns] per text, whether all are days, and what was guessed."""
    if all(_ISO.match(t) for t in texts):
        try:
            time = np.array(texts, dtype="M8[us]")
        except ValueError:
            pass  # a month 13 or a day 32: found and named below
        else:
            _refuse_far(time, rows, shown, column)
            return np.array(texts, dtype="M8[ns]"), all(len(t) <= 10 for t in texts), ()
    if all(_QUARTER.match(t) for t in texts):
        parts = [_QUARTER.match(t).groups() for t in texts]  # pyright: ignore[reportOptionalMemberAccess]
        months = [f"{year}-{int(quarter) * 3 - 2:02d}" for year, quarter in parts]
        return np.array(months, dtype="M8[ns]"), True, ()
    if all(_WEEK.match(t) for t in texts):
        days = [datetime.strptime(t.replace("-", "") + "1", "%GW%V%u") for t in texts]
        return np.array(days, dtype="M8[ns]"), True, ()
    sample = texts[:: max(1, len(texts) // 200)]
    scores = {f: sum(_try(t, f) is not None for t in sample) for f in _FORMATS}
    best = max(scores.values())
    if best < max(1, len(sample) // 2):
        raise _unreadable(rows(_first_bad(texts)), shown[_first_bad(texts)], column)
    readings = []
    for form in (f for f, score in scores.items() if score == best):
        parsed = [_try(t, form) for t in texts]
        bad = next((i for i, p in enumerate(parsed) if p is None), None)
        readings.append((bad is not None, form, bad, parsed))
    readings.sort(key=lambda r: r[0])
    whole = [r for r in readings if not r[0]]
    if not whole:
        bad = readings[0][2] or 0
        raise _unreadable(rows(bad), shown[bad], column)
    arrays = [(form, np.array(parsed, dtype="M8[us]")) for _, form, _, parsed in whole]
    form, time = max(arrays, key=lambda a: _regularity(a[1]))
    _refuse_far(time, rows, shown, column)
    note = () if len(arrays) == 1 else (f"time {column!r} was read as {_spoken(form)}",)
    return time.astype("M8[ns]"), "%H" not in form and "%I" not in form, note


@lru_cache(maxsize=100_000)
def _try(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _first_bad(texts: list[str]) -> int:
    return next((i for i, t in enumerate(texts) if not _ISO.match(t) or _iso_fails(t)), 0)


def _iso_fails(text: str) -> bool:
    try:
        np.datetime64(text)
    except ValueError:
        return True
    return False


def _regularity(time: np.ndarray) -> float:
    """How often the most common gap occurs: tells day/month from month/day."""
    gaps = np.diff(np.sort(time)).astype(np.int64)
    return float(np.unique(gaps, return_counts=True)[1].max() / len(gaps)) if len(gaps) else 0.0


def _spoken(form: str) -> str:
    words = {"%Y": "year", "%y": "year", "%m": "month", "%d": "day"}
    parts: list[str] = re.findall(r"%\w|[^%]", form.split(" %")[0])
    return "".join(words.get(part, part) for part in parts)


def _refuse_far(time: np.ndarray, rows: Any, shown: list[str], column: str) -> None:
    years = time.astype("M8[Y]").astype(int) + 1970
    far = np.flatnonzero((years < 1678) | (years > 2261))
    if len(far):
        i = int(far[0])
        raise InputError(
            f"row {rows(i) + 1}: {shown[i]!r} in time column {column!r} lies outside the years "
            "1678 to 2261 that stamps can hold; correct or drop the row"
        )


def empty_cell(row: int, column: str) -> InputError:
    """Refuse a row without a stamp; `row` counts from 0."""
    return InputError(f"row {row + 1}: the cell in time column {column!r} is empty; fill it")


def _unreadable(row: int, value: Any, column: str) -> InputError:
    if value in ("", None) or value != value:
        return empty_cell(row, column)
    shown = repr(value) if isinstance(value, str) else f"{value}"
    return InputError(
        f"row {row + 1}: {shown} in time column {column!r} is not a date, a time or a whole "
        "number; correct it, or name another column with time (--time)"
    )


def to_wall(time: np.ndarray, zone: str) -> np.ndarray:
    """Turn UTC stamps into what a clock on the wall of a zone shows; datetime64[ns] both."""
    return _shift(time, zone, _utc_offset)


def from_wall(time: np.ndarray, zone: str) -> np.ndarray:
    """Turn what a clock on the wall shows into UTC; an hour that occurs twice is the first."""
    return _shift(time, zone, _wall_offset)


def _shift(time: np.ndarray, zone: str, offset: Any) -> np.ndarray:
    if zone == "UTC":
        return time
    info = zone_of(zone)
    distinct, index = np.unique(time, return_inverse=True)
    seconds = distinct.astype("M8[s]").astype(np.int64)
    shift = np.array([offset(int(s), info) for s in seconds], dtype="m8[s]")
    return (distinct + shift.astype("m8[ns]"))[index].reshape(time.shape)


def _utc_offset(second: int, info: Any) -> int:
    return int(datetime.fromtimestamp(second, info).utcoffset().total_seconds())  # pyright: ignore[reportOptionalMemberAccess]


def _wall_offset(second: int, info: Any) -> int:
    wall = datetime.fromtimestamp(second, timezone.utc).replace(tzinfo=info)
    return -int(wall.utcoffset().total_seconds())  # pyright: ignore[reportOptionalMemberAccess]


@lru_cache
def zone_of(zone: str) -> Any:
    """Find the rules of an IANA zone or of a fixed offset like "+02:00"."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if re.fullmatch(r"[+-]\d\d:?\d\d", zone):
        return timezone(timedelta(minutes=_minutes(zone)))
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(
            f"time zone {zone!r} is not known here; convert the stamps to UTC"
        ) from None
