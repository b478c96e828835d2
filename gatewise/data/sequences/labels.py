"""Labels in any form to one array, a label per sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..files.frames import Table, from_frame, is_frame, is_table

NAMES = ("label", "labels", "class", "target", "y", "category", "outcome")
"""What a column of labels is called, best first."""

_KEYS = ("series", "name", "id", "sequence")


def labels_of(given: Any, names: Sequence[Any]) -> np.ndarray:
    """Give the sequences' labels in their order.

    Args:
        given: One label each, in order; name to label; a frame or a file with a column of names
            and one of labels, or with one column of labels in order.
        names: What the sequences are called.

    Returns:
        Object or float64 [sequences].

    Raises:
        InputError: They are not one for each.
    """
    if isinstance(given, Mapping):
        return _by_name(given, names)
    if is_table(given):
        from ..files.tables import read_file

        table = from_frame(given) if is_frame(given) else read_file(given)
        given = _from_table(table, names)
        if isinstance(given, Mapping):
            return _by_name(given, names)
    array = given if isinstance(given, np.ndarray) else _array(given)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or len(array) != len(names):
        raise InputError(
            f"y has shape {array.shape} for {len(names)} sequences; give one label for each"
        )
    return plain(array)


def plain(array: np.ndarray) -> np.ndarray:
    """Numbers as float64, all else as objects, None where a label is missing."""
    if array.dtype.kind in "biuf":
        return array.astype(np.float64) if array.dtype.kind == "f" else array.astype(object)
    missing = [v is None or v != v or (isinstance(v, str) and not v.strip()) for v in array]
    found = np.array([*array.tolist(), None], dtype=object)[:-1]
    found[np.array(missing, dtype=bool)] = None
    return found


def _array(given: Any) -> np.ndarray:
    array = np.asarray(given)
    # NumPy turns [1, "a"] into texts; the labels stay what they are.
    return np.array([*given, None], dtype=object)[:-1] if array.dtype.kind in "US" else array


def _by_name(given: Mapping[Any, Any], names: Sequence[Any]) -> np.ndarray:
    found = {str(key): value for key, value in given.items()}
    missing = next((name for name in names if str(name) not in found), None)
    if missing is not None:
        raise InputError(
            f"there is no label for sequence {missing!r} in y; add it or drop the sequence"
        )
    return plain(np.array([*(found[str(n)] for n in names), None], dtype=object)[:-1])


def _from_table(table: Table, names: Sequence[Any]) -> Any:
    columns = list(table.types)
    lower = {column.lower(): column for column in columns}
    label = next((lower[n] for n in NAMES if n in lower), columns[-1])
    if len(columns) == 1:
        return table.load(label)
    key = next((lower[n] for n in _KEYS if n in lower), None)
    if key is None:
        key = next(column for column in columns if column != label)
    keys = table.load(key).tolist()
    return dict(zip(keys, table.load(label).tolist(), strict=True))
