"""A frame, a file or arrays to a panel of series on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.columns import Roles, find_roles
from ..files.frames import Table, from_frame, is_frame
from ..files.tables import read_file
from ..time.stamps import Stamps, empty_cell, from_numbers, from_text
from .arrays import from_arrays
from .checks import check_series
from .grid import count_within, lay_out
from .panel import Panel


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


def _assemble(table: Table, roles: Roles, freq: str | None) -> Panel:
    codes, names = _codes(table, roles)
    stamps = _stamps(table, roles, codes)
    _refuse_duplicates(stamps.time, codes, names, roles.series)
    grid = lay_out(stamps.time, codes, stamps.zone, freq)
    values = [a for c in roles.targets for a in grid.scatter(table.load(c).astype(float))]
    # In a wide table all series share the grid's one start and the covariates.
    copies = len(roles.targets)

    def arrays(columns: Sequence[str]) -> dict[str, tuple[np.ndarray, ...]]:
        return {c: tuple(grid.scatter(_covariate(table, c)) * copies) for c in columns}

    target = None if roles.wide else roles.targets[0]
    one_column = {"series": roles.series, "time": roles.time, "target": target}
    panel = Panel(
        names=tuple(names),
        values=tuple(values),
        starts=np.repeat(grid.starts, copies),
        freq=grid.clock.name,
        past=arrays(roles.past),
        future=arrays(roles.future),
        static={c: _static(table, c, codes, names) for c in roles.static},
        timezone=stamps.zone,
        columns={role: name for role, name in one_column.items() if name is not None},
        kind=table.kind,
        notes=(*table.notes, *roles.notes, *stamps.notes, *grid.notes),
        unit=stamps.unit,
    )
    return _trim(panel)


def _codes(table: Table, roles: Roles) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Number the series in order of appearance; int64 [rows], and their names."""
    if roles.series is None:
        return np.zeros(table.rows, np.int64), roles.targets
    labels = table.load(roles.series)
    if labels.dtype == object:
        missing = np.flatnonzero(labels == None)  # noqa: E711, it is elementwise
    else:
        missing = np.flatnonzero(np.isnan(labels))
        whole = labels.dtype.kind == "f" and (labels == np.round(labels)).all()
        labels = labels.astype(np.int64) if whole else labels
    if len(missing):
        raise InputError(
            f"row {missing[0] + 1}: the cell in series column {roles.series!r} is empty; fill it"
        )
    listed = labels.tolist()
    places = {label: place for place, label in enumerate(dict.fromkeys(listed))}
    return np.fromiter(map(places.__getitem__, listed), np.int64, len(listed)), tuple(places)


def _stamps(table: Table, roles: Roles, codes: np.ndarray) -> Stamps:
    if roles.time is None:
        return Stamps(count_within(codes))
    values, kind = table.load(roles.time), table.types[roles.time]
    if kind == "number":
        return from_numbers(values, roles.time)
    if kind == "text":
        return from_text(values, roles.time)
    if kind != "stamp":
        raise InputError(f"time column {roles.time!r} holds neither dates, text nor numbers")
    lost = np.flatnonzero(np.isnat(values))
    if len(lost):
        raise empty_cell(int(lost[0]), roles.time)
    return Stamps(values, table.zones.get(roles.time), table.units[roles.time])


def _refuse_duplicates(
    time: np.ndarray, codes: np.ndarray, names: Sequence[Any], column: str | None
) -> None:
    order = np.lexsort((time, codes))
    ranked, series = time[order], codes[order]
    twice = np.flatnonzero((series[1:] == series[:-1]) & (ranked[1:] == ranked[:-1]))
    if not len(twice):
        return
    at = int(twice[0])
    rows = sorted(order[at : at + 2] + 1)
    shown = str(ranked[at]).replace("T", " ").removesuffix(".000000000")
    if column is None:
        raise InputError(
            f"stamp {shown} occurs twice (rows {rows[0]} and {rows[1]}); keep one, or name the "
            "column that tells different series apart with series (--series)"
        )
    raise InputError(
        f"series {names[series[at]]!r} of column {column!r} has stamp {shown} twice (rows "
        f"{rows[0]} and {rows[1]}); keep one row, or name another column with series (--series)"
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


def _trim(panel: Panel) -> Panel:
    """Cut every series to its observed part; what is known of the future stays."""
    seen = [np.flatnonzero(~np.isnan(values)) for values in panel.values]
    empty = next((n for n, s in zip(panel.names, seen, strict=True) if not len(s)), None)
    if empty is not None:
        raise InputError(f"series {empty!r} has no value at all; drop it or fill it")
    end = np.array([s[-1] + 1 for s in seen])
    cut = int((panel.lengths - end).sum())
    if cut and not panel.future:
        note = f"{cut} steps at the end of series have no value and were left out"
        panel = replace(panel, notes=(*panel.notes, note))
    return panel.between(np.array([s[0] for s in seen]), end)
