"""CSV and Parquet files to tables, with whatever reader is installed."""

from __future__ import annotations

import gzip
import importlib.util
import io
import zlib
from pathlib import Path
from typing import Any

from ..._optional import need
from ...errors import InputError, nearest
from .csv_table import read_csv
from .frames import Table, from_frame

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
    return read_csv(path, data)


def missing(path: Path) -> InputError:
    """Say that there is no such file, and offer the nearest name beside it."""
    folder = path.parent if path.parent.is_dir() else None
    others = [p.name for p in folder.iterdir()] if folder else []
    close = nearest(path.name, others) if others else ""
    hint = close if close.startswith("did you mean") else "check the path"
    return InputError(f"there is no file {path}; {hint}")


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name a file in it") from None
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
