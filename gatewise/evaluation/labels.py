"""Figures of predicted classes and numbers, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BINS = 15
"""Of the expected calibration error, as Guo et al. 2017 take."""


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count pairs: rows are true classes, columns predicted ones, int64 [classes, classes].

    Example:
        >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def per_class(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall, F1 and number of examples of each class, from a confusion matrix.

    NaN where a class has no examples or was never predicted.
    """
    hit = counts.diagonal().astype(float)
    true, predicted = counts.sum(1), counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hit / predicted, hit / true
        f1 = 2 * hit / (true + predicted)
    return {"precision": precision, "recall": recall, "f1": f1, "examples": true.astype(float)}


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: how often an example of the class scores above another.

    Args:
        labels: Whether an example is of the class, bool [examples].
        scores: [examples]; ties count a half.

    Example:
        >>> auc(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]))
        0.75
    """
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return float("nan")
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def calibration_bins(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and count of the examples in each bin of confidence."""
    sure = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, sure, minlength=bins) / count
        was = np.bincount(place, right, minlength=bins) / count
    return said, was, count


def class_figures(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Judge probabilities of classes.

    Args:
        labels: int64 [examples]; below 0 for a class that is not among the columns: it counts as
            missed in the accuracy, and is left out elsewhere.
        probabilities: [examples, classes].

    Returns:
        `accuracy`; `balanced_accuracy`, the mean recall of the classes that are there;
        `macro_f1`, the mean F1 of the classes that are there or predicted; `auc`, of two classes
        the second's, of more the mean of each against the rest; `log_loss` in nats;
        `calibration_error`, expected, of the likeliest class (Guo et al. 2017).

    Example:
        >>> figures = class_figures(np.array([0, 1]), np.array([[0.8, 0.2], [0.4, 0.6]]))
        >>> {name: round(figures[name], 3) for name in ("accuracy", "log_loss")}
        {'accuracy': 1.0, 'log_loss': 0.367}
    """
    known = labels >= 0
    accuracy = float((probabilities.argmax(1) == labels).mean())
    labels, probabilities = labels[known], probabilities[known]
    classes = probabilities.shape[1]
    if not len(labels):
        return {"accuracy": accuracy}
    rows = per_class(confusion(labels, probabilities.argmax(1), classes))
    own = probabilities[np.arange(len(labels)), labels]
    said, was, count = calibration_bins(labels, probabilities)
    filled = count > 0
    return {
        "accuracy": accuracy,
        "balanced_accuracy": float(np.nanmean(rows["recall"])),
        "macro_f1": float(np.nanmean(rows["f1"])),
        "auc": _mean_auc(labels, probabilities),
        "log_loss": float(-np.log(np.maximum(own, 1e-15)).mean()),
        "calibration_error": float(
            (np.abs(said - was)[filled] * count[filled]).sum() / count.sum()
        ),
    }


def _mean_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    if probabilities.shape[1] == 2:
        return auc(labels == 1, probabilities[:, 1])
    each = [auc(labels == k, probabilities[:, k]) for k in range(probabilities.shape[1])]
    each = [value for value in each if value == value]
    return float(np.mean(each)) if each else float("nan")


def measure_figures(
    answers: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]
) -> dict[str, float]:
    """Judge quantiles of numbers.

    Args:
        answers: float64 [examples].
        quantiles: [examples, levels].
        levels: Increasing, 0.5 among them.

    Returns:
        `mae` and `rmse` of the median; `r2`; `pinball`, the mean over the levels; `coverage` of
        the outermost interval, where there is one.

    Example:
        >>> figures = measure_figures(np.array([1.0, 3.0]), np.array([[1.0], [2.0]]), (0.5,))
        >>> figures["mae"], figures["pinball"]
        (0.5, 0.25)
    """
    error = answers - quantiles[:, list(levels).index(0.5)]
    under = answers[:, None] - quantiles
    level = np.asarray(levels)
    spread = float(((answers - answers.mean()) ** 2).sum())
    figures = {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / spread if spread else float("nan"),
        "pinball": float(np.maximum(level * under, (level - 1) * under).mean()),
    }
    if len(level) > 1:
        inside = (quantiles[:, 0] <= answers) & (answers <= quantiles[:, -1])
        figures["coverage"] = float(inside.mean())
    return figures
