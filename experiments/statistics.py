"""What many runs say together: shares with their interval, medians, lines, tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def wilson(successes: int, runs: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927, https://doi.org/10.2307/2276774).

    Unlike the interval around the share itself it stays within 0 and 1 and is not empty where
    every run succeeded.

    Example:
        >>> low, high = wilson(10, 10)
        >>> round(low, 3), round(high, 3)
        (0.722, 1.0)
    """
    if not runs:
        return 0.0, 1.0
    share, spread = successes / runs, z * z / runs
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / runs + spread / (4 * runs)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def share(solved: Sequence[object]) -> str:
    """How many of the runs succeeded, with the interval, as a table shows it.

    Example:
        >>> share([True, True, False])
        '2/3 (0.21 to 0.94)'
    """
    count = sum(map(bool, solved))
    low, high = wilson(count, len(solved))
    return f"{count}/{len(solved)} ({low:.2f} to {high:.2f})"


def median(values: Sequence[float | None]) -> float | None:
    """The median where None is a run that never got there: None where most did not.

    Example:
        >>> median([3, None, 1]), median([None, None, 1])
        (3.0, None)
    """
    if not values:
        return None
    middle = float(np.median([math.inf if value is None else value for value in values]))
    return middle if math.isfinite(middle) else None


def decay(values: Sequence[float]) -> tuple[float, float]:
    """Fit `log10(value)` by a line over the index: slope per step, and R2 of the fit.

    Example:
        >>> slope, r2 = decay([1.0, 0.1, 0.01, 0.001])
        >>> round(slope, 6), round(r2, 6)
        (-1.0, 1.0)
    """
    found = np.asarray(values, float)
    steps, logs = np.flatnonzero(found > 0), np.log10(found[found > 0])
    if len(logs) < 2 or np.ptp(logs) == 0:
        return 0.0, 0.0
    slope, level = np.polyfit(steps, logs, 1)
    rest = logs - (slope * steps + level)
    return float(slope), float(1 - rest.var() / logs.var())


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for their number (Holm 1979, https://www.jstor.org/stable/4615733).

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, worst = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        worst = max(worst, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = worst
    return adjusted


def welch(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value that two samples have one mean (Welch 1947).

    Example:
        >>> welch([1.0, 1.1, 0.9], [5.0, 5.2, 4.8]) < 0.01
        True
    """
    from scipy.stats import ttest_ind

    return float(ttest_ind(first, second, equal_var=False).pvalue)
