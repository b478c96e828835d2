"""How well alarms find events: ranges of steps rather than loose points.

An event is a run of steps labelled 1, an alarm a run of steps where one is raised.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import InputError
from .anomaly_inputs import events, labels_and_alarms, labels_and_scores
from .anomaly_points import f1_of

Bias = Literal["flat", "front", "middle", "back"]
Cardinality = Literal["one", "reciprocal"]


class RangeScores(NamedTuple):
    """Precision, recall and F1 of ranges or events, each from 0 to 1."""

    precision: float
    recall: float
    f1: float


class Delays(NamedTuple):
    """How long the events that were found went unnoticed, and how many were never found."""

    mean: float
    longest: float
    missed: int


def range_scores(
    labels: Any,
    alarms: Any,
    *,
    existence: float = 0.0,
    bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
) -> RangeScores:
    """Precision and recall of ranges: how much of each is covered, where, and in how many pieces.

    Tatbul et al. 2018, https://arxiv.org/abs/1803.03639.

    Args:
        labels: 1 in an event, 0 elsewhere, [steps].
        alarms: 1 where an alarm is raised, [steps].
        existence: Share of recall that an event gives for being touched at all (alpha).
        bias: Which steps of a range weigh most; of events and alarms alike.
        cardinality: "reciprocal" divides what is covered by the number of pieces, "one" does not.

    Raises:
        InputError: The shapes differ, or an argument is none of those above.

    Example:
        >>> range_scores([0, 1, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0])
        RangeScores(precision=0.5, recall=0.25, f1=0.3333333333333333)
    """
    truth, raised = labels_and_alarms(labels, alarms)
    _check(existence, bias, cardinality)
    precision = _covered(events(raised), truth, 0.0, bias, cardinality)
    recall = _covered(events(truth), raised, existence, bias, cardinality)
    return RangeScores(precision, recall, f1_of(precision, recall))


def event_scores(labels: Any, alarms: Any) -> RangeScores:
    """Share of alarms that touch an event, of events that are touched, and their F1.

    As in Hundman et al. 2018, https://arxiv.org/abs/1802.04431: an event that is touched is found,
    however often; an alarm that touches none is false. Of one alarm over everything this thinks
    highly: look at `false_alarms_per_day` and `range_scores` too.

    Args:
        labels: 1 in an event, 0 elsewhere, [steps].
        alarms: 1 where an alarm is raised, [steps].

    Raises:
        InputError: The shapes differ.

    Example:
        >>> event_scores([0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 1])
        RangeScores(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """
    truth, raised = labels_and_alarms(labels, alarms)
    precision = _touched(events(raised), truth)
    recall = _touched(events(truth), raised)
    return RangeScores(precision, recall, f1_of(precision, recall))


def best_event_f1(labels: Any, scores: Any) -> RangeScores:
    """Precision of points with recall of events, at the threshold best for their F1.

    The composite score of Garg et al. 2021, https://arxiv.org/abs/2109.11428. With the precision
    of `event_scores` a single alarm over everything would have an F1 of 1; here it has the
    precision of a guess. An upper bound, as the threshold is chosen on these labels.

    Args:
        labels: 1 in an event, 0 elsewhere, [steps].
        scores: Higher is stranger, [steps]; NaN is never an alarm.

    Raises:
        InputError: The shapes differ, or the labels are all the same.

    Example:
        >>> best_event_f1([0, 1, 1, 0, 0, 0], [0, 0, 5, 3, 0, 4]).f1
        1.0
    """
    truth, values = labels_and_scores(labels, scores)
    peaks = np.sort([values[first : last + 1].max() for first, last in events(truth)])
    thresholds = np.unique(values)
    false, right = np.sort(values[~truth]), np.sort(values[truth])
    found = len(right) - np.searchsorted(right, thresholds)
    wrong = len(false) - np.searchsorted(false, thresholds)
    precision = found / (found + wrong)
    recall = 1 - np.searchsorted(peaks, thresholds) / len(peaks)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    k = int(f1.argmax())
    return RangeScores(float(precision[k]), float(recall[k]), float(f1[k]))


def detection_delay(labels: Any, alarms: Any) -> Delays:
    """Steps from the first step of each event to the first alarm within it.

    An alarm that began before the event counts from where the event does. Mean and longest are
    NaN where no event was found.

    Args:
        labels: 1 in an event, 0 elsewhere, [steps].
        alarms: 1 where an alarm is raised, [steps].

    Raises:
        InputError: The shapes differ.

    Example:
        >>> detection_delay([0, 1, 1, 1, 0, 1], [0, 0, 0, 1, 0, 0])
        Delays(mean=2.0, longest=2.0, missed=1)
    """
    truth, raised = labels_and_alarms(labels, alarms)
    runs = [raised[first : last + 1] for first, last in events(truth)]
    found = [int(run.argmax()) for run in runs if run.any()]
    missed = len(runs) - len(found)
    if not found:
        return Delays(float("nan"), float("nan"), missed)
    return Delays(float(np.mean(found)), float(max(found)), missed)


def false_alarms_per_day(labels: Any, alarms: Any, step_seconds: float) -> float:
    """Alarms that touch no event, per day of normal steps.

    Args:
        labels: 1 in an event, 0 elsewhere, [steps].
        alarms: 1 where an alarm is raised, [steps].
        step_seconds: Seconds from one step to the next.

    Raises:
        InputError: The shapes differ, a step takes no time, or no step is normal.

    Example:
        >>> false_alarms_per_day([0, 0, 1, 0], [1, 0, 1, 0], step_seconds=8 * 3600)
        1.0
    """
    truth, raised = labels_and_alarms(labels, alarms)
    if not step_seconds > 0:
        raise InputError(f"step_seconds is {step_seconds}; it is the seconds of a step, above 0")
    if truth.all():
        raise InputError("labels hold no normal step; false alarms cannot be counted per day")
    false = sum(not truth[first : last + 1].any() for first, last in events(raised))
    return float(false / ((~truth).sum() * step_seconds / 86_400))


def _check(existence: float, bias: str, cardinality: str) -> None:
    if not 0 <= existence <= 1:
        raise InputError(f"existence is {existence}; it is a share from 0 to 1")
    if bias not in ("flat", "front", "middle", "back"):
        raise InputError(f"bias is {bias!r}; it is 'flat', 'front', 'middle' or 'back'")
    if cardinality not in ("one", "reciprocal"):
        raise InputError(f"cardinality is {cardinality!r}; it is 'one' or 'reciprocal'")


def _covered(
    runs: np.ndarray, other: np.ndarray, existence: float, bias: Bias, cardinality: Cardinality
) -> float:
    """Mean over runs of how much of each the other covers; 0 where there are none."""
    shares = []
    for first, last in runs:
        inside = other[first : last + 1]
        weight = _weights(len(inside), bias)
        pieces = len(events(inside)) if cardinality == "reciprocal" else 1
        overlap = float(weight[inside].sum() / weight.sum()) / max(pieces, 1)
        shares.append(existence * bool(inside.any()) + (1 - existence) * overlap)
    return float(np.mean(shares)) if shares else 0.0


def _weights(length: int, bias: Bias) -> np.ndarray:
    place = np.arange(1.0, length + 1)
    return {
        "flat": np.ones(length),
        "front": place[::-1],
        "middle": np.minimum(place, place[::-1]),
        "back": place,
    }[bias]


def _touched(runs: np.ndarray, other: np.ndarray) -> float:
    """Share of runs that the other touches; 0 where there are none."""
    count = np.r_[0, np.cumsum(other)]
    return float((count[runs[:, 1] + 1] > count[runs[:, 0]]).mean()) if len(runs) else 0.0
