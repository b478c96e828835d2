"""Numbers as people write them, 1,5 or 1,234.5 or with a blank before; series of numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...errors import InputError

MOST = 1e100
"""Largest magnitude of a value of a series: squares and sums of such stay finite."""

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


def read_numbers(cells: np.ndarray, delimiter: str) -> tuple[np.ndarray, str] | None:
    """Read a column of text as numbers if every cell is one.

    Args:
        cells: str or None, object [rows].
        delimiter: What parts the file's cells: where it is a comma, one within a cell parts
            thousands, and elsewhere it is the decimal sign.

    Returns:
        float64 [rows] and what was read ("" for plain numbers), or None.

    Example:
        >>> read_numbers(np.array(["1,5", None, "2"], object), ";")
        (array([1.5, nan, 2. ]), 'decimal commas')
        >>> read_numbers(np.array(["1,500", " 2"], object), ",")
        (array([1500.,    2.]), 'commas between thousands')
    """
    first = next((str(c) for c in cells if c is not None), "")
    if not re.match(r"\s*[+-]?[\d.]", first):
        return None  # a column of names is seen to be one at its first cell
    texts = [None if c is None else str(c).strip() for c in cells]
    said = ""
    if any("," in t for t in texts if t):
        if delimiter == ",":
            said = "commas between thousands"
            if not all(_THOUSANDS.fullmatch(t) for t in texts if t and "," in t):
                return None
            texts = [t and t.replace(",", "") for t in texts]
        else:
            said = "decimal commas"
            texts = [
                t and t.replace(".", "").replace(",", ".") if "," in (t or "") else t for t in texts
            ]
    try:
        return np.array([float(t) if t else np.nan for t in texts]), said
    except ValueError:
        return None


def series_of_numbers(row: Any, name: Any) -> np.ndarray:
    """Take what was handed over as a series as an array, float64 of whatever shape.

    Raises:
        InputError: Something in it is no number.

    Example:
        >>> series_of_numbers([1, None], "pump")
        array([ 1., nan])
    """
    try:
        return np.asarray(row, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"series {name!r} does not hold numbers only; use NaN for missing"
        ) from None


def first_odd_cell(cells: np.ndarray) -> int | None:
    """Find the first cell that is no number in a column where most are; None where few are.

    Example:
        >>> first_odd_cell(np.array(["1", "2", "two", "3"], object))
        2
    """
    odd = [i for i, cell in enumerate(cells) if cell is not None and not _is_number(cell)]
    return odd[0] if odd and len(odd) < len(cells) / 2 else None


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True
