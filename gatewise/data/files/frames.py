"""Any frame to columns of NumPy arrays: the one place that knows the frame libraries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError


@dataclass(frozen=True)
class Table:
    """Columns by name, turned into arrays when they are asked for.

    Args:
        kind: "pandas", "polars", "pyarrow", "csv" or "parquet".
        rows: How many.
        types: Column to "number", "stamp", "text" or "other", in order.
        load: Column to its array: float64 or int64 of numbers, datetime64[ns] (UTC where there
            is a zone, NaT missing) of stamps, object of text (None missing).
        zones: Time zone of stamp columns that have one.
        units: "date", "s", "ms", "us" or "ns" of stamp columns.
        notes: What was guessed in reading.
    """

    kind: str
    rows: int
    types: Mapping[str, str]
    load: Callable[[str], np.ndarray]
    zones: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of_type(self, *types: str) -> list[str]:
        """Names of the columns of these types, in order."""
        return [name for name, kind in self.types.items() if kind in types]


def is_frame(source: Any) -> bool:
    """Whether `source` is a frame or a Series of a library, found without importing one."""
    if isinstance(source, (np.ndarray, list, tuple, Mapping)):
        return False
    if _is_pandas(source):
        return True
    import narwhals as nw

    kind = (nw.DataFrame, nw.LazyFrame, nw.Series)
    return isinstance(nw.from_native(source, pass_through=True, allow_series=True), kind)


def is_table(source: Any) -> bool:
    """Whether `source` has columns: a file's path or a frame."""
    return isinstance(source, (str, Path)) or is_frame(source)


def from_frame(source: Any, kind: str | None = None) -> Table:
    """Look at a pandas, polars or pyarrow frame, eager or lazy.

    Args:
        source: The frame, or a pandas or polars Series. An index that is more than row numbers
            becomes a column.
        kind: What to call it; by default the library's name.

    Raises:
        InputError: The library is not one of the three, or two columns share a name.
    """
    import narwhals as nw

    frame: Any = nw.from_native(_with_index(source), allow_series=True)
    if isinstance(frame, nw.Series):
        frame = frame.alias(str(frame.name or "value")).to_frame()
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    library = frame.implementation.name.lower()
    if library not in ("pandas", "polars", "pyarrow"):
        raise InputError(
            f"a {library} frame is not read here; hand over a pandas, polars or pyarrow frame"
        )
    types, zones, units = {}, {}, {}
    for name, dtype in frame.schema.items():
        types[name] = _type(dtype)
        if types[name] == "stamp":
            units[name] = "date" if dtype == nw.Date else dtype.time_unit
            if dtype != nw.Date and dtype.time_zone:
                zones[name] = dtype.time_zone
    table = Table(
        kind or library, len(frame), types, lambda name: _array(frame[name]), zones, units
    )
    return table


def _is_pandas(source: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, (pandas.DataFrame, pandas.Series))


def _with_index(source: Any) -> Any:
    """Turn what pandas keeps beside the columns into columns."""
    if not _is_pandas(source):
        return source
    import pandas

    if isinstance(source, pandas.Series):
        source = source.to_frame("value" if source.name is None else source.name)
    if isinstance(source.columns, pandas.MultiIndex):
        source = source.set_axis(["/".join(map(str, c)) for c in source.columns], axis=1)
    source = source.set_axis([str(c) for c in source.columns], axis=1)
    if not source.columns.is_unique:
        twice = source.columns[source.columns.duplicated()][0]
        raise InputError(f"two columns are called {twice!r}; rename one")
    plain = isinstance(source.index, pandas.RangeIndex) or (
        source.index.nlevels == 1 and source.index.name is None and source.index.dtype.kind in "iu"
    )
    if not plain:
        names = list(source.index.names)
        fallback = {1: ["time"], 2: ["series", "time"]}.get(len(names))
        if fallback:
            names = [n if n is not None else fallback[i] for i, n in enumerate(names)]
        source = source.reset_index(names=names)
    for name, dtype in source.dtypes.items():
        if isinstance(dtype, pandas.PeriodDtype):
            source = source.assign(**{str(name): source[name].dt.to_timestamp()})
    return source


def _type(dtype: Any) -> str:
    import narwhals as nw

    if dtype.is_numeric() or dtype == nw.Boolean:
        return "number"
    if dtype in (nw.Date, nw.Datetime):
        return "stamp"
    if dtype in (nw.String, nw.Categorical, nw.Enum, nw.Object):
        return "text"
    return "other"


def _array(series: Any) -> np.ndarray:
    import narwhals as nw

    kind = _type(series.dtype)
    if kind == "number":
        whole = series.dtype.is_integer() and not series.null_count()
        return series.cast(nw.Int64() if whole else nw.Float64()).to_numpy()
    if kind == "stamp":
        # Microseconds hold the years 1 to 9999, so that one out of range can be seen.
        dtype = series.dtype
        fine = dtype != nw.Date and dtype.time_unit == "ns"
        missing = series.is_null().to_numpy()
        ticks = series.fill_null(series.min()) if missing.any() else series
        time = ticks.dt.timestamp("ns" if fine else "us").to_numpy().astype(np.int64)
        time = time.astype("M8[ns]" if fine else "M8[us]")
        if not fine and len(time):
            years = time[[time.argmin(), time.argmax()]].astype("M8[Y]").astype(int) + 1970
            if years[0] < 1678 or years[1] > 2261:
                raise InputError(
                    f"time column {series.name!r} reaches from {years[0]} to {years[1]}; stamps "
                    "hold the years 1678 to 2261: correct or drop the rows outside"
                )
        time = time.astype("M8[ns]")
        time[missing] = np.datetime64("NaT")
        return time
    values = np.array([None if v is None or v != v else v for v in series.to_list()], dtype=object)
    return values
