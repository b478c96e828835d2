"""What is monitored, read from a frame, a file or arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, nearest
from ..files.columns import find_series, find_time
from ..files.frames import Table, from_frame, is_frame
from ..files.numbers import MOST, series_of_numbers
from ..files.tables import read_file
from ..time.stamps import Stamps, from_numbers, from_text, to_wall
from .channels_spec import Channels
from .readings import Readings

LABELS = ("label", "anomaly", "is_anomaly", "labels", "outlier")
"""Columns that are no channels: what is known to be wrong."""


def read_readings(source: Any, columns: Channels = Channels()) -> Readings:
    """Read what is to be monitored.

    A table has a row for each reading, with a column of stamps and one that names the series
    where there are several; every other numeric column is a channel, but for one that is called
    `label` or `anomaly`. Rows are put in the order of time, and may be as far apart as they like.

    Args:
        source: pandas, polars or pyarrow frame; path of a CSV or Parquet file; an array [readings]
            or [readings, channels], a list of such, or a dict of name to such.
        columns: Which column means what, where that should not be found.

    Raises:
        InputError: It cannot be read; the sentence names the place and the next step.

    Example:
        >>> found = read_readings({"pump": [[1.0, 2.0], [1.5, float("nan")]]})
        >>> found.names, found.channels, found.values[0].shape
        (('pump',), ('channel 1', 'channel 2'), (2, 2))
    """
    if isinstance(source, Readings):
        return source
    if isinstance(source, str | Path):
        return _from_table(read_file(source), None, columns)
    if is_frame(source):
        return _from_table(from_frame(source), source, columns)
    asked = [columns.series, columns.time, columns.label, *columns.channels]
    if any(name is not None for name in asked):
        raise InputError("arrays have no columns to name; hand over a frame or a file instead")
    return _from_arrays(source)


def _from_arrays(source: Any) -> Readings:
    if isinstance(source, Mapping):
        names, rows, kind = tuple(source), list(source.values()), "dict"
    elif isinstance(source, list | tuple) and any(np.ndim(row) for row in source):
        # A list of rows of channels is one series; a list of arrays is several.
        several = any(isinstance(row, np.ndarray) or np.ndim(row) > 1 for row in source)
        rows, kind = (list(source), "list") if several else ([source], "array")
        names = tuple(range(len(rows)))
    else:
        names, rows, kind = (0,), [source], "array"
    if not rows:
        raise InputError("there is no series in the data; hand over at least one array")
    values = tuple(_block(row, name) for row, name in zip(rows, names, strict=True))
    widths = {v.shape[1] for v in values}
    if len(widths) > 1:
        other = next(i for i, v in enumerate(values) if v.shape[1] != values[0].shape[1])
        raise InputError(
            f"series {names[0]!r} has {values[0].shape[1]} channels and series {names[other]!r} "
            f"has {values[other].shape[1]}: give all series the same channels, NaN where missing"
        )
    width = widths.pop()
    channels = ("value",) if width == 1 else tuple(f"channel {k + 1}" for k in range(width))
    return _checked(Readings(names, values, channels, kind=kind))


def _block(row: Any, name: Any) -> np.ndarray:
    array = series_of_numbers(row, name)
    if not array.size:
        raise InputError(f"series {name!r} has no readings; leave it out or give some")
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise InputError(
            f"series {name!r} has shape {np.shape(row)}; a series is [readings] or [readings, "
            "channels]"
        )
    return array


def _from_table(table: Table, source: Any, columns: Channels) -> Readings:
    if not table.rows:
        raise InputError("the table has no rows")
    notes: list[str] = []
    roles, channels = _roles(table, columns, notes)
    codes, names = _codes(table, roles.get("series"))
    stamps = _stamps(table, roles["time"]) if "time" in roles else None
    order = np.arange(table.rows)
    if stamps is not None:
        order = np.argsort(stamps.time, kind="stable")
    order = order[np.argsort(codes[order], kind="stable")]
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
    rows = tuple(np.split(order, ends))
    if any((np.diff(r) < 0).any() for r in rows):
        notes.append("rows were out of order and were sorted by time")
    block = np.stack([table.load(c).astype(np.float64) for c in channels], 1)
    times, labels = None, None
    if stamps is not None:
        wall = to_wall(stamps.time, stamps.zone) if stamps.zone else stamps.time
        times = tuple(wall[r] for r in rows)
        notes += stamps.notes
    if "label" in roles:
        known = _known(table, roles["label"])
        labels = tuple(known[r] for r in rows)
    return _checked(
        Readings(
            names,
            tuple(block[r] for r in rows),
            channels,
            times,
            labels,
            rows,
            table,
            source,
            table.kind,
            roles,
            (*table.notes, *notes),
        )
    )


def _roles(
    table: Table, columns: Channels, notes: list[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Give each column its role, and the channels."""
    asked = {"series": columns.series, "time": columns.time, "label": columns.label}
    roles = {role: name for role, name in asked.items() if name is not None}
    for role, name in [*roles.items(), *(("channel", c) for c in columns.channels)]:
        if name not in table.types:
            raise InputError(
                f"{role} column {name!r} is not in the data; {nearest(name, table.types)}"
            )
    taken = {*roles.values(), *columns.channels}
    unnamed = {n for n in table.types if not n.strip() or n.startswith("Unnamed: ")}
    free = {n: kind for n, kind in table.types.items() if n not in taken | unnamed}
    if "label" not in roles:
        lower = {n.lower().strip(): n for n in free if table.types[n] == "number"}
        if (found := next((lower[n] for n in LABELS if n in lower), None)) is not None:
            roles["label"] = found
            notes.append(f"column {found!r} says what is wrong, and is no channel")
            del free[found]
    if "time" not in roles and (found := find_time(table, free, notes)) is not None:
        roles["time"] = found
        del free[found]
    if "series" not in roles:
        found = find_series(table, free, roles.get("time"), "series" in free, notes)
        if found is not None:
            roles["series"] = found
            del free[found]
    for name in columns.channels:
        if table.types[name] != "number":
            raise InputError(
                f"channel column {name!r} holds {table.types[name]}, not numbers; name a numeric "
                f"one: {', '.join(table.of_type('number')) or 'there is none'}"
            )
    found = columns.channels or tuple(n for n, kind in free.items() if kind == "number")
    if not found:
        raise InputError("the data has no numeric column to watch; add one")
    unused = [n for n in free if n not in found]
    if unused:
        verb = "columns were" if len(unused) > 1 else "column was"
        notes.append(f"{verb} not used: {', '.join(map(repr, unused[:8]))}")
    return roles, tuple(found)


def _codes(table: Table, column: str | None) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Number the series in order of appearance; int64 [rows], and their names."""
    if column is None:
        return np.zeros(table.rows, np.int64), ("series",)
    labels = table.load(column)
    whole = labels.dtype.kind == "f" and (labels == np.round(labels)).all()
    listed = (labels.astype(np.int64) if whole else labels).tolist()
    empty = next((i for i, v in enumerate(listed) if v is None or v != v), None)
    if empty is not None:
        raise InputError(f"row {empty + 1}: the cell in series column {column!r} is empty; fill it")
    places = {label: place for place, label in enumerate(dict.fromkeys(listed))}
    return np.fromiter(map(places.__getitem__, listed), np.int64, len(listed)), tuple(places)


def _stamps(table: Table, column: str) -> Stamps:
    values, kind = table.load(column), table.types[column]
    if kind == "number":
        return from_numbers(values, column)
    if kind == "text":
        return from_text(values, column)
    if kind != "stamp":
        raise InputError(f"time column {column!r} holds neither dates, text nor numbers")
    lost = np.flatnonzero(np.isnat(values))
    if len(lost):
        raise InputError(f"row {lost[0] + 1}: the cell in time column {column!r} is empty; fill it")
    return Stamps(values, table.zones.get(column), table.units[column])


def _known(table: Table, column: str) -> np.ndarray:
    """A column of 0 and 1, int64 [rows]; an empty cell is a 0."""
    if table.types[column] != "number":
        raise InputError(f"label column {column!r} holds {table.types[column]}; write 0 and 1")
    labels = np.nan_to_num(table.load(column).astype(np.float64))
    odd = np.flatnonzero(~np.isin(labels, (0, 1)))
    if len(odd):
        raise InputError(
            f"row {odd[0] + 1}: {labels[odd[0]]:g} in label column {column!r} is neither 0 nor 1; "
            "name another column with label (--columns.label), or correct it"
        )
    return labels.astype(np.int64)


def _checked(readings: Readings) -> Readings:
    """Refuse infinite and absurd values."""
    for i, (name, block) in enumerate(zip(readings.names, readings.values, strict=True)):
        wild = np.argwhere(np.abs(np.nan_to_num(block, nan=0.0, posinf=np.inf)) > MOST)
        if len(wild):
            step, channel = map(int, wild[0])
            value = block[step, channel]
            shown = "infinite" if np.isinf(value) else f"{value:g}, which is beyond {MOST:g}"
            raise InputError(
                f"series {name!r}, column {readings.channels[channel]!r}, "
                f"{readings.said(i, step)}: the value is {shown}; correct it or leave it empty"
            )
    return readings
