"""Arrays, lists of arrays and lists of texts to sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import InputError
from .sequences import Sequences

_FORMS = (
    "hand over an array [sequences, steps, channels] or [sequences, steps], a list of arrays "
    "[steps, channels] or [steps], a list of texts, a frame or a path"
)


def from_arrays(source: Any) -> Sequences:
    """Take arrays or texts as sequences, numbered from 0 or called by their keys.

    Steps at the end at which every channel is NaN are padding, and are cut off.

    Args:
        source: [sequences, steps, channels], [sequences, steps], a list of [steps, channels] or
            [steps] of any lengths, a list or an array of texts, or name to one of these.

    Raises:
        InputError: It is nothing of the kind.
    """
    kind = "array" if isinstance(source, np.ndarray) else "list"
    names: tuple[Any, ...] | None = None
    if isinstance(source, Mapping):
        names, source = tuple(source), list(source.values())
    rows = _rows(source)
    names = names or tuple(range(len(rows)))
    if not rows:
        raise InputError("there is no sequence in the data; hand over at least one")
    if any(isinstance(row, str) for row in rows):
        odd = next((i for i, row in enumerate(rows) if not isinstance(row, str)), None)
        if odd is not None:
            raise InputError(f"sequence {names[odd]} is no text, and others are; give one kind")
        return Sequences(None, names, texts=tuple(map(str, rows)), kind=kind)
    arrays = [_values(row, name) for row, name in zip(rows, names, strict=True)]
    if kind == "array":
        arrays = [_without_padding(a) for a in arrays]
    width = arrays[0].shape[1]
    channels = ("value",) if width == 1 else tuple(f"channel{i}" for i in range(width))
    return Sequences(tuple(arrays), names, channels, kind=kind)


def _rows(source: Any) -> list[Any]:
    if isinstance(source, str | bytes):
        raise InputError(f"{source!r} is one text; {_FORMS}")
    if isinstance(source, list | tuple):
        if source and all(np.ndim(row) == 0 and not isinstance(row, str) for row in source):
            raise InputError(
                f"a list of {type(source[0]).__name__} is no list of sequences; {_FORMS}"
            )
        return list(source)
    try:
        array = np.asarray(source)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    texts = array.dtype.kind in "UO" and array.ndim == 1
    if texts or (array.ndim in (2, 3) and array.dtype.kind in "biuf"):
        return list(array)
    shape = f" and shape {array.shape}" if array.ndim else ""
    raise InputError(
        f"source, of type {type(source).__name__}{shape}, holds no sequences; {_FORMS}"
    )


def _values(row: Any, name: Any) -> np.ndarray:
    try:
        array = np.asarray(row, dtype=np.float32)
    except (TypeError, ValueError):
        raise InputError(
            f"sequence {name!r} does not hold numbers only; use NaN for missing"
        ) from None
    if array.ndim not in (1, 2):
        raise InputError(
            f"sequence {name!r} has shape {array.shape}; each is one array [steps, channels] or "
            "[steps]"
        )
    return array[:, None] if array.ndim == 1 else array


def _without_padding(array: np.ndarray) -> np.ndarray:
    real = np.flatnonzero(~np.isnan(array).all(1))
    return array[: real[-1] + 1] if len(real) else array
