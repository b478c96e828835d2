"""How well scores tell the points of anomalies from the others, point by point.

Labels are 1 in an anomaly and 0 elsewhere; a point is an alarm where its score reaches the
threshold. A threshold that is best on these labels is what nobody has in use: it bounds what a
score can do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .anomaly_inputs import events, labels_and_alarms, labels_and_scores


class F1(NamedTuple):
    """Harmonic mean of precision and recall, and what it is made of."""

    f1: float
    precision: float
    recall: float
    threshold: float


class PointAdjusted(NamedTuple):
    """Point-adjusted F1 of a score, and of random scores under the same adjustment."""

    f1: float
    random: float


def auc_pr(labels: Any, scores: Any) -> float:
    """Area under the precision-recall curve as average precision: no interpolation.

    A random score has the share of anomalous points. Davis & Goadrich 2006,
    https://doi.org/10.1145/1143844.1143874.

    Args:
        labels: 1 in an anomaly, 0 elsewhere, [steps].
        scores: Higher is stranger, [steps]; NaN is never an alarm.

    Raises:
        InputError: The shapes differ, or the labels are all the same.

    Example:
        >>> auc_pr([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).__round__(4)
        0.8333
    """
    curve = _Curve(*labels_and_scores(labels, scores))
    return float(np.sum(np.diff(curve.recall, prepend=0) * curve.precision))


def auc_roc(labels: Any, scores: Any) -> float:
    """Area under the ROC curve: how often an anomalous point outranks a normal one, ties half.

    A random score has 0.5. Fawcett 2006, https://doi.org/10.1016/j.patrec.2005.10.010.

    Args:
        labels: As in `auc_pr`.
        scores: As in `auc_pr`.

    Raises:
        InputError: The shapes differ, or the labels are all the same.

    Example:
        >>> auc_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    truth, values = labels_and_scores(labels, scores)
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[where]
    positive, negative = int(truth.sum()), int((~truth).sum())
    above = rank[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def f1_at(labels: Any, scores: Any, threshold: float) -> F1:
    """F1 of the points whose score reaches a given threshold.

    Args:
        labels: As in `auc_pr`.
        scores: As in `auc_pr`.
        threshold: Chosen without these labels.

    Raises:
        InputError: The shapes differ, or the labels are all the same.

    Example:
        >>> f1_at([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], threshold=0.5).recall
        0.5
    """
    truth, values = labels_and_scores(labels, scores)
    precision, recall = precision_recall(truth, values >= threshold)
    return F1(f1_of(precision, recall), precision, recall, float(threshold))


def best_f1(labels: Any, scores: Any) -> F1:
    """F1 at the threshold that is best on these labels; an upper bound, not a result.

    Args:
        labels: As in `auc_pr`.
        scores: As in `auc_pr`.

    Raises:
        InputError: The shapes differ, or the labels are all the same.

    Example:
        >>> best_f1([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        F1(f1=0.8, precision=0.6666666666666666, recall=1.0, threshold=0.35)
    """
    return _best(*labels_and_scores(labels, scores))


def point_adjusted_f1(
    labels: Any, scores: Any, threshold: float | None = None, draws: int = 20, seed: int = 0
) -> PointAdjusted:
    """F1 after an alarm anywhere in an event has been counted as the whole event found.

    Long events make this measure flatter any score: random ones reach 0.9 and more, so their
    figure comes with it. Xu et al. 2018, https://arxiv.org/abs/1802.03903; Kim et al. 2022,
    Towards a Rigorous Evaluation, https://arxiv.org/abs/2109.05257.

    Args:
        labels: As in `auc_pr`.
        scores: As in `auc_pr`.
        threshold: Alarms are where the score reaches it; the best on these labels when left
            out. The random scores make as many alarms, or take their best threshold too.
        draws: Random scores that are averaged.
        seed: Of the random scores.

    Raises:
        InputError: The shapes differ, the labels are all the same, or there are no draws.

    Example:
        >>> labels = np.arange(1000) // 100 % 5 == 4
        >>> found = point_adjusted_f1(labels, np.arange(1000) % 7)
        >>> found.random > 0.9
        True
    """
    truth, values = labels_and_scores(labels, scores)
    if draws < 1:
        raise InputError(f"draws is {draws}; it is a number of random scores, 1 or more")
    runs, rng = events(truth), np.random.default_rng(seed)
    alarms = None if threshold is None else int((values >= threshold).sum())

    def adjusted(found: np.ndarray, least: float | None) -> float:
        found = found.copy()
        for first, last in runs:
            found[first : last + 1] = found[first : last + 1].max()
        if least is None:
            return _best(truth, found).f1
        return f1_of(*precision_recall(truth, found >= least))

    def drawn() -> float:
        found = rng.random(len(truth))
        if alarms is None:
            return adjusted(found, None)
        return adjusted(found, np.sort(found)[-alarms] if alarms else np.inf)

    return PointAdjusted(
        adjusted(values, threshold), float(np.mean([drawn() for _ in range(draws)]))
    )


def precision_recall(labels: Any, alarms: Any) -> tuple[float, float]:
    """Share of alarms that are anomalous points, and of anomalous points that are alarms.

    Without an alarm the precision is 0, without an anomaly the recall.

    Example:
        >>> precision_recall([0, 1, 1], [1, 1, 0])
        (0.5, 0.5)
    """
    truth, raised = labels_and_alarms(labels, alarms)
    both = float((truth & raised).sum())
    return both / max(float(raised.sum()), 1.0), both / max(float(truth.sum()), 1.0)


def f1_of(precision: float, recall: float) -> float:
    """Harmonic mean; 0 where both are 0.

    Example:
        >>> f1_of(0.5, 1.0).__round__(3), f1_of(0.0, 0.0)
        (0.667, 0.0)
    """
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


class _Curve:
    """Precision and recall at each different score, from the highest down, [thresholds]."""

    def __init__(self, truth: np.ndarray, values: np.ndarray) -> None:
        order = np.argsort(-values, kind="stable")
        ranked = values[order]
        last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
        found = np.cumsum(truth[order])[last]
        self.thresholds = ranked[last]
        self.precision = found / (last + 1)
        self.recall = found / truth.sum()


def _best(truth: np.ndarray, values: np.ndarray) -> F1:
    curve = _Curve(truth, values)
    total = np.maximum(curve.precision + curve.recall, 1e-300)
    f1 = 2 * curve.precision * curve.recall / total
    k = int(f1.argmax())
    return F1(*map(float, (f1[k], curve.precision[k], curve.recall[k], curve.thresholds[k])))
