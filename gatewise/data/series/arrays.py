"""Arrays without stamps to a panel on a clock of plain steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.numbers import series_of_numbers
from ..time.clock import Clock
from .panel import Panel


def from_arrays(source: Any, freq: str | None = None) -> Panel:
    """Take arrays as series.

    Args:
        source: [steps], [series, steps], list of [steps], or name to [steps].
        freq: The clock that the steps are on, for its seasons; stamps stay step numbers.

    Raises:
        InputError: It is nothing of the kind.
    """
    freq = Clock.parse(freq).name
    if isinstance(source, Mapping):
        names = tuple(source)
        rows = [source[name] for name in names]
    else:
        rows = _rows(source)
        names = tuple(range(len(rows)))
    if not rows:
        raise InputError("there is no series in the data; hand over at least one array")
    values = tuple(_values(row, name) for row, name in zip(rows, names, strict=True))
    columns = {"series": "series", "time": "time", "target": "target"}
    return Panel(names, values, np.zeros(len(values), np.int64), freq, columns=columns)


def _rows(source: Any) -> list[Any]:
    if isinstance(source, (list, tuple)):
        nested = [np.ndim(row) for row in source]
        return list(source) if any(nested) or not nested else [source]
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype == object or array.dtype.kind in "USMm" or array.ndim not in (1, 2):
        shape = f" and shape {array.shape}" if array.ndim else ""
        raise InputError(
            f"source, of type {type(source).__name__}{shape}, is no data set; hand over a frame, "
            "a path, an array [steps] or [series, steps], a list of arrays or a dict of arrays"
        )
    return [array] if array.ndim == 1 else list(array)


def _values(row: Any, name: Any) -> np.ndarray:
    array = series_of_numbers(row, name)
    if array.ndim != 1:
        raise InputError(
            f"series {name!r} has shape {array.shape}; each series is one array [steps]"
        )
    seen = np.flatnonzero(~np.isnan(array))
    return array[: seen[-1] + 1] if len(seen) else array
