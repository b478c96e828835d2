"""A hash of data that does not depend on the kind it came in."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def digest(*parts: Any) -> str:
    """Hash values, so that a row of them has the same hash as list, array, tensor or column.

    Numbers of any width are hashed as float64 with one NaN, text as UTF-8, stamps as
    nanoseconds; shape and order count, and a list of rows is not an array of two dimensions.

    Args:
        parts: Arrays, tensors, numbers, texts, None, and sequences or mappings of them.

    Returns:
        64 hexadecimal digits (SHA-256).

    Example:
        >>> digest([1, 2], "a") == digest(np.array([1.0, 2.0], "float32"), "a")
        True
        >>> digest([1, 2]) == digest([2, 1])
        False
    """
    sink = hashlib.sha256()
    for part in parts:
        _feed(sink, part)
    return sink.hexdigest()


def _feed(sink: Any, part: Any) -> None:
    if part is None:
        sink.update(b"n;")
    elif isinstance(part, str | bytes):
        raw = part.encode() if isinstance(part, str) else part
        sink.update(b"t%d;" % len(raw))
        sink.update(raw)
    elif isinstance(part, dict):
        sink.update(b"m%d;" % len(part))
        for name in part:
            _feed(sink, name)
            _feed(sink, part[name])
    elif isinstance(part, list | tuple):
        _feed_sequence(sink, part)
    else:
        _feed_array(sink, part)


def _feed_sequence(sink: Any, part: list[Any] | tuple[Any, ...]) -> None:
    flat = all(isinstance(v, bool | int | float | np.generic) for v in part)
    if flat and part:
        _feed_array(sink, part)
        return
    sink.update(b"s%d;" % len(part))
    for value in part:
        _feed(sink, value)


def _feed_array(sink: Any, part: Any) -> None:
    array = np.asarray(part)
    if array.dtype.kind in "OUS":
        _feed_sequence(sink, array.tolist())
        return
    if array.dtype.kind == "M":
        array = array.astype("datetime64[ns]").astype(np.int64)
    # Whole numbers beyond 2^53 keep their digits; all others are the same as float64.
    exact = array.dtype.kind in "iu" and array.size and _beyond(array)
    array = array.astype(np.int64 if exact else np.float64)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array + 0.0)
    sink.update(b"a%s;" % "x".join(map(str, array.shape)).encode())
    sink.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())


def _beyond(array: np.ndarray) -> bool:
    return int(array.max()) > 2**53 or int(array.min()) < -(2**53)
