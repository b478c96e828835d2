"""Pairs of texts from files, tables and lists, and single texts to be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.frames import Table, from_frame, is_frame
from ..files.tables import read_file
from ..files.text_files import read_lines
from ..files.text_table import read_text_table

_TABLES = (".csv", ".tsv", ".parquet", ".pq")


@dataclass(frozen=True)
class PairLines:
    """Texts and, where they are known, what they become.

    Args:
        sources: Texts.
        targets: As many, or None.
        kind: What they came in: "list", "lines", "csv", "parquet", "pandas", "polars", "pyarrow".
        notes: What was guessed in reading.

    Raises:
        InputError: There are not as many of one as of the other.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...] | None = None
    kind: str = "list"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.targets is not None and len(self.sources) != len(self.targets):
            raise InputError(
                f"the source has {len(self.sources)} lines and the target {len(self.targets)}: "
                "give files whose lines belong together"
            )

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.sources)

    def said(self, index: int) -> str:
        """Name a text for a message."""
        return f"line {index + 1}" if self.kind == "lines" else f"pair {index}"


def read_pairs(x: Any, y: Any = None) -> PairLines:
    """Read pairs.

    Args:
        x: With `y`, the sources: a text file, a line each, also packed by gzip, or a list. Without
            it, pairs: a list of (source, target), or a table with two columns of text, as a file
            or a frame; those named "source" and "target", or the first two.
        y: The targets, in the same order.

    Raises:
        InputError: It is nothing of the kind, or the two do not belong together.

    Example:
        >>> read_pairs(["eins", "zwei"], ["one", "two"]).targets
        ('one', 'two')
        >>> read_pairs([("eins", "one")]).sources
        ('eins',)
    """
    if isinstance(x, PairLines) and y is None:
        return x
    if y is not None:
        return PairLines(_texts(x, "source"), _texts(y, "target"), _kind(x))
    if _is_table(x):
        return _of_table(_table(x), needs_target=True)
    if isinstance(x, str | Path):
        raise InputError(
            f"target: {x} has one text a line, and no target was given; give the file of its "
            "translations as well, or a table (.csv, .tsv, .parquet) with both"
        )
    pairs = _listed(x, "source")
    if not all(isinstance(pair, Sequence) and not isinstance(pair, str) for pair in pairs):
        raise InputError(
            "target: no target was given, and the source is no list of (source, target) pairs; "
            "give one or the other"
        )
    if wrong := next((pair for pair in pairs if len(pair) != 2), None):
        raise InputError(f"source: {wrong!r} is no pair; give (source, target)")
    return PairLines(
        _texts([pair[0] for pair in pairs], "source"), _texts([pair[1] for pair in pairs], "target")
    )


def read_sources(x: Any) -> PairLines:
    """Read texts to be answered.

    Args:
        x: A list of texts, a text file, or a table with a column "source" or one of text.

    Raises:
        InputError: It is nothing of the kind.
    """
    if _is_table(x):
        return _of_table(_table(x), needs_target=False)
    return PairLines(_texts(x, "source"), kind=_kind(x))


def answer(pairs: PairLines, translations: Sequence[str]) -> Any:
    """Put translations into the form that their sources came in.

    Returns:
        A list; for a file columns by name, `source` and `translation`; for a frame one of the same
        library with these columns.
    """
    if pairs.kind == "list":
        return list(translations)
    columns = {"source": list(pairs.sources), "translation": list(translations)}
    if pairs.kind in ("lines", "csv", "parquet"):
        return {name: np.array(held, dtype=object) for name, held in columns.items()}
    import narwhals as nw

    backend: Any = pairs.kind
    return nw.from_dict(columns, backend=backend).to_native()


def _kind(x: Any) -> str:
    return "lines" if isinstance(x, str | Path) else "list"


def _is_table(x: Any) -> bool:
    if isinstance(x, str | Path):
        suffixes = [s for s in Path(x).suffixes if s.lower() != ".gz"]
        return bool(suffixes) and suffixes[-1].lower() in _TABLES
    return not isinstance(x, PairLines) and is_frame(x)


def _table(x: Any) -> Table:
    if not isinstance(x, str | Path):
        return from_frame(x)
    parquet = Path(x).suffix.lower() in (".parquet", ".pq")
    return read_file(x) if parquet else read_text_table(x)


def _of_table(table: Table, *, needs_target: bool) -> PairLines:
    names = table.of_type("text")
    wanted = ["source", "target"] if needs_target else ["source"]
    chosen = wanted if set(wanted) <= set(names) else _guessed(table, names, len(wanted))
    if len(chosen) < len(wanted):
        others = [name for name in table.types if name not in names]
        columns = ", ".join(table.types) or "none"
        raise InputError(
            f"source: of the table's columns ({columns}) {len(names)} hold text, and "
            f"{len(wanted)} have to; "
            + (f"turn {others[0]!r} into text" if others else f"name them {' and '.join(wanted)}")
        )
    notes = table.notes
    if chosen != wanted:
        found = " and ".join(f"{name!r}" for name in chosen)
        notes = (*notes, f"{found} of the table are taken as {' and '.join(wanted)}")
    # An empty cell is an empty text; a pair with one is dropped later.
    columns = [[value or "" for value in table.load(name)] for name in chosen]
    texts = [_texts(column, name) for column, name in zip(columns, wanted, strict=True)]
    return PairLines(texts[0], texts[1] if needs_target else None, table.kind, notes)


def _guessed(table: Table, names: list[str], count: int) -> list[str]:
    """The first columns, but for such as number the rows."""
    if len(names) > count:
        words = [n for n in names if not all(str(cell).isdigit() for cell in table.load(n))]
        names = words if len(words) >= count else names
    return names[:count]


def _texts(x: Any, name: str) -> tuple[str, ...]:
    texts = read_lines(x) if isinstance(x, str | Path) else _listed(x, name)
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"{name}[{place}] is {text!r}, a {type(text).__name__}; give text")
    return tuple(map(str, texts))


def _listed(x: Any, name: str) -> list[Any]:
    if isinstance(x, np.ndarray):
        x = x.tolist()
    if isinstance(x, PairLines):
        return list(x.sources)
    if not isinstance(x, Sequence):
        raise InputError(
            f"{name} is a {type(x).__name__}: give a file, a list of texts, or a table"
        )
    return list(x)
