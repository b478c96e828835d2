"""Many series on one regular clock: what every table and array of series is turned into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@dataclass(frozen=True)
class Panel:
    """Series of different lengths and starts, each on the regular grid of one frequency.

    Args:
        names: One per series, in order of appearance, as the user wrote them.
        values: The target per series, float64 [steps], NaN where missing. Ends at the last
            observed target: steps for which only covariates are known lie beyond it.
        starts: Stamp of each series' first step, datetime64[ns] [series], or int64 steps
            where the input has no stamps.
        freq: The clock as a pandas-like alias with a multiple ("h", "15min", "D", "W-SUN",
            "MS", "ME", "QS-OCT", "YS", "30s"), or None for plain step numbers.
        past: Column to one array per series, [steps]: known up to now only.
        future: Column to one array per series, [steps + ahead]: known ahead, too.
        static: Column to one value per series, an array [series].
            Covariate arrays are float64 (NaN missing) when numeric, object (None missing)
            when categorical.
        timezone: IANA name or offset of the stamps, None when naive; `starts` are then UTC.
        columns: Role to the user's column names ({"series": ..., "time": ..., "target": ...}),
            so that answers carry the same names.
        kind: Where it came from: "pandas", "polars", "pyarrow", "array", "csv" or "parquet".
        notes: What was guessed, filled, snapped or dropped, a sentence each.
    """

    names: tuple[Any, ...]
    values: tuple[np.ndarray, ...]
    starts: np.ndarray
    freq: str | None = None
    past: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    future: Mapping[str, tuple[np.ndarray, ...]] = field(default_factory=dict)
    static: Mapping[str, np.ndarray] = field(default_factory=dict)
    timezone: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kind: str = "array"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of series."""
        return len(self.values)
