"""Rows with stamps to places on a regular grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ..time.clock import Clock, infer
from ..time.stamps import from_wall, to_wall

_SPARSE = 10_000_000
"""Steps that a panel may have however few rows there are."""

MOST_LOST = 0.1
"""Share of rows that may share a step with another on a clock that was asked for."""


@dataclass(frozen=True)
class Grid:
    """Where each row goes: `flat[cells] = column[rows]`, one series after the other.

    Args:
        rows: Order of the rows by series and time, int64 [rows].
        cells: Place of each of these, int64 [rows].
        offsets: Where the series begin, and the end; int64 [series + 1].
        starts: Stamp of each series' first cell, UTC where there is a zone.
        clock: Of the grid.
        notes: What was moved, filled and lost.
    """

    rows: np.ndarray
    cells: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    clock: Clock
    notes: tuple[str, ...]

    def scatter(self, column: np.ndarray) -> list[np.ndarray]:
        """Put a column on the grid, one array per series; NaN or None where there is no row."""
        text = column.dtype == object
        flat = np.full(self.offsets[-1], None if text else np.nan, dtype=object if text else float)
        flat[self.cells] = column[self.rows]
        return np.split(flat, self.offsets[1:-1])


def lay_out(time: np.ndarray, codes: np.ndarray, zone: str | None, freq: str | None) -> Grid:
    """Find the clock, and give every row its place on it.

    Args:
        time: datetime64[ns] (UTC where there is a zone) or int64, [rows]; no duplicates within
            a series.
        codes: Series of each row, numbered from 0, [rows].
        zone: Time zone; a clock of days or more then follows the wall clock there.
        freq: The clock, None to find it.

    Raises:
        InputError: The clock cannot be found, does not fit the stamps, is coarser or finer than
            they are, or would need far more steps than there are rows.

    Example:
        >>> grid = lay_out(np.array([0, 10, 30]), np.zeros(3, int), None, None)
        >>> grid.scatter(np.array([1.0, 2.0, 4.0]))
        [array([ 1.,  2., nan,  4.])]
    """
    rows = np.lexsort((time, codes))
    backwards = np.diff(time).astype(np.int64)[codes[1:] == codes[:-1]] < 0
    notes = ["rows were out of order and were sorted by time"] if backwards.any() else []
    time, codes = time[rows], codes[rows]
    clock = _clock(time, codes, zone, freq)
    wall = zone if clock.is_calendar else None
    local = to_wall(time, wall) if wall else time
    heads = np.flatnonzero(np.diff(codes, prepend=-1))
    anchors = _anchors(local, codes, heads, clock)
    steps = clock.steps_between(anchors[codes], local)
    starts = clock.after(anchors, steps[heads])
    steps = steps - steps[heads][codes]
    lengths = steps[np.append(heads[1:], len(steps)) - 1] + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] > max(200 * len(time), _SPARSE):
        raise InputError(
            f"on the clock {clock.name or 'of step numbers'} the {len(time)} rows would spread "
            f"over {offsets[-1]} steps; give the clock with freq (--freq), 'D' for instance"
        )
    if freq is not None:
        _refuse_misfit(clock, steps, codes)
    moved = int(np.sum(clock.after(starts[codes], steps) != local))
    lost = int(np.sum((np.diff(steps) == 0) & (codes[1:] == codes[:-1])))
    gaps = int(offsets[-1]) - len(time) + lost
    if freq is None and clock.unit != "number":
        notes.append(f"the clock was found from the stamps: {clock.name}")
    if moved:
        notes.append(f"{moved} stamps were moved to the clock {clock.name}")
    if lost:
        notes.append(f"{lost} rows fell on a step that another row had: the later row counts")
    if gaps:
        notes.append(f"{gaps} missing steps were filled with NaN")
    starts = from_wall(starts, wall) if wall else starts
    return Grid(rows, offsets[codes] + steps, offsets, starts, clock, tuple(notes))


def _refuse_misfit(clock: Clock, steps: np.ndarray, codes: np.ndarray) -> None:
    """Refuse a clock that was asked for and loses rows, or has no two rows on following steps."""
    apart = np.diff(steps)[codes[1:] == codes[:-1]]
    lost = int((apart == 0).sum())
    if lost > MOST_LOST * len(steps):
        raise InputError(
            f"freq is {clock.name!r}, and {lost} of {len(steps)} rows fall on a step that another "
            "row has: aggregate the rows, or take the clock that they are on"
        )
    if len(apart) > 2 and apart.min() > 1:
        raise InputError(
            f"freq is {clock.name!r}, and no two rows are less than {apart.min()} such steps "
            "apart: take the clock that the rows are on"
        )


def count_within(codes: np.ndarray) -> np.ndarray:
    """Number the rows of each series from 0 in order of appearance, [rows].

    Example:
        >>> count_within(np.array([0, 1, 0, 0, 1]))
        array([0, 0, 1, 2, 1])
    """
    order = np.argsort(codes, kind="stable")
    heads = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(np.append(heads, len(codes)))
    count = np.empty(len(codes), np.int64)
    count[order] = np.arange(len(codes)) - np.repeat(heads, sizes)
    return count


def _clock(time: np.ndarray, codes: np.ndarray, zone: str | None, freq: str | None) -> Clock:
    if freq is not None:
        clock = Clock.parse(freq)
        if (clock.unit == "number") == (time.dtype.kind == "M"):
            held = "stamps" if time.dtype.kind == "M" else "step numbers"
            raise InputError(f"freq {freq!r} does not fit the time column, which holds {held}")
        return clock
    clock = infer(to_wall(time, zone) if zone else time, codes)
    if zone and clock is not None and not clock.is_calendar:
        clock = infer(time, codes)
    if clock is None and time.dtype.kind == "M":
        raise InputError(
            "no series has two stamps, so the clock cannot be found; give freq (--freq), 'h' or "
            "'D' for instance"
        )
    return clock or Clock.parse(None)


def _anchors(time: np.ndarray, codes: np.ndarray, heads: np.ndarray, clock: Clock) -> np.ndarray:
    """Give each series a stamp on its own grid: its first, unless that one is the odd one out."""
    first = time[heads]
    if clock.unit == "ns":
        return _steady_phase(time, codes, heads, clock.step)
    if clock.unit == "business":
        day = first.astype("M8[D]")
        working = np.busday_offset(day, 0, roll="forward").astype("M8[ns]")
        return working + (first - day.astype("M8[ns]"))
    if clock.unit == "month" and not clock.at_end:
        within = time - time.astype("M8[M]").astype("M8[ns]")
        steady = np.maximum.reduceat(within, heads) == np.minimum.reduceat(within, heads)
        common = np.timedelta64(_common(within.astype(np.int64)), "ns")
        return np.where(steady, first, first.astype("M8[M]").astype("M8[ns]") + common)
    return first


def _steady_phase(time: np.ndarray, codes: np.ndarray, heads: np.ndarray, step: int) -> np.ndarray:
    anchors = time[heads].astype(np.int64)
    phase = time.astype(np.int64) % step
    for series in np.unique(codes[phase != phase[heads][codes]]):
        offset = anchors[series] - _common(phase[codes == series])
        anchors[series] -= offset - (offset + step // 2) // step * step
    return anchors.astype("M8[ns]")


def _common(values: np.ndarray) -> int:
    """The value that most have, or 0 where there is none: stamps that jitter mean whole steps."""
    sizes, counts = np.unique(values, return_counts=True)
    return int(sizes[counts.argmax()]) if counts.max() > len(values) / 2 else 0
