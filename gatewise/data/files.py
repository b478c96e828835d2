"""CSV and Parquet files to tables, with whatever reader is installed."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .._optional import need
from ..errors import InputError, nearest
from .frames import Table, from_frame

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None")
_CSV = (".csv", ".tsv", ".txt")


def read_file(path: str | Path) -> Table:
    """Read a CSV file (`.csv`, `.tsv`, `.txt`, each also `.gz`) or a Parquet file.

    Raises:
        InputError: The file is missing, cannot be read, is empty or no table.
    """
    path = Path(path)
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    kind = suffixes[-1] if suffixes else ""
    zipped = kind == ".gz"
    kind = suffixes[0] if zipped and len(suffixes) > 1 else kind
    if kind not in (*_CSV, ".parquet", ".pq"):
        raise InputError(f"{path} is neither .csv, .tsv, .csv.gz nor .parquet; save it as one")
    data = _bytes(path)
    if kind in (".parquet", ".pq"):
        return _read_parquet(path, data)
    if zipped:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise InputError(f"{path} is not a whole gzip file; pack it again") from None
    return _read_csv(path, data)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent if path.parent.is_dir() else None
        others = [p.name for p in folder.iterdir()] if folder else []
        close = nearest(path.name, others) if others else ""
        hint = close if close.startswith("did you mean") else "check the path"
        raise InputError(f"there is no file {path}; {hint}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if not data.strip():
        raise InputError(f"{path} is empty; it needs a header and rows")
    return data


def _read_parquet(path: Path, data: bytes) -> Table:
    if importlib.util.find_spec("pyarrow"):
        import pyarrow
        import pyarrow.parquet

        try:
            frame: Any = pyarrow.parquet.read_table(io.BytesIO(data))
        except pyarrow.ArrowInvalid:
            raise InputError(f"{path} is not a Parquet file; save it again") from None
    elif importlib.util.find_spec("polars"):
        import polars

        try:
            frame = polars.read_parquet(io.BytesIO(data))
        except polars.exceptions.PolarsError:
            raise InputError(f"{path} is not a Parquet file; save it again") from None
    else:
        frame = need("pyarrow", "parquet")
    table = from_frame(frame, "parquet")
    if not table.rows:
        raise InputError(f"{path} has no rows")
    return table


def _read_csv(path: Path, data: bytes) -> Table:
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
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([header], delimiter=delimiter))
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise InputError(f"{path} has two columns called {twice!r}; rename one")
    table = _csv_table(path, data, text, delimiter)
    if not table.rows:
        raise InputError(f"{path} has a header and no rows")
    return _with_numbers(table)


def _csv_table(path: Path, data: bytes, text: str, delimiter: str) -> Table:
    """Read with the first library that is there; all treat cells alike, and dates as text."""
    if importlib.util.find_spec("polars"):
        return _with_polars(path, data, delimiter)
    if importlib.util.find_spec("pyarrow"):
        return _with_pyarrow(path, data, delimiter)
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
    long = next((i for i, row in enumerate(body) if len(row) > len(names)), None)
    if long is not None:
        raise InputError(
            f"{path}, row {long + 1}: {len(body[long])} cells under {len(names)} column names; "
            "correct the row"
        )
    body = [row + [""] * (len(names) - len(row)) if len(row) < len(names) else row for row in body]
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


def _with_numbers(table: Table) -> Table:
    """Read text columns like 1,5 as numbers where every cell is one."""
    commas: dict[str, np.ndarray] = {}
    for name in table.of_type("text"):
        cells = table.load(name)
        head = [c for c in cells[:50] if c is not None]
        if not head or not all(str(c).count(",") <= 1 for c in head):
            continue
        try:
            if any("," in str(c) for c in cells if c is not None):
                commas[name] = np.array(
                    [np.nan if c is None else float(str(c).replace(",", ".")) for c in cells]
                )
        except ValueError:
            continue
    if not commas:
        return table
    types = {n: "number" if n in commas else t for n, t in table.types.items()}
    note = f"decimal commas were read in {', '.join(map(repr, commas))}"
    load = lambda name: commas[name] if name in commas else table.load(name)  # noqa: E731
    return Table(table.kind, table.rows, types, load, table.zones, table.units, (note,))
