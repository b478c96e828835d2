"""CSV text to tables, the same with every reader that may be installed and with none."""

from __future__ import annotations

import csv
import importlib.util
import io
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import InputError
from .frames import Table, from_frame
from .numbers import read_numbers

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None")


def read_csv(path: Path, data: bytes) -> Table:
    """Read the bytes of a CSV file; the sign that parts cells is found from the header.

    Raises:
        InputError: It is not UTF-8, has no rows or no header, or rows of different widths.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is UTF-16 (byte 0 is {data[:1]!r}); save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 (byte {error.start} is 0x{data[error.start]:02x}); save it so"
        ) from None
    header = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    delimiter = delimiter_of(header)
    names = [n.strip() for n in next(csv.reader([header], delimiter=delimiter))]
    if all(_is_value(name) for name in names):
        raise InputError(
            f"{path} starts with values ({', '.join(names[:3])}) and not with column names; add a "
            "first row of names, series,time,target for instance"
        )
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise InputError(f"{path} has two columns called {twice!r}; rename one")
    table = _csv_table(path, data, text, delimiter)
    if not table.rows:
        raise InputError(f"{path} has a header and no rows; add some")
    return _clean(table, delimiter)


def delimiter_of(header: str) -> str:
    """The sign that parts cells, by a table's first line."""
    return max(",;\t|", key=header.count)


def _is_value(cell: str) -> bool:
    if re.fullmatch(r"\d{4}-\d\d-\d\d.*", cell):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _csv_table(path: Path, data: bytes, text: str, delimiter: str) -> Table:
    """Read with the first library that is there; all treat cells alike, and dates as text."""
    if importlib.util.find_spec("pyarrow"):
        return _with_pyarrow(path, data, delimiter)
    if importlib.util.find_spec("polars"):
        return _with_polars(path, data, delimiter)
    if importlib.util.find_spec("pandas"):
        return _with_pandas(path, data, delimiter)
    return _with_csv(path, text, delimiter)


def _with_polars(path: Path, data: bytes, delimiter: str) -> Table:
    import polars

    try:
        frame = polars.read_csv(
            data, separator=delimiter, null_values=list(MISSING), infer_schema_length=None
        )
    except polars.exceptions.PolarsError as error:
        raise _no_table(path, error) from None
    return from_frame(frame, "csv")


def _with_pyarrow(path: Path, data: bytes, delimiter: str) -> Table:
    import pyarrow
    import pyarrow.csv

    convert = pyarrow.csv.ConvertOptions(
        null_values=list(MISSING), strings_can_be_null=True, timestamp_parsers=["no dates"]
    )
    parse = pyarrow.csv.ParseOptions(delimiter=delimiter)
    # One block: types are inferred from all rows.
    read = pyarrow.csv.ReadOptions(block_size=max(len(data), 1) + 1)
    try:
        frame = pyarrow.csv.read_csv(io.BytesIO(data), read, parse, convert)
    except pyarrow.ArrowInvalid as error:
        raise _no_table(path, error) from None
    return from_frame(frame, "csv")


def _with_pandas(path: Path, data: bytes, delimiter: str) -> Table:
    import pandas

    try:
        with warnings.catch_warnings():
            # Rows that are too long are cut with no more than this warning.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            frame = pandas.read_csv(
                io.BytesIO(data),
                sep=delimiter,
                na_values=list(MISSING),
                keep_default_na=False,
                index_col=False,
                low_memory=False,
            )
    except (pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
        raise _no_table(path, error) from None
    return from_frame(frame, "csv")


def _with_csv(path: Path, text: str, delimiter: str) -> Table:
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    names, body = rows[0], rows[1:]
    widths = np.fromiter(map(len, body), np.int64, len(body))
    if (widths > len(names)).any():
        long = int(np.argmax(widths > len(names)))
        raise InputError(
            f"{path}, row {long + 1}: {len(body[long])} cells under {len(names)} column names; "
            "correct the row"
        )
    for short in np.flatnonzero(widths < len(names)):
        body[short] += [""] * (len(names) - len(body[short]))
    cells = dict(zip(names, zip(*body, strict=True), strict=True)) if body else {}
    missing = frozenset(MISSING)
    arrays, types = {}, {}
    for name in names:
        column = [None if c in missing else c for c in cells.get(name, ())]
        types[name], arrays[name] = _typed(column)
    return Table("csv", len(body), types, arrays.__getitem__)


def _typed(cells: list[str | None]) -> tuple[str, np.ndarray]:
    try:
        if None not in cells:
            return "number", np.array([int(c) for c in cells if c is not None], dtype=np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return "number", np.array([np.nan if c is None else float(c) for c in cells], dtype=float)
    except ValueError:
        return "text", np.array(cells, dtype=object)


def _no_table(path: Path, error: Exception) -> InputError:
    said = str(error).strip().splitlines()[0].rstrip(".")
    return InputError(f"{path} cannot be read as a table ({said}); correct the file")


def _clean(table: Table, delimiter: str) -> Table:
    """Strip blanks off names, and read text that is numbers in another writing."""
    names = {name.strip(): name for name in table.types}
    types = {name: table.types[raw] for name, raw in names.items()}
    numbers: dict[str, np.ndarray] = {}
    notes: dict[str, list[str]] = {}
    for name in [n for n, kind in types.items() if kind == "text"]:
        if found := read_numbers(table.load(names[name]), delimiter):
            numbers[name], said = found
            types[name] = "number"
            notes.setdefault(said, []).append(repr(name))

    def load(name: str) -> np.ndarray:
        return numbers[name] if name in numbers else table.load(names[name])

    said = tuple(f"{what} were read in {', '.join(where)}" for what, where in notes.items() if what)
    return replace(table, types=types, load=load, notes=said)
