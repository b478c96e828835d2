"""A threshold from the recent errors themselves, without a distribution."""

from __future__ import annotations

import numpy as np

DEVIATIONS = np.arange(2.5, 12, 0.5)
"""Thresholds that are tried, in deviations above the mean."""

PRUNE = 0.13
"""Share by which a run has to stand out above the next one."""


def dynamic_threshold(errors: np.ndarray, buffer: int = 0) -> float:
    """The threshold that best parts few high errors from the rest, pruned.

    Hundman et al., Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic
    Thresholding, 2018 (https://arxiv.org/abs/1802.04431), sections 3.2 and 3.3: the threshold is
    the mean plus so many deviations that leaving out what is above it lowers mean and deviation
    most, for as few values and runs as possible. Runs whose maxima do not stand out by a share of
    `PRUNE` above the next lower one are no anomalies, and the threshold goes above them.

    Args:
        errors: Smoothed errors, [steps].
        buffer: Steps around a run that belong to it.

    Returns:
        The threshold; the largest error where nothing stands out.

    Example:
        >>> errors = np.tile([1.0, 1.2, 0.9, 1.1], 50)
        >>> errors[120:123] = 8.0
        >>> 1.2 < dynamic_threshold(errors) < 8
        True
        >>> dynamic_threshold(np.tile([1.0, 1.2, 0.9, 1.1], 50))
        1.2
    """
    errors = np.asarray(errors, np.float64)
    epsilon = best_epsilon(errors, buffer)
    if epsilon is None:
        return float(errors.max())
    found = runs(errors > epsilon, buffer)
    peaks = np.array([errors[a:b].max() for a, b in found])
    inside = np.zeros(len(errors), bool)
    for a, b in found:
        inside[a:b] = True
    rest = float(errors[~inside].max()) if not inside.all() else 0.0
    kept = prune(peaks, rest)
    if not kept.any():
        return float(errors.max())
    dropped = peaks[~kept]
    return float(max(epsilon, dropped.max(initial=epsilon)))


def best_epsilon(errors: np.ndarray, buffer: int = 0) -> float | None:
    """The threshold before pruning; None where none parts anything.

    Args:
        errors: Smoothed errors, [steps].
        buffer: Steps around a run that belong to it.
    """
    mean, deviation = float(errors.mean()), float(errors.std())
    best, found = 0.0, None
    if not deviation > 0 or not mean > 0:
        return None
    for z in DEVIATIONS:
        epsilon = mean + z * deviation
        above = errors > epsilon
        if not above.any():
            break
        below = errors[~above]
        groups = runs(above, buffer)
        count = sum(b - a for a, b in groups)
        if len(groups) > 5 or count >= len(errors) / 2:
            continue
        drop = (mean - below.mean()) / mean + (deviation - below.std()) / deviation
        value = drop / (len(groups) ** 2 + count)
        if value >= best:
            best, found = value, epsilon
    return found


def prune(peaks: np.ndarray, rest: float, share: float = PRUNE) -> np.ndarray:
    """Which runs stay: those down to the last one that stands out above the next.

    Args:
        peaks: Largest error of each run, [runs].
        rest: Largest error outside all runs.
        share: By which it has to stand out.

    Returns:
        bool [runs].

    Example:
        >>> prune(np.array([5.0, 1.1, 9.0]), rest=1.0)
        array([ True, False,  True])
    """
    order = np.argsort(-peaks, kind="stable")
    ladder = np.append(peaks[order], rest)
    drops = (ladder[:-1] - ladder[1:]) / ladder[:-1] >= share
    last = int(np.flatnonzero(drops)[-1]) if drops.any() else -1
    kept = np.zeros(len(peaks), bool)
    kept[order[: last + 1]] = True
    return kept


def runs(above: np.ndarray, buffer: int = 0) -> list[tuple[int, int]]:
    """First and after-last step of each run of True, widened by `buffer` and joined.

    Example:
        >>> runs(np.array([0, 1, 1, 0, 0, 1], bool))
        [(1, 3), (5, 6)]
    """
    if buffer:
        wide = np.convolve(above.astype(int), np.ones(2 * buffer + 1, int), "full")
        above = wide[buffer : buffer + len(above)] > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
