"""Volume under the surface: precision-recall and ROC curves that forgive being a little early.

Labels get slopes at both ends of each event, recall counts only in the share of events that are
touched at all, and the areas are averaged over widths of the slopes. Paparrizos et al. 2022,
https://doi.org/10.14778/3551793.3551830. The arithmetic is that of the authors' own code, aeon's
`range_pr_vus_score` among its copies, down to the sampling of 250 thresholds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .anomaly_inputs import events, labels_and_scores

THRESHOLDS = 250


class Areas(NamedTuple):
    """Under the precision-recall curve and under the ROC curve."""

    pr: float
    roc: float


def vus(labels: Any, scores: Any, longest: int) -> Areas:
    """VUS-PR and VUS-ROC: the mean of `range_auc` over all buffers from 0 to the longest.

    Args:
        labels: 1 in an anomaly, 0 elsewhere, [steps].
        scores: Higher is stranger, [steps]; NaN is never an alarm.
        longest: Steps of the longest buffer: a season is usual, or the events' length.

    Raises:
        InputError: The shapes differ, the labels are all the same, or the buffer is negative.

    Example:
        >>> labels = np.arange(200) // 20 == 5
        >>> vus(labels, labels + np.linspace(0, 0.1, 200), longest=10).pr > 0.9
        True
    """
    truth, values = labels_and_scores(labels, scores)
    _check(longest, "longest")
    ranked = _Ranked(values)
    areas = np.array([_areas(truth, ranked, buffer) for buffer in range(longest + 1)])
    return Areas(*map(float, areas.mean(axis=0)))


def range_auc(labels: Any, scores: Any, buffer: int | None = None) -> Areas:
    """Areas under the range-aware curves for one width of the buffer around events.

    Args:
        labels: 1 in an anomaly, 0 elsewhere, [steps].
        scores: Higher is stranger, [steps]; NaN is never an alarm.
        buffer: Steps, half of them at each end; the median length of the events when left out.

    Raises:
        InputError: The shapes differ, the labels are all the same, or the buffer is negative.

    Example:
        >>> range_auc([0, 0, 1, 1, 0, 0], [0.0, 0.2, 0.9, 0.8, 0.1, 0.0], buffer=0).roc
        1.0
    """
    truth, values = labels_and_scores(labels, scores)
    if buffer is None:
        runs = events(truth)
        buffer = int(np.median(runs[:, 1] - runs[:, 0] + 1))
    _check(buffer, "buffer")
    return Areas(*map(float, _areas(truth, _Ranked(values), buffer)))


def _check(buffer: int, name: str) -> None:
    if buffer < 0:
        raise InputError(f"{name} is {buffer}; it is a number of steps, 0 or more")


class _Ranked:
    """Scores from the highest down, and the thresholds: as many steps apart in that order."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.order = np.argsort(-values, kind="stable")
        ranked = values[self.order]
        self.thresholds = ranked[np.linspace(0, len(ranked) - 1, THRESHOLDS, dtype=int)]
        self.alarms = np.searchsorted(-ranked, -self.thresholds, side="right")


def _areas(truth: np.ndarray, ranked: _Ranked, buffer: int) -> tuple[float, float]:
    soft, runs = _slopes(truth, buffer)
    positives = (truth.sum() + soft.sum()) / 2
    found = np.cumsum(soft[ranked.order])[ranked.alarms - 1]
    peaks = np.sort([ranked.values[first : last + 1].max() for first, last in runs])
    touched = 1 - np.searchsorted(peaks, ranked.thresholds, side="left") / len(peaks)
    recall = np.minimum(found / positives, 1) * touched
    false = np.minimum((ranked.alarms - found) / (len(truth) - positives), 1)
    precision = np.r_[1.0, found / ranked.alarms]
    rising = np.r_[0.0, recall]
    pr = np.sum(np.diff(rising) * (precision[1:] + precision[:-1]) / 2)
    rising, false = np.r_[rising, 1.0], np.r_[0.0, false, 1.0]
    return pr, np.sum(np.diff(false) * (rising[1:] + rising[:-1]) / 2)


def _slopes(truth: np.ndarray, buffer: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels with a slope of half a buffer at each end of each event, and the events of that."""
    soft = truth.astype(float)
    if buffer <= 1:
        return soft, events(truth)
    half = buffer // 2
    for first, last in events(truth):
        after = np.arange(last, min(last + half, len(soft)))
        soft[after] += np.sqrt(1 - (after - last) / buffer)
        before = np.arange(max(first - half, 0), first)
        soft[before] += np.sqrt(1 - (first - before) / buffer)
    soft = np.minimum(soft, 1)
    return soft, events(soft > 0)
