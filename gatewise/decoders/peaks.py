"""How high a score goes by chance: extreme value theory, peaks over a threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

MANY = 30
"""Clusters above the first threshold from which on a shape is fitted to their peaks."""

SURE = 1.645
"""Deviations by which the mean of few clusters is taken to be larger: its upper 95 % bound."""

LEVEL = 0.9
"""Quantile above which values belong to the tail; raised towards `HIGHEST` where there are many."""

HIGHEST, WANTED = 0.98, 100
"""Highest such quantile, and how many values should be left above it."""

GAIN = 1.92
"""Log likelihood that a shape has to gain over none: half the 95 % point of chi squared."""

SHAPES = (-0.5, 0.5)
"""Shapes that are believed: heavier tails have no variance, shorter ones no regular estimate."""


class Tail(NamedTuple):
    """The upper tail of a score, as a generalised Pareto distribution above `start`.

    Args:
        start: Value that the tail begins at.
        shape: Above 0 for heavy tails, 0 for an exponential one.
        scale: Of the excesses over `start`.
        rate: Share of all values that lie above `start`.
        cluster: Values above it that come together, on average: what is smoothed comes in runs.
    """

    start: float
    shape: float
    scale: float
    rate: float
    cluster: float

    def level(self, interval: float) -> float:
        """The value that is exceeded once in so many steps, however long each time.

        Args:
            interval: Steps from one exceedance to the next, on average.

        Example:
            >>> tail = Tail(start=2.0, shape=0.0, scale=1.0, rate=0.1, cluster=1.0)
            >>> round(tail.level(1000), 3)
            6.605
        """
        ratio = self.cluster / (interval * self.rate)
        if ratio >= 1:
            return self.start
        if abs(self.shape) < 1e-9:
            return self.start - self.scale * math.log(ratio)
        return self.start + self.scale / self.shape * (ratio**-self.shape - 1)


def find_tail(segments: Sequence[np.ndarray], run: int = 1) -> Tail:
    """Fit the tail of scores (Siffer et al. 2017, https://doi.org/10.1145/3097983.3098144).

    Exceedances with fewer than `run` steps between them are one cluster (Ferro & Segers 2003,
    https://doi.org/10.1111/1467-9868.00401, section 1), so that alarms are counted, not readings.

    Args:
        segments: Scores of each series, [steps].
        run: Steps below the start of the tail that part two clusters.

    Example:
        >>> scores = np.random.default_rng(0).exponential(size=20_000)
        >>> tail = find_tail([scores])
        >>> abs(tail.shape) < 0.1, abs(tail.level(1000) - 6.9) < 0.4
        (True, True)
    """
    values = np.concatenate(segments)
    level = float(np.clip(1 - WANTED / len(values), LEVEL, HIGHEST))
    start = float(np.quantile(values, level))
    above = [np.flatnonzero(s > start) for s in segments]
    excess = values[values > start] - start
    rate = max(len(excess), 1) / len(values)
    if not len(excess):
        return Tail(start, 0.0, 1e-3 * (1.0 + abs(start)), rate, 1.0)
    groups = [np.split(a, np.flatnonzero(np.diff(a) > run) + 1) for a in above if len(a)]
    peaks = np.array([s[g].max() - start for s, each in _paired(segments, above, groups)
                      for g in each])  # fmt: skip
    cluster = len(excess) / len(peaks)
    if len(peaks) >= MANY:
        return Tail(start, *fit_pareto(peaks), rate, cluster)
    # Few clusters tell a mean and no shape, and the mean may well be larger.
    scale = float(excess.mean()) * (1 + SURE / math.sqrt(len(peaks)))
    return Tail(start, 0.0, scale, rate, cluster)


def _paired(segments: Sequence[np.ndarray], above: Sequence[np.ndarray], groups: list) -> list:
    """Segments that have exceedances, each with its clusters."""
    kept = [s for s, a in zip(segments, above, strict=True) if len(a)]
    return list(zip(kept, groups, strict=True))


def fit_pareto(excess: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution, by maximum likelihood.

    Grimshaw 1993 (https://doi.org/10.1080/00401706.1993.10485040): for a given ratio of shape to
    scale the best shape is known, so one number is searched for. Where a shape gains too little
    over none, the tail is exponential.

    Args:
        excess: Values above the threshold, less the threshold; above 0, [values].

    Example:
        >>> u = (np.arange(2000) + 0.5) / 2000
        >>> shape, scale = fit_pareto(2.0 / 0.3 * ((1 - u) ** -0.3 - 1))
        >>> round(shape, 1), round(scale, 1)
        (0.3, 2.0)
    """
    y = np.asarray(excess, np.float64)
    mean = float(y.mean())
    plain = _likelihood(y, 0.0, mean)
    # Ratios from just above -1 / max, where the density ends, to those of very heavy tails.
    ends = -1 / y.max(), 100 / mean
    grid = np.concatenate([ends[0] * (1 - np.geomspace(1e-6, 1, 60)[:-1]),
                           np.geomspace(1e-6 / mean, ends[1], 60)])  # fmt: skip
    grid = np.unique(grid[np.abs(grid) > 0])
    values = np.array([_profile(y, theta) for theta in grid])
    best = int(values.argmax())
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    theta = _golden(lambda t: _profile(y, t), low, high)
    shape = float(np.log1p(theta * y).mean())
    if _profile(y, theta) - plain < GAIN or abs(theta) < 1e-12:
        return 0.0, mean
    if not SHAPES[0] <= shape <= SHAPES[1]:
        shape = float(np.clip(shape, *SHAPES))
        # With the shape given, the mean says the scale, which exists for these shapes.
        return shape, mean * (1 - shape)
    return shape, float(shape / theta)


def _profile(y: np.ndarray, theta: float) -> float:
    """Log likelihood of the best shape for a ratio of shape to scale."""
    if theta == 0:
        return _likelihood(y, 0.0, float(y.mean()))
    shape = float(np.log1p(theta * y).mean())
    scale = shape / theta
    return -len(y) * (np.log(scale) + shape + 1) if scale > 0 else -np.inf


def _likelihood(y: np.ndarray, shape: float, scale: float) -> float:
    if abs(shape) < 1e-12:
        return float(-len(y) * np.log(scale) - y.sum() / scale)
    return float(-len(y) * np.log(scale) - (1 + 1 / shape) * np.log1p(shape * y / scale).sum())


def _golden(function: Callable[[float], float], low: float, high: float, steps: int = 60) -> float:
    """Where a function of one peak is highest."""
    ratio = (5**0.5 - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    fa, fb = function(a), function(b)
    for _ in range(steps):
        if fa > fb:
            high, b, fb = b, a, fa
            a = high - ratio * (high - low)
            fa = function(a)
        else:
            low, a, fa = a, b, fb
            b = low + ratio * (high - low)
            fb = function(b)
    return (low + high) / 2
