"""Whatever a person has, to sequences."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.frames import Table, from_frame, is_frame
from ..files.tables import read_file
from .arrays import from_arrays
from .columns_spec import SequenceColumns
from .fasta_files import SUFFIXES as FASTA
from .fasta_files import read_fasta
from .labelled_lines import read_labelled_lines
from .sequences import Sequences
from .tables import from_table
from .ts_files import read_ts

_TABLES = (".csv", ".tsv", ".parquet", ".pq")


def read_sequences(
    source: Any,
    labels: Any = None,
    *,
    columns: SequenceColumns | None = None,
    known: Collection[str] | None = None,
) -> Sequences:
    """Read sequences of numbers or texts, with their labels where they have some.

    Args:
        source: Array [sequences, steps, channels] or [sequences, steps]; list of arrays of
            uneven lengths; list of texts; pandas, polars or pyarrow frame or column; path of a
            table (`.csv`, `.tsv`, `.parquet`), of a `.ts` file, of a FASTA file, or of a text
            file with a text a line and its label before it.
        labels: One each, where they are not part of `source`; or a table of them.
        columns: Which columns of a table mean what, where their names do not say it.
        known: Labels of a fitted model, to tell them from the first words of a text file.

    Raises:
        InputError: It cannot be read; the sentence names the place and the next step.

    Example:
        >>> read = read_sequences([[1.0, 2.0, 3.0], [4.0]], ["up", "down"])
        >>> read.lengths.tolist(), read.labels.tolist()
        ([3, 1], ['up', 'down'])
    """
    return _read(source, columns, known).with_labels(labels)


def _read(source: Any, columns: SequenceColumns | None, known: Collection[str] | None) -> Sequences:
    if isinstance(source, Sequences):
        return source
    if isinstance(source, str | Path):
        return _read_path(Path(source), columns, known)
    if is_frame(source):
        table = from_frame(source)
        if len(table.types) == 1:
            return _column(table)
        return from_table(table, columns)
    if columns is not None and columns != SequenceColumns():
        raise InputError("arrays have no columns to name; hand over a frame or a file instead")
    return from_arrays(source)


def _read_path(
    path: Path, columns: SequenceColumns | None, known: Collection[str] | None
) -> Sequences:
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in _TABLES:
        return from_table(read_file(path), columns)
    if kind == ".ts":
        return read_ts(path)
    if kind in FASTA:
        return read_fasta(path)
    return read_labelled_lines(path, known)


def _column(table: Table) -> Sequences:
    """Read a frame's one column of texts."""
    (name,) = table.types
    if table.types[name] != "text":
        raise InputError(
            f"column {name!r} holds {table.types[name]}s, one for each row, and no sequences; hand "
            "over a long frame with columns series, time and label, or a column of texts"
        )
    return from_table(table, SequenceColumns(text=name))


def answer(sequences: Sequences, columns: dict[str, np.ndarray]) -> Any:
    """Give answers, one row per sequence, in the kind that the sequences came in.

    Args:
        sequences: The question.
        columns: Name to values [sequences]; the first alone is the answer to arrays.
    """
    if sequences.kind in ("array", "list"):
        return next(iter(columns.values()))
    names = np.array([*sequences.names, None], dtype=object)[:-1]
    if all(isinstance(n, int) for n in sequences.names):
        names = names.astype(np.int64)
    head = {sequences.columns.get("series", "series"): names}
    if sequences.texts is not None and sequences.kind != "fasta":
        head = {} if "series" not in sequences.columns else head
        head[sequences.columns.get("text", "text")] = np.array(
            [*sequences.texts, None], dtype=object
        )[:-1]
    table = head | columns
    if sequences.kind == "pandas":
        import pandas

        return pandas.DataFrame(table)
    if sequences.kind == "polars":
        import polars

        return polars.DataFrame({k: v.tolist() for k, v in table.items()})
    if sequences.kind == "pyarrow":
        import pyarrow

        return pyarrow.table({k: v.tolist() for k, v in table.items()})
    return table
