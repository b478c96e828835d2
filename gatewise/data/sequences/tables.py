"""Tables to sequences: a row a step, or a row a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError, nearest
from ..files.frames import Table
from ..time.stamps import Stamps, from_numbers, from_text
from .columns_spec import SequenceColumns
from .labels import NAMES as LABELS
from .labels import plain
from .sequences import Sequences

_BY_NAME = {
    "series": ("series", "series_id", "unique_id", "sequence", "id", "case", "name"),
    "time": ("time", "timestamp", "datetime", "date", "ds", "step", "t"),
    "label": LABELS,
    "text": ("text", "texts", "sentence", "document", "sequence"),
    "group": ("group", "subject", "patient", "speaker"),
}


def from_table(table: Table, columns: SequenceColumns | None = None) -> Sequences:
    """Read a table of sequences.

    With a column of texts, each row is one. Otherwise each row is a step of the sequence that
    its `series` column names, the rows of one are ordered by `time`, and every other numeric
    column is a channel. Columns called `series`, `time`, `label`, `text` and `group` are found.

    Args:
        table: Columns by name.
        columns: Which column means what, where names do not say it.

    Raises:
        InputError: A column is missing, or a label changes within a sequence.
    """
    columns = columns or SequenceColumns()
    if not table.rows:
        raise InputError("the table has no rows")
    roles = _roles(table, columns)
    if "text" in roles:
        return _texts(table, roles)
    if "series" not in roles:
        raise InputError(
            "the table has neither a column of texts nor one that names the sequence of each row; "
            "call it text or series, or name it with text (--text) or series (--series); "
            f"{nearest('series', table.types)}"
        )
    return _steps(table, roles, columns.channels)


def _roles(table: Table, columns: SequenceColumns) -> dict[str, str]:
    lower = {name.lower().strip(): name for name in table.types}
    roles: dict[str, str] = {}
    asked = {role: getattr(columns, role) for role in _BY_NAME}
    for role, name in asked.items():
        if name is not None:
            if name not in table.types:
                raise InputError(
                    f"{role} column {name!r} is not in the data; {nearest(name, table.types)}"
                )
            roles[role] = name
    for role in ("text", "label", "series", "time", "group"):
        if role in roles or (role == "text" and "series" in roles):
            continue
        free = (lower[n] for n in _BY_NAME[role] if n in lower and lower[n] not in roles.values())
        free = (n for n in free if n not in columns.channels)
        if role == "text":
            free = (n for n in free if table.types[n] == "text")
        if (found := next(free, None)) is not None:
            roles[role] = found
    taken_for_text = not columns.text and roles.get("text", "").lower() == "sequence"
    if taken_for_text and "series" not in roles and "time" in roles:
        # Beside a time, a column `sequence` names the sequence of a step.
        roles["series"] = roles.pop("text")
    return roles


def _texts(table: Table, roles: dict[str, str]) -> Sequences:
    column = roles["text"]
    cells = table.load(column)
    empty = next((i for i, c in enumerate(cells) if c is None or not str(c).strip()), None)
    if empty is not None:
        raise InputError(
            f"row {empty + 1}: the cell in text column {column!r} is empty; fill it or drop the row"
        )
    names = tuple(range(1, table.rows + 1))
    if "series" in roles:
        names = tuple(_whole(table.load(roles["series"])).tolist())
    time = _stamps(table, roles["time"]) if "time" in roles else None
    return Sequences(
        None,
        names,
        texts=tuple(map(str, cells)),
        labels=_per_sequence(table, roles.get("label"), np.arange(table.rows), names),
        groups=_per_sequence(table, roles.get("group"), np.arange(table.rows), names),
        starts=None if time is None else _seconds(time),
        kind=table.kind,
        columns=roles,
        notes=table.notes,
    )


def _steps(table: Table, roles: dict[str, str], wanted: Sequence[str]) -> Sequences:
    series = _whole(table.load(roles["series"]))
    missing = next((i for i, s in enumerate(series.tolist()) if s is None or s != s), None)
    if missing is not None:
        raise InputError(
            f"row {missing + 1}: the cell in series column {roles['series']!r} is empty; fill it"
        )
    listed = series.tolist()
    places = {name: place for place, name in enumerate(dict.fromkeys(listed))}
    names = tuple(places)
    codes = np.fromiter(map(places.__getitem__, listed), np.int64, len(listed))
    channels = _channels(table, roles, wanted)
    time = _stamps(table, roles["time"]) if "time" in roles else None
    order = np.argsort(codes, kind="stable")
    if time is not None:
        order = np.lexsort((time, codes))
        _refuse_twice(time, codes, order, names, roles)
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    columns = np.stack([table.load(c).astype(np.float32)[order] for c in channels], 1)
    values = tuple(np.split(columns, ends[:-1]))
    clock = None if time is None else _seconds(time)[order]
    firsts = np.concatenate([[0], ends[:-1]])
    return Sequences(
        values,
        names,
        channels,
        labels=_per_sequence(table, roles.get("label"), codes, names),
        groups=_per_sequence(table, roles.get("group"), codes, names),
        starts=None if clock is None else clock[firsts],
        gaps=None if clock is None else _gaps(clock, firsts, ends),
        kind=table.kind,
        columns=roles,
        notes=(*table.notes, *_notes(table, roles, channels)),
    )


def _channels(table: Table, roles: dict[str, str], wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if table.types.get(name) != "number":
            what = (
                f"holds {table.types[name]}, not numbers" if name in table.types else "is missing"
            )
            raise InputError(
                f"channel column {name!r} {what}; {nearest(name, table.of_type('number'))}"
            )
    taken = set(roles.values())
    found = tuple(wanted) or tuple(
        n
        for n in table.of_type("number")
        if n not in taken and n.strip() and not n.startswith("Unnamed: ")
    )
    if not found:
        raise InputError(
            "the table has no numeric column beside the series, the time and the label; add one"
        )
    return found


def _notes(table: Table, roles: dict[str, str], channels: tuple[str, ...]) -> tuple[str, ...]:
    unused = [n for n in table.types if n not in (*roles.values(), *channels)]
    said = [f"column {name!r} was taken as {role}" for role, name in roles.items() if name != role]
    if unused:
        verb = "columns were" if len(unused) > 1 else "column was"
        said.append(f"{verb} not used: {', '.join(map(repr, unused[:8]))}")
    return tuple(said)


def _stamps(table: Table, column: str) -> np.ndarray:
    """datetime64[ns] or numbers, [rows]; none is missing."""
    values, kind = table.load(column), table.types[column]
    empty = np.isnat(values) if kind == "stamp" else np.array([v is None or v != v for v in values])
    if empty.any():
        raise InputError(
            f"row {int(np.argmax(empty)) + 1}: the cell in time column {column!r} is empty; fill it"
        )
    if kind == "number":
        whole = values.dtype.kind in "iu" or (values == np.round(values)).all()
        return from_numbers(values.astype(np.int64), column).time if whole else values
    if kind == "text":
        return from_text(values, column).time
    if kind == "stamp":
        return Stamps(values).time
    raise InputError(f"time column {column!r} holds neither stamps nor numbers; name another")


def _seconds(time: np.ndarray) -> np.ndarray:
    """Seconds of stamps, steps of numbers; float64."""
    return time.astype(np.int64) / 1e9 if time.dtype.kind == "M" else time.astype(np.float64)


def _gaps(clock: np.ndarray, firsts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, ...]:
    gaps = np.diff(clock, prepend=clock[:1])
    gaps[firsts] = 0
    return tuple(np.split(gaps.astype(np.float32), ends[:-1]))


def _refuse_twice(
    time: np.ndarray, codes: np.ndarray, order: np.ndarray, names: tuple[Any, ...], roles: Any
) -> None:
    same = (np.diff(codes[order]) == 0) & (time[order][1:] == time[order][:-1])
    if same.any():
        at = int(np.argmax(same))
        rows = sorted(order[at : at + 2] + 1)
        raise InputError(
            f"series {names[codes[order[at]]]!r} of column {roles['series']!r} has the same "
            f"{roles['time']} twice (rows {rows[0]} and {rows[1]}); keep one row"
        )


def _per_sequence(
    table: Table, column: str | None, codes: np.ndarray, names: tuple[Any, ...]
) -> np.ndarray | None:
    """Read what is one value for all rows of a sequence."""
    if column is None:
        return None
    cells = plain(table.load(column))
    _, first = np.unique(codes, return_index=True)
    own = cells[first]
    same = np.array(
        [a == b or (a != a and b != b) for a, b in zip(cells, own[codes], strict=True)], dtype=bool
    )
    if not same.all():
        row = int(np.argmin(same))
        raise InputError(
            f"column {column!r} changes within series {names[codes[row]]!r} (row {row + 1}); a "
            "sequence has one: correct it, or name another column"
        )
    return own


def _whole(values: np.ndarray) -> np.ndarray:
    if (
        values.dtype.kind == "f"
        and not np.isnan(values).any()
        and (values == np.round(values)).all()
    ):
        return values.astype(np.int64)
    return values
