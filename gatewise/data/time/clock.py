"""The clock of a series: a regular grid of stamps, by its pandas-like name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...errors import InputError

DAY = 86_400_000_000_000
_UNITS = {
    "D": DAY,
    "h": DAY // 24,
    "min": DAY // 1440,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CALENDAR = {"MS": 1, "ME": 1, "QS": 3, "QE": 3, "YS": 12, "YE": 12}
# Words, and the names that pandas used before 2.2.
_ALIASES = {
    "hourly": "h",
    "daily": "D",
    "weekly": "W",
    "monthly": "MS",
    "quarterly": "QS",
    "yearly": "YS",
    "H": "h",
    "T": "min",
    "S": "s",
    "L": "ms",
    "U": "us",
    "N": "ns",
    "d": "D",
    "w": "W",
    "b": "B",
    "M": "ME",
    "BM": "ME",
    "BME": "ME",
    "BMS": "MS",
    "Q": "QE",
    "Y": "YE",
    "A": "YE",
    "AS": "YS",
}


@dataclass(frozen=True)
class Clock:
    """A regular grid: steps of so many nanoseconds, months, business days or plain numbers.

    A calendar clock keeps the day and hour of the stamp that it starts from: from the 15th on,
    "MS" goes to the 15ths. "ME" goes from one last day to the next.

    Args:
        name: The alias, as in `Panel.freq`; None for plain step numbers one apart.
        unit: "ns", "month", "business" or "number".
        step: So many units a step.
        at_end: Months are counted from last day to last day.

    Example:
        >>> Clock.parse("15min").after(np.datetime64("2024-02-28T23:45", "ns"), 1)
        np.datetime64('2024-02-29T00:00:00.000000000')
        >>> Clock.parse("ME").after(np.datetime64("2024-01-31", "ns"), np.arange(3)).astype("M8[D]")
        array(['2024-01-31', '2024-02-29', '2024-03-31'], dtype='datetime64[D]')
    """

    name: str | None
    unit: str
    step: int
    at_end: bool = False

    @classmethod
    def parse(cls, name: str | None) -> Clock:
        """Read an alias: "h", "15min", "D", "B", "W-SUN", "MS", "ME", "QS-OCT", "YS", "30s".

        Args:
            name: The alias; None for plain step numbers, "5" for step numbers five apart.

        Raises:
            InputError: There is no such clock.
        """
        if name is None:
            return cls(None, "number", 1)
        text = str(name).strip()
        found = re.fullmatch(r"([1-9]\d*)?([A-Za-z]*)(?:-([A-Za-z]{3}))?", text)
        count, word, anchor = found.groups() if found else (None, None, None)
        multiple, word = int(count or 1), _ALIASES.get(word or "", word)
        anchor = anchor.upper() if anchor else None
        alias = f"{multiple if multiple > 1 else ''}{word}" + (f"-{anchor}" if anchor else "")
        if count and word == "" and anchor is None:
            return cls(count if multiple > 1 else None, "number", multiple)
        if word in _UNITS and anchor is None:
            return cls(alias, "ns", multiple * _UNITS[word])
        if word == "W" and (anchor is None or anchor in _WEEKDAYS):
            return cls(alias, "ns", multiple * 7 * DAY)
        if word == "B" and anchor is None:
            return cls(alias, "business", multiple)
        if word in _CALENDAR and (anchor is None or anchor in _MONTHS):
            return cls(alias, "month", multiple * _CALENDAR[word], word.endswith("E"))
        raise InputError(
            f"freq {text!r} is not a clock; write one like 'h', '15min', 'D', 'B', 'W-SUN', 'MS', "
            "'ME', 'QS', 'YS' or '30s'"
        )

    @property
    def is_calendar(self) -> bool:
        """Whether a step is a day or more, so that the wall clock counts and not UTC."""
        return self.unit in ("month", "business") or (self.unit == "ns" and self.step >= DAY)

    def after(self, start: np.ndarray, steps: np.ndarray | int) -> np.ndarray:
        """Give the stamps so many steps after `start`; both broadcast.

        Args:
            start: datetime64[ns], or int64 where stamps are plain numbers: a clock of hours,
                say, then only tells the seasons.
            steps: Whole numbers, negative ones go back.
        """
        start, steps = np.asarray(start), np.asarray(steps, dtype=np.int64)
        if start.dtype.kind != "M":
            return start + steps * (self.step if self.unit == "number" else 1)
        if self.unit == "ns":
            return start + (steps * self.step).astype("m8[ns]")
        day = start.astype("M8[D]")
        time = start - day.astype("M8[ns]")
        if self.unit == "business":
            moved = np.busday_offset(day, steps * self.step, roll="forward")
            return moved.astype("M8[ns]") + time
        month = start.astype("M8[M]") + (steps * self.step).astype("m8[M]")
        last = (month + np.timedelta64(1, "M")).astype("M8[D]") - month.astype("M8[D]")
        last = last - np.timedelta64(1, "D")
        within = last if self.at_end else np.minimum(day - start.astype("M8[M]"), last)
        return (month.astype("M8[D]") + within).astype("M8[ns]") + time

    def steps_between(self, start: np.ndarray, stamp: np.ndarray) -> np.ndarray:
        """Count the steps from `start` to `stamp`, to the nearest; int64."""
        if self.unit in ("number", "ns"):
            gap = (stamp - start).astype(np.int64)
            return (gap + self.step // 2) // self.step
        if self.unit == "business":
            gap = np.busday_count(start.astype("M8[D]"), stamp.astype("M8[D]"))
            return (gap.astype(np.int64) + self.step // 2) // self.step
        gap = (stamp.astype("M8[M]") - start.astype("M8[M]")).astype(np.int64)
        return (gap + self.step // 2) // self.step


def stamps(start: np.ndarray, freq: str | None, n: int) -> np.ndarray:
    """Give `n` stamps of a clock, `start` first.

    Args:
        start: One stamp, or one per series [series].
        freq: As in `Panel.freq`.
        n: How many.

    Returns:
        [n], or [series, n].

    Example:
        >>> stamps(np.datetime64("2024-01-31", "ns"), "ME", 3).astype("M8[D]")
        array(['2024-01-31', '2024-02-29', '2024-03-31'], dtype='datetime64[D]')
        >>> stamps(np.array([0, 10]), None, 3)
        array([[ 0,  1,  2],
               [10, 11, 12]])
    """
    return Clock.parse(freq).after(np.asarray(start)[..., None], np.arange(n))


def seasonal_periods(freq: str | None) -> tuple[int, ...]:
    """Name the seasons that a clock's readers look for, in steps, shortest first.

    Args:
        freq: As in `Panel.freq`.

    Returns:
        Nothing where the clock tells nothing (plain step numbers, years).

    Example:
        >>> seasonal_periods("h"), seasonal_periods("15min"), seasonal_periods("MS")
        ((24, 168), (96, 672), (12,))
        >>> seasonal_periods("D"), seasonal_periods("W-SUN"), seasonal_periods(None)
        ((7, 365), (52,), ())
    """
    clock = Clock.parse(freq)
    if clock.unit == "number":
        return ()
    if clock.unit == "business":
        return tuple(n // clock.step for n in (5, 261) if n // clock.step > 1)
    if clock.unit == "month":
        return (12 // clock.step,) if 12 % clock.step == 0 and clock.step < 12 else ()
    if clock.step >= 7 * DAY:
        cycles = (round(365.25 * DAY / clock.step) * clock.step,)
    elif clock.step >= DAY:
        cycles = (7 * DAY, 365 * DAY)
    elif clock.step >= _UNITS["min"]:
        cycles = (DAY, 7 * DAY)
    else:
        cycles = (_UNITS["min"], _UNITS["h"], DAY)
    periods = (cycle // clock.step for cycle in cycles if cycle % clock.step == 0)
    return tuple(period for period in periods if period > 1)


def infer(time: np.ndarray, codes: np.ndarray) -> Clock | None:
    """Find the clock behind stamps that are sorted by series and time, without duplicates.

    Args:
        time: datetime64[ns] or int64 [rows].
        codes: Series of each row, int64 [rows].

    Returns:
        The clock, or None where no series has two stamps.
    """
    gaps = np.diff(time).astype(np.int64)[codes[1:] == codes[:-1]]
    if not len(gaps):
        return None
    if time.dtype.kind != "M":
        step = int(np.gcd.reduce(gaps))
        return Clock.parse(str(step))
    sizes, counts = np.unique(gaps, return_counts=True)
    common, share = int(sizes[counts.argmax()]), counts.max() / len(gaps)
    typical = int(np.median(gaps))
    if min(common, typical) >= 27 * DAY:
        calendar = _infer_months(time, codes, steady=share >= 0.8)
        if calendar:
            return calendar
    if common == DAY and _only_business_days(time, codes):
        return Clock.parse("B")
    fits = float(np.mean(gaps % common == 0))
    return _fixed(common if fits >= 0.8 else _round_step(typical), time)


def _infer_months(time: np.ndarray, codes: np.ndarray, steady: bool) -> Clock | None:
    day, month = time.astype("M8[D]"), time.astype("M8[M]")
    gaps = np.diff(month).astype(np.int64)[codes[1:] == codes[:-1]]
    of_month = (day - month).astype(np.int64)
    to_end = ((month + 1).astype("M8[D]") - day).astype(np.int64)
    at_end = bool(np.mean(to_end == 1) >= 0.9) and not (of_month == of_month[0]).all()
    same_day = bool(np.mean(of_month == np.bincount(of_month).argmax()) >= 0.9)
    if steady and not (at_end or same_day):
        return None  # every 30 days or every four weeks
    sizes, counts = np.unique(gaps, return_counts=True)
    step = int(sizes[counts.argmax()])
    if step == 0:
        return None
    first = int(month[0].astype(np.int64)) % 12
    letter = "E" if at_end or bool(np.mean(to_end <= 4) >= 0.9) else "S"
    if step % 12 == 0:
        return Clock.parse(f"{step // 12}Y{letter}-{_MONTHS[first]}")
    if step % 3 == 0:
        anchor = first % 3 + 9  # pandas names a quarter by its last anchor in the year
        return Clock.parse(f"{step // 3}Q{letter}-{_MONTHS[anchor]}")
    return Clock.parse(f"{step}M{letter}")


def _only_business_days(time: np.ndarray, codes: np.ndarray) -> bool:
    """Whether a daily clock rests at weekends: it passes some, and has no day in any."""
    weekday = (time.astype("M8[D]").astype(np.int64) + 3) % 7
    passed = (np.diff(weekday) < 0) & (codes[1:] == codes[:-1])
    return bool((weekday < 5).all() and passed.any())


def _fixed(step: int, time: np.ndarray) -> Clock:
    if step % (7 * DAY) == 0:
        weekday = (time.astype("M8[D]").astype(np.int64) + 3) % 7
        return Clock.parse(f"{step // (7 * DAY)}W-{_WEEKDAYS[np.bincount(weekday).argmax()]}")
    unit = next(u for u, size in _UNITS.items() if step % size == 0)
    return Clock.parse(f"{step // _UNITS[unit]}{unit}")


def _round_step(step: int) -> int:
    """Move the typical gap of jittered stamps to a step that somebody may have meant."""
    meant = [n * _UNITS["s"] for n in (1, 2, 5, 10, 15, 20, 30)]
    meant += [n * _UNITS["min"] for n in (1, 2, 5, 10, 15, 20, 30)]
    meant += [n * _UNITS["h"] for n in (1, 2, 3, 4, 6, 8, 12)] + [DAY, 7 * DAY]
    best = min(meant, key=lambda m: abs(np.log(m / step)))
    return best if abs(best - step) <= 0.2 * step else step
