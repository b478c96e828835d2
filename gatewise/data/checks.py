"""What no series may hold, whatever it was read from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import InputError
from .panel import Panel


def check_series(panel: Panel) -> Panel:
    """Refuse infinite values and empty series, and note constant ones.

    Raises:
        InputError: A value is infinite, a series has no value, or every series is constant.
    """
    target = panel.columns.get("target", "target")
    constant = []
    for i, (name, values) in enumerate(zip(panel.names, panel.values, strict=True)):
        seen = values[~np.isnan(values)]
        if not len(seen):
            raise InputError(f"series {name!r} has no value at all; drop it or fill it")
        if np.isinf(seen).any():
            _refuse_infinite(panel, i, target, values)
        if len(seen) > 1 and (seen == seen[0]).all():
            constant.append(name)
    for columns in (panel.past, panel.future):
        for column, arrays in columns.items():
            for i, array in enumerate(arrays):
                if array.dtype != object and np.isinf(array).any():
                    _refuse_infinite(panel, i, column, array)
    for column, array in panel.static.items():
        if array.dtype != object and np.isinf(array).any():
            where = panel.names[int(np.flatnonzero(np.isinf(array))[0])]
            raise InputError(
                f"static column {column!r} is infinite for series {where!r}; correct it"
            )
    if len(constant) == len(panel):
        many = (
            f"all {len(constant)} series are" if len(constant) > 1 else f"series {constant[0]!r} is"
        )
        raise InputError(f"{many} constant: there is nothing to learn; check the target column")
    if not constant:
        return panel
    shown = ", ".join(map(repr, constant[:5])) + (", ..." if len(constant) > 5 else "")
    return replace(panel, notes=(*panel.notes, f"{len(constant)} constant series: {shown}"))


def _refuse_infinite(panel: Panel, series: int, column: str, values: np.ndarray) -> None:
    step = int(np.flatnonzero(np.isinf(values))[0])
    stamp = panel.stamps(series, step, 1)[0]
    shown = f"step {stamp}" if panel.starts.dtype.kind != "M" else str(stamp.astype("M8[s]"))
    raise InputError(
        f"series {panel.names[series]!r}, column {column!r}, {shown.replace('T', ' ')}: the value "
        "is infinite; correct it or leave it empty"
    )
