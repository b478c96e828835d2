"""How improbable a score is after those before it: what makes a spike of any detector an alarm.

Scores of different series have different units and noise; their tail probability under a normal
distribution of the past has not, and needs no labels. It is the anomaly likelihood of Ahmad et
al. 2017, https://doi.org/10.1016/j.neucom.2017.04.070, on the scores as they are. One event
then is one alarm: as long as a score is no higher than lately it is no news.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import InputError

MEMORY = 8640
"""Steps of the past; what the authors take (30 days of five minutes)."""

LEAST_SPREAD = 1e-3
"""Least deviation, in the mean size of the scores: a score that stood still may move a little."""

FAR = 30.0
"""Deviations from which on a series stands for the tail probability, which rounds to 0 soon."""


def surprise(scores: Any, quiet: int = 1, memory: int = MEMORY) -> np.ndarray:
    """Minus the decimal logarithm of a score's tail probability, given the scores before it.

    Causal. A score that is missing, or that no two scores came before, is no surprise (0).

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
    _check(quiet, memory)
    told = np.array([improbability(z) for z in deviations(values, memory).tolist()])
    return told if quiet == 1 else _news(told, quiet)


class Surprises:
    """`surprise` of one score after another, in memory that does not grow.

    Args:
        quiet: Steps in which only a higher surprise is told again.
        memory: Steps of the past.
        before: Scores that came before the first one.

    Raises:
        InputError: A number is not positive.

    Example:
        >>> scores = np.random.default_rng(0).normal(size=100)
        >>> one_by_one = Surprises(quiet=5)
        >>> np.allclose([one_by_one.take(s) for s in scores], surprise(scores, quiet=5))
        True
    """

    def __init__(self, quiet: int = 1, memory: int = MEMORY, before: Iterable[float] = ()) -> None:
        _check(quiet, memory)
        self._past, self._at, self._origin = np.full(memory, np.nan), 0, math.nan
        self._sums = (0, 0.0, 0.0, 0.0)
        self._lately = deque([-math.inf] * quiet, quiet)
        for score in before:
            self.take(score)

    def take(self, score: float) -> float:
        """How surprising a score is; it belongs to the past from then on."""
        told = improbability(self._deviation(score))
        self._remember(score)
        lately = self._lately
        is_news = lately.maxlen == 1 or told > max(lately)
        lately.append(told)
        return told if is_news else 0.0

    def _deviation(self, score: float) -> float:
        count, one, two, sizes = self._sums
        if count < 2 or not math.isfinite(score):
            return -math.inf
        mean = one / count
        spread = math.sqrt(max(two / count - mean * mean, 0.0))
        return (score - self._origin - mean) / max(spread, LEAST_SPREAD * sizes / count + 1e-12)

    def _remember(self, score: float) -> None:
        """Put a score in the place of the oldest one."""
        if math.isnan(self._origin) and math.isfinite(score):
            self._origin = score
        past, at = self._past, self._at
        oldest, past[at] = float(past[at]), score
        self._at = at + 1
        if self._at == len(past):
            # Sums that are added to and taken from for ever would lose their last digits.
            self._at = 0
            kept = past[np.isfinite(past)]
            moved = kept - self._origin
            sums = moved.sum(), np.square(moved).sum(), np.abs(kept).sum()
            self._sums = (len(kept), *map(float, sums))
            return
        count, one, two, sizes = self._sums
        for value, sign in ((score, 1), (oldest, -1)):
            if math.isfinite(value):
                moved = value - self._origin
                count, one, two = count + sign, one + sign * moved, two + sign * moved * moved
                sizes += sign * abs(value)
        self._sums = (count, one, two, sizes)

    def snapshot(self) -> Any:
        """A copy of all that scores have changed."""
        return self._past.copy(), self._at, self._origin, self._sums, tuple(self._lately)

    def restore(self, snapshot: Any) -> None:
        """Go back to a snapshot."""
        past, self._at, self._origin, self._sums, lately = snapshot
        self._past[...] = past
        self._lately.extend(lately)


def deviations(values: np.ndarray, memory: int = MEMORY) -> np.ndarray:
    """By how many deviations each score is above the mean of those before it, [steps].

    Minus infinity where it is missing or there are fewer than two.
    """
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


def improbability(z: float) -> float:
    """Minus the decimal logarithm of the probability of a normal variable above z.

    Example:
        >>> round(improbability(0.0), 3), round(improbability(6.0), 3), round(improbability(60.0))
        (0.301, 9.006, 784)
    """
    if z < FAR:
        return -math.log10(0.5 * math.erfc(z / math.sqrt(2)))
    far = z * z
    shrunk = 1 - 1 / far + 3 / far**2
    return far / (2 * math.log(10)) + math.log10(z * math.sqrt(2 * math.pi) / shrunk)


def _news(values: np.ndarray, quiet: int) -> np.ndarray:
    """Keep what is higher than all of so many steps before it, and put 0 elsewhere."""
    padded = np.concatenate([np.full(quiet, -np.inf), values])
    before = np.lib.stride_tricks.sliding_window_view(padded, quiet)[: len(values)].max(axis=1)
    return np.where(values > before, values, 0.0)


def _check(quiet: int, memory: int) -> None:
    for name, number in (("quiet", quiet), ("memory", memory)):
        if number < 1:
            raise InputError(f"{name} is {number}; it is a number of steps, 1 or more")
