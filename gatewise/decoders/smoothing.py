"""An exponential moving average that holds still where nothing was seen."""

from __future__ import annotations

import numpy as np

BLOCK = 128
"""Steps that one matrix product takes at once."""


def share_of(span: int) -> float:
    """Weight of the newest value in an average whose mean age is that of a plain one over `span`.

    Example:
        >>> share_of(1), share_of(9)
        (1.0, 0.2)
    """
    return 2.0 / (span + 1)


def smooth(values: np.ndarray, span: int, start: np.ndarray) -> np.ndarray:
    """Smooth each channel: s += share * (value - s), and s where a value is NaN.

    Args:
        values: float64 [steps, channels].
        span: Steps.
        start: Average before the first step, [channels].

    Example:
        >>> smooth(np.array([[2.0], [np.nan], [4.0]]), 3, np.zeros(1)).ravel()
        array([1. , 1. , 2.5])
    """
    out = np.empty_like(values)
    for k, column in enumerate(values.T):
        seen = ~np.isnan(column)
        known = _smooth_one(column[seen], share_of(span), float(start[k]))
        out[:, k] = np.concatenate([start[k : k + 1], known])[np.cumsum(seen)]
    return out


def _smooth_one(values: np.ndarray, share: float, start: float) -> np.ndarray:
    steps = len(values)
    blocks = np.pad(values, (0, -steps % BLOCK)).reshape(-1, BLOCK)
    age = np.arange(BLOCK)[:, None] - np.arange(BLOCK)
    weights = np.where(age >= 0, share * (1 - share) ** np.maximum(age, 0), 0.0)
    within = blocks @ weights.T
    fade = (1 - share) ** np.arange(1, BLOCK + 1)
    for block in within:
        block += fade * start
        start = block[-1]
    return within.reshape(-1)[:steps]
