"""Scores averaged over the steps before them: how far is chosen without labels.

An anomaly lasts while a score jumps about; a moving average makes up for it and is what lifts a
one-step error above the level of a baseline (docs/log.md). The width is half a season, so that no
time of day outweighs another for long, and is the same for every score that is compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError


def smoothing_window(season: int) -> int:
    """Steps to average over: half a season, rounded up; 1, which changes nothing, without one.

    Args:
        season: Steps of the shortest season, such as a day; 1 for none.

    Raises:
        InputError: The season is not a positive number.

    Example:
        >>> smoothing_window(288), smoothing_window(1)
        (144, 1)
    """
    if season < 1:
        raise InputError(f"season is {season}; it is a number of steps, 1 or more")
    return (season + 1) // 2


def smooth(scores: Any, window: int) -> np.ndarray:
    """Mean of each score and those before it, so many in all; causal.

    Args:
        scores: [steps]; NaN is left out of the means.
        window: Steps; fewer at the start, where there are fewer.

    Raises:
        InputError: The scores are not [steps], or the window is not a positive number.

    Example:
        >>> smooth([0.0, 2.0, 4.0, 6.0], window=2)
        array([0., 1., 3., 5.])
    """
    values = np.asarray(scores, dtype=float)
    if values.ndim != 1:
        raise InputError(f"scores has shape {values.shape}; it is [steps]")
    if window < 1:
        raise InputError(f"window is {window}; it is a number of steps, 1 or more")
    if window == 1:
        return values.copy()
    seen = ~np.isnan(values)
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    total, count = (np.r_[0.0, np.cumsum(v)] for v in (np.where(seen, values, 0.0), seen))
    within = count[ends] - count[starts]
    mean = (total[ends] - total[starts]) / np.maximum(within, 1)
    return np.where(within > 0, mean, np.nan)
