"""Histories of different lengths in one array, ends aligned."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError


def right_aligned(series: Any) -> np.ndarray:
    """Put series into one float64 array [series, steps], NaN before each one's start.

    Args:
        series: A `Panel`, [series, steps] with NaN where missing, or a list of [steps].

    Example:
        >>> right_aligned([[1.0, 2.0], [3.0]])
        array([[ 1.,  2.],
               [nan,  3.]])
    """
    rows = getattr(series, "values", series)
    if isinstance(rows, np.ndarray) and rows.dtype != object:
        if rows.ndim != 2:
            raise InputError(f"the history has shape {rows.shape}; it is [series, steps]")
        return rows.astype(float)
    rows = [np.asarray(row, dtype=float) for row in rows]
    if any(row.ndim != 1 for row in rows) or not rows:
        raise InputError("the history is not a list of series, one array [steps] each")
    out = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in zip(out, rows, strict=True):
        place[len(place) - len(row) :] = row
    return out
