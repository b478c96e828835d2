"""Tables of tagged sequences: a row for each token, or a row for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError, nearest
from ..files.frames import Table
from .columns_spec import TagColumns
from .tagged import Tagged

_SERIES = ("series", "sentence", "sentence_id", "sent_id", "sequence_id", "chain", "document", "id")
_TOKEN = ("token", "form", "word", "residue", "input", "tokens", "sequence", "text")
_LABEL = ("label", "tag", "labels", "tags", "upos", "pos", "ner")
_ORDER = ("time", "index", "position", "step")


def from_table(table: Table, columns: TagColumns, *, labelled: bool = True) -> Tagged:
    """Read a table: long, with a column that names the sequence, or with a sequence a row.

    In a row for a sequence, a cell holds all tokens or all tags, with blanks between them, or
    letter by letter without any.

    Args:
        table: What was read.
        columns: What to read; the rest is found by name.
        labelled: Whether tags are asked for; without, they may be missing.

    Raises:
        InputError: A column is missing or of the wrong kind, or cells of a row do not match.
    """
    _check_names(table, columns, labelled)
    series = columns.series or _first(table, _SERIES)
    token = columns.token or _first(table, _TOKEN, "text")
    labels = columns.label
    if not labels and (found := _first(table, tuple(n for n in _LABEL if n != token))):
        labels = (found,)
    labels = tuple(name for name in labels if name in table.types)
    if labelled and not labels:
        raise InputError(
            f"the data have no column of tags ({', '.join(_LABEL[:4])}); name it: "
            + nearest("label", list(table.types))
        )
    if token is not None and table.types[token] != "text":
        raise InputError(
            f"column {token!r} holds no text, and tokens are text; name another as token, or give "
            "numbers as channels"
        )
    cells = table.load(token) if token is not None else None
    rowwise = cells is not None and (columns.series is None and _sequences(cells, table, labels))
    if rowwise:
        assert token is not None
        return _a_row_each(table, columns, series, token, labels)
    return _long(table, columns, series, token, labels)


def _check_names(table: Table, columns: TagColumns, labelled: bool) -> None:
    asked = [columns.series, columns.token, columns.mask, columns.group, *columns.channels]
    asked += columns.label if labelled else ()
    if not labelled:
        asked = [columns.token, *columns.channels]
    for name in asked:
        if name is not None and name not in table.types:
            raise InputError(f"the data have no column {name!r}; {nearest(name, table.types)}")


def _first(table: Table, names: Sequence[str], kind: str | None = None) -> str | None:
    lower = {name.lower(): name for name in table.types}
    held = [lower[name] for name in names if name in lower]
    return next((n for n in held if kind is None or table.types[n] == kind), None)


def _sequences(cells: np.ndarray, table: Table, labels: tuple[str, ...]) -> bool:
    """Whether a cell holds a whole sequence rather than a token."""
    given = [c for c in cells if c is not None]
    if any(" " in str(c).strip() for c in given):
        return True
    if not labels or table.types[labels[0]] != "text":
        return False
    pairs = zip(cells, table.load(labels[0]), strict=True)
    lengths = [(len(a), len(b)) for a, b in pairs if a is not None and b is not None]
    return bool(lengths) and all(a == b for a, b in lengths) and max(lengths)[0] > 1


def _a_row_each(
    table: Table, columns: TagColumns, series: str | None, token: str, labels: tuple[str, ...]
) -> Tagged:
    cells = _plain(table.load(token))
    blanks = any(" " in (cell or "").strip() for cell in cells)

    def parted(column: str) -> list[list[str]]:
        return [_split(c, column, i, blanks) for i, c in enumerate(_plain(table.load(column)))]

    tokens = parted(token)
    names = [f"row {i + 1}" for i in range(table.rows)]
    if series is not None and series not in (token, *labels):
        names = [str(v) for v in _plain(table.load(series))]
    found: dict[str, list[list[str | None]]] = {
        name: [[t if t not in ("", "_") else None for t in tags] for tags in parted(name)]
        for name in labels
    }
    counted = None
    if (mask := columns.mask) is not None and mask in table.types:
        counted = [[_number(v, mask) != 0 for v in of] for of in parted(mask)]
    groups = _group(table, columns)
    roles = {"series": series or "series", "token": token}
    return Tagged.of(
        tokens,
        _masked(found, counted, names),
        names=names,
        groups=groups,
        kind=_kind(table),
        columns=roles,
        notes=table.notes,
    )


def _long(
    table: Table,
    columns: TagColumns,
    series: str | None,
    token: str | None,
    labels: tuple[str, ...],
) -> Tagged:
    """A row for each token; rows of a sequence keep their order, wherever they stand."""
    if series is None:
        raise InputError(
            "the data have no column that names the sequences (series, sentence, ...); add one, "
            "or name it as series"
        )
    ids = _plain(table.load(series))
    places: dict[Any, list[int]] = {}
    for row, name in enumerate(ids):
        places.setdefault(name, []).append(row)
    roles = {series, token, columns.mask, columns.group, *labels}
    channels = columns.channels
    if token is None and not channels:
        order = [name for name in table.types if name.lower() in _ORDER]
        channels = tuple(n for n in table.of_type("number") if n not in roles and n not in order)
    for name in channels:
        if table.types[name] != "number":
            raise InputError(f"channel {name!r} holds no numbers; name another")
    if token is None and not channels:
        raise InputError(
            "the data have neither a column of tokens (token, form, word, ...) nor numeric "
            "channels; name one"
        )

    def by_series(column: Sequence[Any]) -> list[list[Any]]:
        return [[column[row] for row in rows] for rows in places.values()]

    names = [str(name) for name in places]
    found = {name: by_series(_plain(table.load(name))) for name in labels}
    counted = None
    if columns.mask is not None and columns.mask in table.types:
        counted = [[v != 0 for v in of] for of in by_series(list(table.load(columns.mask)))]
    tokens = None if token is None else by_series(_tokens(table.load(token), token))
    values = None
    if channels:
        stacked = np.stack([np.asarray(table.load(c), dtype=np.float32) for c in channels], 1)
        values = tuple(stacked[rows] for rows in places.values())
    groups = _group(table, columns)
    if groups is not None:
        groups = tuple(of[0] for of in by_series(groups))
    return Tagged(
        tuple(names),
        None if tokens is None else tuple(map(tuple, tokens)),
        {n: tuple(map(tuple, of)) for n, of in _masked(found, counted, names).items()},
        values=values,
        channels=channels,
        groups=groups,
        kind=_kind(table),
        columns={"series": series, **({} if token is None else {"token": token})},
        notes=table.notes,
    )


def _group(table: Table, columns: TagColumns) -> tuple[Any, ...] | None:
    """The group that each row belongs to."""
    if columns.group is None or columns.group not in table.types:
        return None
    return tuple(_plain(table.load(columns.group)))


def _masked(
    found: dict[str, list[list[str | None]]], counted: list[list[bool]] | None, names: list[str]
) -> dict[str, list[list[str | None]]]:
    """Forget the tags that do not count."""
    if counted is None:
        return found
    for name, sequences in found.items():
        for i, (tags, mask) in enumerate(zip(sequences, counted, strict=True)):
            if len(tags) != len(mask):
                raise InputError(
                    f"{names[i]}: {len(tags)} tags in {name!r} and {len(mask)} values in the mask"
                )
            found[name][i] = [t if m else None for t, m in zip(tags, mask, strict=True)]
    return found


def _split(cell: str | None, column: str, row: int, blanks: bool) -> list[str]:
    if cell is None or not cell.strip():
        raise InputError(f"row {row + 1}, column {column!r} is empty; drop the row or fill it")
    return cell.split() if blanks else list(cell.strip())


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"mask {column!r} holds {text!r}, which is no number") from None


def _tokens(cells: np.ndarray, column: str) -> list[str]:
    for row, cell in enumerate(cells):
        if cell is None:
            raise InputError(
                f"row {row + 1}, column {column!r} is empty: give the token, or drop it"
            )
    return [str(cell) for cell in cells]


def _plain(cells: np.ndarray) -> list[Any]:
    """Cells as text; whole numbers without a point, None where there is nothing."""
    return [None if c is None or c != c else _text(c) for c in cells.tolist()]


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _kind(table: Table) -> str:
    return "file" if table.kind in ("csv", "parquet") else table.kind
