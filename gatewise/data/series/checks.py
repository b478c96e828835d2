"""What no series may hold, whatever it was read from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import InputError
from ..files.numbers import MOST
from .panel import Panel


def check_series(panel: Panel) -> Panel:
    """Refuse infinite and absurd values and empty series, and note constant ones.

    Raises:
        InputError: A value is infinite or beyond `MOST`, a series has no value, or every series
            is constant.
    """
    target = panel.columns.get("target", "target")
    constant = []
    for i, (name, values) in enumerate(zip(panel.names, panel.values, strict=True)):
        seen = values[~np.isnan(values)]
        if not len(seen):
            raise InputError(f"series {name!r} has no value at all; drop it or fill it")
        if (np.abs(seen) > MOST).any():
            _refuse_extreme(panel, i, target, values)
        if len(seen) > 1 and (seen == seen[0]).all():
            constant.append(name)
    for columns in (panel.past, panel.future):
        for column, arrays in columns.items():
            for i, array in enumerate(arrays):
                if array.dtype != object and (np.abs(array) > MOST).any():
                    _refuse_extreme(panel, i, column, array)
    for column, array in panel.static.items():
        if array.dtype != object and (np.abs(array) > MOST).any():
            where = panel.names[int(np.flatnonzero(np.abs(array) > MOST)[0])]
            raise InputError(
                f"static column {column!r} is infinite or beyond {MOST:g} for series {where!r}; "
                "correct it"
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


def _refuse_extreme(panel: Panel, series: int, column: str, values: np.ndarray) -> None:
    step = int(np.flatnonzero(np.abs(values) > MOST)[0])
    value = "infinite" if np.isinf(values[step]) else f"{values[step]:g}, which is beyond {MOST:g}"
    raise InputError(
        f"series {panel.names[series]!r}, column {column!r}, {panel.said(series, step)}: the value "
        f"is {value}; correct it or leave it empty"
    )
