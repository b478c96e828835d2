"""Answers in the kind of frame that the question came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from .panel import Panel


def build(panel: Panel, columns: Mapping[str, np.ndarray]) -> Any:
    """Build the answer of `Panel.answer`."""
    shapes = {np.shape(values) for values in columns.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] != len(panel):
        raise InputError(
            f"an answer needs columns of one shape [{len(panel)} series, horizon]; there are "
            + ", ".join(f"{name} {np.shape(values)}" for name, values in columns.items())
        )
    if panel.kind == "array":
        arrays = [np.asarray(values) for values in columns.values()]
        return arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=-1)
    flat = {name: np.asarray(values).reshape(-1) for name, values in columns.items()}
    time = panel.ahead_stamps(shape[1]).reshape(-1)
    names = np.repeat(_labels(panel.names), shape[1])
    series, stamp = panel.columns.get("series", "series"), panel.columns.get("time", "time")
    if panel.kind in ("csv", "parquet"):
        return {series: names, stamp: _for_file(panel, time), **flat}
    make = {"pandas": _pandas, "polars": _polars, "pyarrow": _pyarrow}[panel.kind]
    return make(panel, {series: names}, stamp, time, flat)


def _labels(names: tuple[Any, ...]) -> np.ndarray:
    if all(isinstance(name, int) for name in names):
        return np.array(names, dtype=np.int64)
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    return labels


def _for_file(panel: Panel, time: np.ndarray) -> np.ndarray:
    """Stamps as ISO text with the offset, where there is a zone; step numbers as they are."""
    if time.dtype.kind != "M":
        return time
    if panel.timezone:
        from ..time.stamps import to_wall

        wall = to_wall(time, panel.timezone)
        minutes = (wall - time).astype("m8[m]").astype(int)
        text = np.datetime_as_string(wall, unit="s")
        signs = np.where(minutes < 0, "-", "+")
        pairs = zip(text, signs, np.abs(minutes), strict=True)
        return np.array(
            [f"{t.replace('T', ' ')}{s}{m // 60:02d}:{m % 60:02d}" for t, s, m in pairs], object
        )
    if panel.unit == "date" and (time == time.astype("M8[D]")).all():
        return np.datetime_as_string(time, unit="D").astype(object)
    fine = (time != time.astype("M8[s]")).any()
    text = np.datetime_as_string(time, unit="ns" if fine else "s")
    return np.char.replace(text, "T", " ").astype(object)


def _pandas(panel: Panel, head: dict, stamp: str, time: np.ndarray, rest: dict) -> Any:
    import pandas

    stamps: Any = time
    if time.dtype.kind == "M":
        unit = panel.unit if panel.unit in ("s", "ms", "us", "ns") else "us"
        stamps = pandas.Series(time.astype(f"M8[{unit}]"))
        if panel.timezone:
            stamps = stamps.dt.tz_localize("UTC").dt.tz_convert(panel.timezone)
    names = {name: _plain(values) for name, values in head.items()}
    return pandas.DataFrame({**names, stamp: stamps, **rest})


def _polars(panel: Panel, head: dict, stamp: str, time: np.ndarray, rest: dict) -> Any:
    import polars

    stamps = polars.Series(stamp, time)
    if time.dtype.kind == "M":
        if panel.unit == "date":
            stamps = stamps.cast(polars.Date)
        else:
            unit: Any = panel.unit if panel.unit in ("ms", "us", "ns") else "us"
            stamps = stamps.cast(polars.Datetime(unit))
            if panel.timezone:
                stamps = stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(panel.timezone)
    names = {name: _plain(values) for name, values in head.items()}
    return polars.DataFrame({**names, stamp: stamps, **rest})


def _pyarrow(panel: Panel, head: dict, stamp: str, time: np.ndarray, rest: dict) -> Any:
    import pyarrow

    stamps = pyarrow.array(time)
    if time.dtype.kind == "M":
        kind = pyarrow.timestamp("us" if panel.unit == "date" else panel.unit, panel.timezone)
        stamps = stamps.cast(pyarrow.date32() if panel.unit == "date" else kind)
    names = {name: _plain(values) for name, values in head.items()}
    return pyarrow.table({**names, stamp: stamps, **rest})


def _plain(values: np.ndarray) -> Any:
    return values.tolist() if values.dtype == object else values
