"""What is monitored: series of readings of one or more channels, a reading a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digest import digest

if TYPE_CHECKING:
    from ..files.frames import Table


@dataclass(frozen=True)
class Readings:
    """Series of readings in the order of time; a reading is a step, however far from the last.

    Args:
        names: One per series.
        values: [readings, channels] per series, NaN where missing.
        channels: Names of the channels.
        times: Stamps as the clock on the wall shows them (datetime64[ns]) or step numbers
            (int64), [readings] per series; None where the input has none.
        labels: 1 where something is known to be wrong, int64 [readings] per series.
        rows: Place of each reading in the input table, int64 [readings] per series.
        table: The input's columns, of frames and files.
        source: The frame itself.
        kind: "pandas", "polars", "pyarrow", "csv", "parquet", "array", "list" or "dict".
        columns: Role to column ("series", "time", "label").
        notes: What was guessed, a sentence each.
    """

    names: tuple[Any, ...]
    values: tuple[np.ndarray, ...]
    channels: tuple[str, ...]
    times: tuple[np.ndarray, ...] | None = None
    labels: tuple[np.ndarray, ...] | None = None
    rows: tuple[np.ndarray, ...] | None = None
    table: Table | None = None
    source: Any = None
    kind: str = "array"
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of series."""
        return len(self.values)

    def said(self, series: int, step: int) -> str:
        """Name a reading for a sentence: by its stamp, or its number from 1 on."""
        if self.times is None:
            return f"reading {step + 1}"
        stamp = self.times[series][step]
        return str(stamp.astype("M8[s]")).replace("T", " ") if _dated(stamp) else f"step {stamp}"

    def answer(self, columns: Mapping[str, Sequence[np.ndarray]]) -> Any:
        """Put one column or more beside what was read, in the form that it came in.

        Args:
            columns: Name to one array per series, [readings].

        Returns:
            The frame with the columns added; for files a dict of all columns; for arrays an array
            [readings, columns] for each array that came.
        """
        if self.table is None or self.rows is None:
            parts = [np.stack([c[i] for c in columns.values()], -1) for i in range(len(self))]
            if self.kind == "dict":
                return dict(zip(self.names, parts, strict=True))
            return parts if self.kind == "list" else parts[0]
        added = {}
        for name, arrays in columns.items():
            joined = np.concatenate(arrays)
            added[name] = np.empty_like(joined)
            added[name][np.concatenate(self.rows)] = joined
        if self.source is None:
            return {n: self.table.load(n) for n in self.table.types if n not in added} | added
        return _with_columns(self.source, added)

    def hash(self) -> str:
        """A SHA-256 of all that was read."""
        return digest(self.names, self.channels, self.values, self.times)


def _with_columns(source: Any, added: Mapping[str, np.ndarray]) -> Any:
    import narwhals as nw

    frame: Any = nw.from_native(source, allow_series=True)
    if isinstance(frame, nw.Series):
        frame = frame.alias(str(frame.name or "value")).to_frame()
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    columns = [
        nw.new_series(name, values, backend=frame.implementation) for name, values in added.items()
    ]
    return frame.with_columns(*columns).to_native()


def _dated(stamp: Any) -> bool:
    return isinstance(stamp, np.datetime64)
