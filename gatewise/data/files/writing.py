"""Tables to files, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._atomic import write_whole
from ..._optional import need
from ...errors import InputError


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
        content = _csv(columns, "\t" if suffix == ".tsv" else ",")
    else:
        content = _parquet(columns)
    try:
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None


def csv_text(table: Any) -> str:
    """Write columns or a frame as the text of a CSV file.

    Example:
        >>> print(csv_text({"series": ["a"], "forecast": [1.5]}).strip())
        series,forecast
        a,1.5
    """
    return _csv(_columns(table), ",").decode()


def _columns(table: Any) -> Mapping[str, np.ndarray]:
    if isinstance(table, Mapping):
        return {name: np.asarray(values) for name, values in table.items()}
    import narwhals as nw

    frame = nw.from_native(table, eager_only=True)
    return {name: np.asarray(frame[name].to_numpy()) for name in frame.columns}


def _cells(values: np.ndarray) -> list[Any]:
    if values.dtype.kind == "M":
        days = (values == values.astype("M8[D]")).all()
        fine = not days and (values != values.astype("M8[s]")).any()
        text = np.datetime_as_string(values, unit="D" if days else "ns" if fine else "s")
        return np.char.replace(text, "T", " ").tolist()
    if values.dtype.kind == "f":
        return ["" if v != v else v for v in values.tolist()]
    return values.tolist()


def _csv(columns: Mapping[str, np.ndarray], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    return text.getvalue().encode()


def _parquet(columns: Mapping[str, np.ndarray]) -> bytes:
    pyarrow, parquet = need("pyarrow", "parquet"), need("pyarrow.parquet", "parquet")
    arrays = {n: v.tolist() if v.dtype == object else v for n, v in columns.items()}
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), file)
    return file.getvalue()
