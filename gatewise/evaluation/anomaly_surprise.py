"""How improbable a score is after those before it: what makes a spike of any detector an alarm.

Scores of different series have different units and noise; their tail probability under a normal
distribution of the past has not, and needs no labels. It is the anomaly likelihood of Ahmad et
al. 2017, https://doi.org/10.1016/j.neucom.2017.04.070, on the scores as they are. One event
then is one alarm: as long as a score is no higher than lately it is no news.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import InputError

MEMORY = 8640
"""Steps of the past; what the authors take (30 days of five minutes)."""

LEAST_SPREAD = 1e-3
"""Least deviation, in the mean size of the scores: a score that stood still may move a little."""

LEAST = 1e-300
"""Least probability that is told from another."""


def surprise(scores: Any, quiet: int = 1, memory: int = MEMORY) -> np.ndarray:
    """Minus the decimal logarithm of a score's tail probability, given the scores before it.

    Causal. A score that is missing, or that no score came before, is no surprise (0).

    Args:
        scores: Higher is stranger, [steps]; NaN where missing.
        quiet: Steps in which only a higher surprise is told again; 1 tells all, and the
            horizon suits an error over several steps, which stays high for as long.
        memory: Steps of the past that mean and deviation are taken over.

    Raises:
        InputError: The scores are not [steps], or a number is not positive.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=1000)
        >>> noise[700] = 7.0
        >>> int(surprise(noise).argmax())
        700
    """
    values = np.asarray(scores, dtype=float)
    if values.ndim != 1:
        raise InputError(f"scores has shape {values.shape}; it is [steps]")
    for name, number in (("quiet", quiet), ("memory", memory)):
        if number < 1:
            raise InputError(f"{name} is {number}; it is a number of steps, 1 or more")
    tail = -np.log10(np.maximum(_tail(_apart(values, memory)), LEAST))
    return tail if quiet == 1 else _news(tail, quiet)


def _apart(values: np.ndarray, memory: int) -> np.ndarray:
    """Deviations of each score from the mean of those before it; -inf where there is none."""
    seen = np.isfinite(values)
    # A constant taken off changes nothing but keeps the running sums exact.
    moved = np.where(seen, values - (values[seen.argmax()] if seen.any() else 0.0), 0.0)
    size = np.where(seen, np.abs(values), 0.0)
    ends = np.arange(len(values))
    starts = np.maximum(ends - memory, 0)
    count, one, two, sizes = (
        sums[ends] - sums[starts]
        for sums in (np.r_[0.0, np.cumsum(v)] for v in (seen, moved, moved**2, size))
    )
    known = np.maximum(count, 1)
    mean = one / known
    spread = np.sqrt(np.maximum(two / known - mean**2, 0))
    z = (moved - mean) / np.maximum(spread, LEAST_SPREAD * sizes / known + 1e-12)
    return np.where(seen & (count > 1), z, -np.inf)


def _tail(z: np.ndarray) -> np.ndarray:
    """Probability of a normal variable above z, [steps]."""
    return np.array([0.5 * math.erfc(v / math.sqrt(2)) if v > -30 else 1.0 for v in z])


def _news(values: np.ndarray, quiet: int) -> np.ndarray:
    """Keep what is higher than all of so many steps before it, and put 0 elsewhere."""
    padded = np.concatenate([np.full(quiet, -np.inf), values])
    before = np.lib.stride_tricks.sliding_window_view(padded, quiet)[: len(values)].max(axis=1)
    return np.where(values > before, values, 0.0)
