"""Which column is the series, the time and the target: named, found or guessed and said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError, nearest
from ..time.stamps import from_text
from .frames import Table
from .numbers import first_odd_cell

_SERIES = (
    "series",
    "unique_id",
    "series_id",
    "id",
    "item_id",
    "item",
    "store_id",
    "store_nbr",
    "store",
    "sku",
    "ticker",
    "symbol",
    "station",
    "sensor",
    "device",
    "meter",
    "customer",
    "product",
    "group",
    "key",
    "name",
    "region",
    "country",
    "city",
    "origin",
    "site",
    "location",
)
_TIME = (
    "time",
    "ds",
    "date",
    "datetime",
    "timestamp",
    "timestamps",
    "stamp",
    "date_time",
    "time_stamp",
    "time_hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "period",
    "hour",
    "step",
    "t",
    "ts",
    "epoch",
    "unixtime",
)
_TARGET = (
    "target",
    "y",
    "value",
    "values",
    "sales",
    "demand",
    "load",
    "consumption",
    "usage",
    "power",
    "count",
    "quantity",
    "qty",
    "units",
    "volume",
    "traffic",
    "visits",
    "visitors",
    "passengers",
    "price",
    "close",
    "temperature",
    "temp",
)


@dataclass(frozen=True)
class Roles:
    """What each column is for.

    Args:
        series: Column that names the series; None where the table holds one, or is wide.
        time: Column of stamps; None where rows are steps.
        targets: One column in a long table, one per series in a wide one.
        notes: What was guessed.
    """

    series: str | None
    time: str | None
    targets: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    static: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def wide(self) -> bool:
        """Whether each target column is a series."""
        return len(self.targets) > 1


def find_roles(
    table: Table,
    series: str | None,
    time: str | None,
    target: str | None,
    past: Sequence[str],
    future: Sequence[str],
    static: Sequence[str],
) -> Roles:
    """Give every column its role.

    Raises:
        InputError: A named column does not exist, or the target cannot be told.
    """
    covariates = {"past": tuple(past), "future": tuple(future), "static": tuple(static)}
    named = {"series": series, "time": time, "target": target}
    _check_names(table, named, covariates)
    taken = {c for c in (series, time, target, *past, *future, *static) if c is not None}
    # A column without a name is the row number that some program wrote.
    unnamed = {n for n in table.types if not n.strip() or n.startswith("Unnamed: ")}
    free = {n: kind for n, kind in table.types.items() if n not in taken | unnamed}
    notes: list[str] = []
    if time is None:
        time = find_time(table, free, notes)
        free = {n: kind for n, kind in free.items() if n != time}
    if series is None:
        series = find_series(table, free, time, bool(target) or "target" in free, notes)
        free = {n: kind for n, kind in free.items() if n != series}
    targets = (target,) if target else _find_targets(table, free, series, notes)
    if static and series is None and len(targets) > 1:
        raise InputError(
            "static columns need a long table with a series column; name it with series (--series)"
        )
    ignored = [name for name in free if name not in targets]
    if ignored:
        shown = ", ".join(map(repr, ignored[:8])) + (", ..." if len(ignored) > 8 else "")
        verb = "columns were" if len(ignored) > 1 else "column was"
        notes.append(
            f"{verb} not used: {shown}; use past (--past {ignored[0]}), future or static to use it"
        )
    return Roles(series, time, targets, **covariates, notes=tuple(notes))


def _refuse_sideways(table: Table, free: dict[str, str], numeric: Sequence[str]) -> None:
    """Refuse a table with a series in each row: names in one column, and V2, V3, V4, ..."""
    parted = [re.fullmatch(r"(.*?)(\d+)", name) for name in numeric]
    stems = {found and found[1] for found in parted}
    places = [int(found[2]) for found in parted if found]
    if stems == {None} or len(stems) > 1 or places != list(range(places[0], places[-1] + 1)):
        return
    for label, kind in free.items():
        if kind == "text" and _distinct(names := table.load(label)):
            raise InputError(
                f"each row looks like a series ({label!r} is {names[0]!r}, ...) and "
                f"{numeric[0]!r} to {numeric[-1]!r} like its steps: write one row per step, with "
                "columns series, time and target, or one column per series"
            )


def _check_names(table: Table, named: dict, covariates: dict) -> None:
    used: dict[str, str] = {}
    asked = [(role, name) for role, name in named.items() if name is not None]
    asked += [(role, name) for role, names in covariates.items() for name in names]
    for role, name in asked:
        if name not in table.types:
            raise InputError(
                f"{role} column {name!r} is not in the data; {nearest(name, table.types)}"
            )
        if name in used:
            raise InputError(f"column {name!r} is named as {used[name]} and as {role}; choose one")
        used[name] = role
    target = named["target"]
    if target is not None and table.types[target] != "number":
        if _empty(table, target):
            raise InputError(
                f"target column {target!r} has no value in any row: fill it or name another column"
            )
        _refuse_odd_cell(table, target)
        raise InputError(
            f"target column {target!r} holds {table.types[target]}, not numbers; name a numeric "
            f"column: {', '.join(table.of_type('number')) or 'there is none'}"
        )


def _empty(table: Table, column: str) -> bool:
    return table.types[column] != "number" and all(c is None for c in table.load(column))


def _refuse_odd_cell(table: Table, column: str) -> None:
    cells = table.load(column)
    odd = first_odd_cell(cells) if table.types[column] == "text" else None
    if odd is not None:
        raise InputError(
            f"row {odd + 1}: {cells[odd]!r} in column {column!r} is not a number; correct it or "
            "leave it empty"
        )


def _by_name(free: dict[str, str], known: Sequence[str], types: tuple[str, ...]) -> str | None:
    lower = {name.lower().strip(): name for name, kind in free.items() if kind in types}
    return next((lower[name] for name in known if name in lower), None)


def find_time(table: Table, free: dict[str, str], notes: list[str]) -> str | None:
    """Find the column of stamps among the free ones; a guess is noted."""
    found = _by_name(free, _TIME, ("stamp", "text")) or _by_name(free, _TIME, ("number",))
    if found is None:
        stamps = [name for name, kind in free.items() if kind == "stamp"]
        texts = [n for n, kind in free.items() if kind == "text" and _reads_as_time(table, n)]
        found = next(iter(stamps + texts), None)
    if found is None:
        notes.append("there is no column of stamps: each row is one step after the row before")
    elif found != "time":
        notes.append(f"column {found!r} was taken as time")
    return found


def _reads_as_time(table: Table, name: str) -> bool:
    head = np.array([c for c in table.load(name)[:200] if c is not None][:20], dtype=object)
    try:
        from_text(head, name)
    except InputError as error:
        return "mixes time zones" in str(error)
    return len(head) > 0


def find_series(
    table: Table, free: dict[str, str], time: str | None, long: bool, notes: list[str]
) -> str | None:
    """Find the column that names the series among the free ones; a guess is noted.

    Args:
        table: Columns by name.
        free: Columns without a role to their type.
        time: Column of stamps.
        long: Whether a column of numbers may name series though every stamp is another.
        notes: What was guessed is added here.
    """
    if free.get("series") in ("text", "number"):
        return "series"
    lower = {n.lower(): n for n, kind in free.items() if kind in ("text", "number")}
    named = [lower[n] for n in _SERIES if n in lower]
    stamps = None if time is None else table.load(time)
    if stamps is None or _distinct(stamps):
        # One series, or a label of the rows: a number then names no series, a text may.
        named = [n for n in named if free[n] == "text" or long]
        found = next((n for n in named if not _distinct(table.load(n))), None)
    else:
        candidates = named + [n for n, k in free.items() if k == "text" and n not in named]
        parting = [n for n in candidates if _distinct(stamps, table.load(n))]
        found = next(iter(parting + named), None)
    if found is not None:
        notes.append(f"column {found!r} was taken as series")
    return found


def _distinct(*columns: np.ndarray) -> bool:
    """Whether no row has the same values in these columns as another."""
    lists = [column.tolist() for column in columns]
    rows = lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))
    return len(set(rows)) == len(rows)


def _find_targets(
    table: Table, free: dict[str, str], series: str | None, notes: list[str]
) -> tuple[str, ...]:
    numeric = [name for name, kind in free.items() if kind == "number"]
    if not numeric:
        for name, kind in free.items():
            if kind == "text":
                _refuse_odd_cell(table, name)
        empty = [name for name in free if _empty(table, name)]
        if empty:
            raise InputError(
                f"column {empty[0]!r} has no value in any row, and there is no other numeric "
                "column to forecast: fill it or add one"
            )
        raise InputError("the data has no numeric column to forecast; add one")
    if "target" in numeric:
        return ("target",)
    # Without a series column, a table with a column called "load" may well be wide.
    known_names = _TARGET[:4] if series is None else _TARGET
    known = _by_name(free, known_names, ("number",))
    if known is None and len(numeric) == 1:
        known = numeric[0]
    if known is not None:
        notes.append(f"column {known!r} was taken as target")
        return (known,)
    if series is not None:
        raise InputError(
            f"several columns could be the target ({', '.join(numeric)}); name one with target "
            f"(--target {numeric[0]})"
        )
    if not any(kind == "stamp" for kind in table.types.values()):
        _refuse_sideways(table, free, numeric)
    notes.append(f"the table is wide: each numeric column is a series ({len(numeric)})")
    return tuple(numeric)
