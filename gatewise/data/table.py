"""A frame, a file or arrays to a panel of series on one clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .arrays import from_arrays
from .checks import check_series
from .clock import Clock, infer
from .columns import Roles, find_roles
from .files import read_file
from .frames import Table, from_frame, is_frame
from .panel import Panel
from .stamps import Stamps, from_numbers, from_text, from_wall, to_wall


def read_panel(
    source: Any,
    *,
    series: str | None = None,
    time: str | None = None,
    target: str | None = None,
    past: Sequence[str] = (),
    future: Sequence[str] = (),
    static: Sequence[str] = (),
    freq: str | None = None,
) -> Panel:
    """Read many series from a frame, a file or arrays, and put them on one clock.

    A long table has a column that names the series, one of stamps and one of values; columns
    called `series`, `time` and `target` are found, others are guessed and the guess is said in
    `Panel.notes`. A wide table has stamps and one column per series. Stamps that miss the clock
    are moved to it, gaps become NaN, rows out of order are sorted; all of it is said.

    Args:
        source: pandas, polars or pyarrow frame, eager or lazy; path of a CSV (`.csv`, `.tsv`,
            `.csv.gz`) or Parquet file; array [steps] or [series, steps]; list of arrays of
            different lengths; dict of name to array.
        series: Column that names the series.
        time: Column of stamps.
        target: Column of the values to forecast.
        past: Columns known up to now only.
        future: Columns known ahead, too: rows without a target at the end of a series hold
            what is known of its future.
        static: Columns that hold one value per series.
        freq: The clock, where it should not be found from the stamps: "h", "15min", "D", ...

    Raises:
        InputError: The input cannot be read; the sentence names the place and the next step.

    Example:
        >>> panel = read_panel({"a": [1.0, 2.0, float("nan"), 4.0], "b": [5.0, 6.0]})
        >>> panel.names, panel.lengths.tolist()
        (('a', 'b'), [4, 2])
    """
    if isinstance(source, Panel):
        return source
    past, future, static = _names(past), _names(future), _names(static)
    if isinstance(source, (str, Path)):
        table = read_file(source)
    elif is_frame(source):
        table = from_frame(source)
    else:
        asked = [series, time, target, *past, *future, *static]
        if any(name is not None for name in asked):
            raise InputError("arrays have no columns to name; hand over a frame or a file instead")
        return check_series(from_arrays(source, freq))
    if not table.rows:
        raise InputError("the table has no rows")
    roles = find_roles(table, series, time, target, past, future, static)
    return check_series(_assemble(table, roles, freq))


def _names(given: Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True)
class _Grid:
    """Where each row goes: `flat[cells] = column[rows]`, then cut at `offsets`."""

    rows: np.ndarray
    cells: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray

    def scatter(self, column: np.ndarray) -> list[np.ndarray]:
        """Put a column on the grid, one array per series; NaN or None where there is no row."""
        text = column.dtype == object
        flat = np.full(self.offsets[-1], None if text else np.nan, dtype=object if text else float)
        flat[self.cells] = column[self.rows]
        return np.split(flat, self.offsets[1:-1])


def _assemble(table: Table, roles: Roles, freq: str | None) -> Panel:
    codes, names = _codes(table, roles)
    stamps = _stamps(table, roles)
    grid, clock, notes = _place(stamps, codes, names, freq, roles)
    if roles.wide:
        names = roles.targets
        values = [grid.scatter(table.load(t).astype(float))[0] for t in roles.targets]
        starts, copies = np.repeat(grid.starts, len(names)), len(names)
    else:
        values, starts, copies = (
            grid.scatter(table.load(roles.targets[0]).astype(float)),
            grid.starts,
            1,
        )
    covariates = {
        role: {c: grid.scatter(_covariate(table, c)) * copies for c in columns}
        for role, columns in (("past", roles.past), ("future", roles.future))
    }
    columns = {"series": roles.series or "series", "time": roles.time or "time"}
    columns["target"] = "target" if roles.wide else roles.targets[0]
    panel = Panel(
        names=tuple(names),
        values=tuple(values),
        starts=starts,
        freq=clock.name,
        past={c: tuple(v) for c, v in covariates["past"].items()},
        future={c: tuple(v) for c, v in covariates["future"].items()},
        static={c: _static(table, c, codes, names) for c in roles.static},
        timezone=stamps.zone,
        columns=columns,
        kind=table.kind,
        notes=(*table.notes, *roles.notes, *stamps.notes, *notes),
        unit=stamps.unit,
    )
    return _trim(panel, clock)


def _codes(table: Table, roles: Roles) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Number the series in order of appearance."""
    if roles.series is None:
        return np.zeros(table.rows, np.int64), () if roles.wide else roles.targets
    labels = table.load(roles.series)
    if labels.dtype == object:
        seen: dict[Any, int] = {}
        codes = np.fromiter((seen.setdefault(v, len(seen)) for v in labels), np.int64, len(labels))
        names = tuple(seen)
        lost = seen.get(None, -1)
        missing = np.flatnonzero(codes == lost)
    else:
        distinct, first, index = np.unique(labels, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        codes = rank[index]
        if distinct.dtype.kind == "f" and (distinct == np.round(distinct)).all():
            distinct = distinct.astype(np.int64)
        names = tuple(distinct[order].tolist())
        missing = np.flatnonzero(np.isnan(labels)) if labels.dtype.kind == "f" else []
    if len(missing):
        raise InputError(
            f"row {missing[0] + 1}: the cell in series column {roles.series!r} is empty; fill it"
        )
    return codes, names


def _stamps(table: Table, roles: Roles) -> Stamps:
    if roles.time is None:
        return Stamps(np.arange(table.rows))
    values = table.load(roles.time)
    kind = table.types[roles.time]
    if kind == "number":
        return from_numbers(values, roles.time)
    if kind == "text":
        return from_text(values, roles.time)
    if kind != "stamp":
        raise InputError(f"time column {roles.time!r} holds neither dates, text nor numbers")
    lost = np.flatnonzero(np.isnat(values))
    if len(lost):
        raise InputError(
            f"row {lost[0] + 1}: the cell in time column {roles.time!r} is empty; fill it"
        )
    return Stamps(values, table.zones.get(roles.time), table.units[roles.time])


def _place(
    stamps: Stamps, codes: np.ndarray, names: Sequence[Any], freq: str | None, roles: Roles
) -> tuple[_Grid, Clock, list[str]]:
    """Sort the rows, find the clock and give every row its cell on the grid."""
    time, notes = stamps.time, []
    if roles.time is None and roles.series is not None:
        time = _count_within(codes)
    order = np.lexsort((time, codes))
    if (np.diff(order) < 0).any():
        if (
            np.diff(time)[codes[1:] == codes[:-1]] < np.array(0, time.dtype.str.replace("M", "m"))
        ).any():
            notes.append("rows were out of order and were sorted by time")
        codes, time = codes[order], time[order]
    _refuse_duplicates(time, codes, order, names, stamps, roles)
    clock, wall = _clock(time, codes, freq, stamps.zone)
    local = to_wall(time, stamps.zone) if wall and stamps.zone else time
    heads = np.flatnonzero(np.diff(codes, prepend=-1))
    anchor = _anchors(local, codes, heads, clock)
    steps = clock.steps_between(anchor[codes], local)
    first = steps[heads]
    steps = steps - first[codes]
    starts = clock.after(anchor, first)
    moved = int(np.sum(clock.after(starts[codes], steps) != local))
    same = (np.diff(steps) == 0) & (codes[1:] == codes[:-1])
    lengths = steps[np.append(heads[1:], len(steps)) - 1] + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    _refuse_sparse(offsets[-1], len(time), clock)
    if freq is None and clock.unit != "number":
        notes.append(f"the clock was found from the stamps: {clock.name}")
    if moved:
        notes.append(f"{moved} stamps were moved to the clock {clock.name}")
    if same.any():
        notes.append(
            f"{int(same.sum())} rows fell on a step that another row had: the later row counts"
        )
    gaps = int(offsets[-1] - len(time) + same.sum())
    if gaps:
        notes.append(f"{gaps} missing steps were filled with NaN")
    if wall and stamps.zone:
        starts = from_wall(starts, stamps.zone)
    return _Grid(order, offsets[codes] + steps, offsets, starts), clock, notes


def _count_within(codes: np.ndarray) -> np.ndarray:
    order = np.argsort(codes, kind="stable")
    heads = np.flatnonzero(np.diff(codes[order], prepend=-1))
    count = np.empty(len(codes), np.int64)
    count[order] = np.arange(len(codes)) - np.repeat(heads, np.diff(np.append(heads, len(codes))))
    return count


def _refuse_duplicates(
    time: np.ndarray, codes: np.ndarray, order: np.ndarray, names: Any, stamps: Stamps, roles: Roles
) -> None:
    twice = np.flatnonzero((np.diff(codes) == 0) & (time[1:] == time[:-1]))
    if not len(twice):
        return
    at = int(twice[0])
    rows = sorted((int(order[at]) + 1, int(order[at + 1]) + 1))
    shown = str(time[at]).replace("T", " ").removesuffix(".000000000")
    if roles.series is None:
        raise InputError(
            f"stamp {shown} occurs twice (rows {rows[0]} and {rows[1]}); if the rows belong to "
            "different series, name the column that tells them apart with series (--series)"
        )
    raise InputError(
        f"series {names[codes[at]]!r} has stamp {shown} twice (rows {rows[0]} and {rows[1]}); "
        "keep one of them"
    )


def _clock(
    time: np.ndarray, codes: np.ndarray, freq: str | None, zone: str | None
) -> tuple[Clock, bool]:
    """Find the clock, and whether it is read off the wall: days follow local midnights."""
    if freq is not None:
        clock = Clock.parse(freq)
        if (clock.unit == "number") != (time.dtype.kind != "M"):
            raise InputError(
                f"freq {freq!r} does not fit the time column, which holds "
                + ("step numbers" if time.dtype.kind != "M" else "stamps")
            )
        return clock, clock.is_calendar
    local = to_wall(time, zone) if zone else time
    clock = infer(local, codes)
    if clock is None:
        if time.dtype.kind == "M":
            raise InputError(
                "no series has two stamps, so the clock cannot be found; give freq (--freq), "
                "'h' or 'D' for instance"
            )
        return Clock.parse(None), False
    if zone and not clock.is_calendar:
        clock = infer(time, codes) or clock
    return clock, clock.is_calendar


def _anchors(time: np.ndarray, codes: np.ndarray, heads: np.ndarray, clock: Clock) -> np.ndarray:
    """Give each series a stamp on its own grid: its first, unless that one is the odd one out."""
    anchor = time[heads]
    if clock.unit == "number":
        return anchor
    if clock.unit == "ns":
        phase = time.astype(np.int64) % clock.step
        odd = np.unique(codes[phase != phase[heads][codes]])
        for series in odd:
            own = phase[codes == series]
            sizes, counts = np.unique(own, return_counts=True)
            # Where no phase is common, the stamps jitter about whole steps since 1970.
            best = int(sizes[counts.argmax()]) if counts.max() > 0.5 * len(own) else 0
            back = (int(anchor[series].astype(np.int64)) - best + clock.step // 2) // clock.step
            anchor[series] = np.int64(back * clock.step + best).astype("M8[ns]")
        return anchor
    if clock.unit == "business":
        day = np.busday_offset(anchor.astype("M8[D]"), 0, roll="forward")
        return day.astype("M8[ns]") + (anchor - anchor.astype("M8[D]").astype("M8[ns]"))
    within = time - time.astype("M8[M]").astype("M8[ns]")
    if clock.at_end:
        return anchor
    sizes, counts = np.unique(within.astype(np.int64), return_counts=True)
    best = int(sizes[counts.argmax()]) if counts.max() > 0.5 * len(within) else 0
    steady = np.maximum.reduceat(within, heads) == np.minimum.reduceat(within, heads)
    common = anchor.astype("M8[M]").astype("M8[ns]") + np.timedelta64(best, "ns")
    return np.where(steady, anchor, common)


def _refuse_sparse(cells: int, rows: int, clock: Clock) -> None:
    if cells > max(200 * rows, 10_000_000):
        raise InputError(
            f"on the clock {clock.name or 'of step numbers'} the {rows} rows would spread over "
            f"{cells} steps; give the clock with freq (--freq), 'D' for instance"
        )


def _covariate(table: Table, column: str) -> np.ndarray:
    if table.types[column] not in ("number", "text"):
        raise InputError(
            f"covariate column {column!r} holds neither numbers nor text; turn it into one of them"
        )
    values = table.load(column)
    return values if values.dtype == object else values.astype(float)


def _static(table: Table, column: str, codes: np.ndarray, names: Sequence[Any]) -> np.ndarray:
    values = _covariate(table, column)
    _, first = np.unique(codes, return_index=True)
    own = values[first]
    same = values == own[codes]
    if values.dtype != object:
        same |= np.isnan(values) & np.isnan(own[codes])
    changed = np.flatnonzero(~same.astype(bool))
    if len(changed):
        row = int(changed[0])
        raise InputError(
            f"static column {column!r} changes within series {names[codes[row]]!r} (row "
            f"{row + 1}); name it in past (--past) or future (--future)"
        )
    return own


def _trim(panel: Panel, clock: Clock) -> Panel:
    """Cut every series to its observed part; what is known of the future stays."""
    values, starts, firsts, lasts, cut = [], panel.starts.copy(), [], [], 0
    for i, series in enumerate(panel.values):
        seen = np.flatnonzero(~np.isnan(series))
        if not len(seen):
            raise InputError(f"series {panel.names[i]!r} has no value at all; drop it or fill it")
        first, last = int(seen[0]), int(seen[-1]) + 1
        firsts.append(first)
        lasts.append(last)
        cut += len(series) - last
        values.append(series[first:last])
    moved = np.flatnonzero(firsts)
    if len(moved):
        local = starts[moved]
        wall = panel.timezone if clock.is_calendar else None
        local = to_wall(local, wall) if wall else local
        local = clock.after(local, np.array(firsts)[moved])
        starts[moved] = from_wall(local, wall) if wall else local
    notes = panel.notes
    if cut and not panel.future:
        notes = (*notes, f"{cut} steps at the end of series have no value and were left out")

    def each(columns: Mapping, ends: Sequence[int | None]) -> dict:
        return {
            c: tuple(a[f:e] for a, f, e in zip(arrays, firsts, ends, strict=True))
            for c, arrays in columns.items()
        }

    return replace(
        panel,
        values=tuple(values),
        starts=starts,
        past=each(panel.past, lasts),
        future=each(panel.future, [None] * len(lasts)),
        notes=notes,
    )
