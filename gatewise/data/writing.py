"""Tables to files, whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .._optional import need
from ..errors import InputError


def write_table(table: Any, path: str | Path) -> None:
    """Write columns or a frame as CSV or Parquet, by the path's suffix.

    The file appears under its name when it is complete, and not at all where the disk is full.

    Args:
        table: Column name to values, or a pandas, polars or pyarrow frame.
        path: Ends in `.csv`, `.tsv` or `.parquet`.

    Raises:
        InputError: The suffix is another, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_table({"series": ["a"], "forecast": [1.5]}, Path(folder) / "out.csv")
        ...     print((Path(folder) / "out.csv").read_text().strip())
        series,forecast
        a,1.5
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv", ".parquet", ".pq"):
        raise InputError(f"{path} ends in neither .csv, .tsv nor .parquet; choose one of them")
    columns = _columns(table)
    if suffix in (".csv", ".tsv"):
        _write_whole(path, lambda file: _csv(columns, file, "\t" if suffix == ".tsv" else ","))
    else:
        parquet = need("pyarrow.parquet", "parquet")
        frame = need("pyarrow", "parquet").table({n: _for_arrow(v) for n, v in columns.items()})
        _write_whole(path, lambda file: parquet.write_table(frame, file))


def _columns(table: Any) -> Mapping[str, Any]:
    if isinstance(table, Mapping):
        return {name: np.asarray(values) for name, values in table.items()}
    import narwhals as nw

    frame = nw.from_native(table, eager_only=True)
    return {name: np.asarray(frame[name].to_numpy()) for name in frame.columns}


def _for_arrow(values: np.ndarray) -> Any:
    return values.tolist() if values.dtype == object else values


def _cells(values: np.ndarray) -> list[Any]:
    if values.dtype.kind == "M":
        days = (values == values.astype("M8[D]")).all()
        fine = not days and (values != values.astype("M8[s]")).any()
        text = np.datetime_as_string(values, unit="D" if days else "ns" if fine else "s")
        return np.char.replace(text, "T", " ").tolist()
    if values.dtype.kind == "f":
        return ["" if v != v else v for v in values.tolist()]
    return values.tolist()


def _csv(columns: Mapping[str, np.ndarray], file: BinaryIO, delimiter: str) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    text.detach()  # flushes, and leaves the file to its owner


def _write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write beside the path, then take its name; leave nothing behind on any failure."""
    scratch = None
    try:
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)
        os.replace(scratch, path)
        scratch = None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if scratch is not None:
            with contextlib.suppress(OSError):
                os.unlink(scratch)
