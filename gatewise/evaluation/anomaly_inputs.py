"""What measures and baselines of anomaly scores take: series, labels, scores, alarms, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError


def labels_and_scores(labels: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check labels (bool, [steps]) and scores (float, [steps]); NaN ranks below all scores.

    Raises:
        InputError: They differ in length, a label is not 0 or 1, or all labels are the same.
    """
    truth, values = binary(labels, "labels"), np.asarray(scores, dtype=float)
    if values.shape != truth.shape:
        raise InputError(
            f"scores has shape {values.shape} and labels {truth.shape}; give one of each per step"
        )
    if truth.all() or not truth.any():
        kind = "an anomaly" if truth.all() else "normal"
        raise InputError(f"labels say that every step is {kind}; a score cannot be judged by that")
    return truth, np.where(np.isnan(values), -np.inf, values)


def labels_and_alarms(labels: Any, alarms: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check labels and alarms, each bool, [steps].

    Raises:
        InputError: They differ in length, or one is neither 0 nor 1.
    """
    truth, raised = binary(labels, "labels"), binary(alarms, "alarms")
    if truth.shape != raised.shape:
        raise InputError(
            f"alarms has shape {raised.shape} and labels {truth.shape}; give one of each per step"
        )
    return truth, raised


def binary(values: Any, name: str) -> np.ndarray:
    """Check 0 and 1 per step, bool [steps].

    Raises:
        InputError: Another value, another shape, or nothing.
    """
    found = np.asarray(values)
    if found.ndim != 1 or not found.size:
        raise InputError(f"{name} has shape {found.shape}; it is [steps], not empty")
    if not np.isin(found, (0, 1)).all():
        wrong = found[~np.isin(found, (0, 1))][0]
        raise InputError(f"{name} holds {wrong}; it is 1 in an anomaly and 0 elsewhere")
    return found.astype(bool)


def events(mask: Any) -> np.ndarray:
    """First and last step of each run of true values, [events, 2], in order.

    Example:
        >>> events([0, 1, 1, 0, 1])
        array([[1, 2],
               [4, 4]])
    """
    edges = np.diff(np.r_[0, np.asarray(mask, dtype=bool).astype(np.int8), 0])
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], axis=1)


def one_series(x: Any) -> np.ndarray:
    """Check a series, [steps] or [steps, channels]; float64 [steps, channels].

    Raises:
        InputError: It has another shape, or no step.
    """
    series = np.asarray(x, dtype=float)
    if series.ndim == 1:
        series = series[:, None]
    if series.ndim != 2 or not len(series):
        raise InputError(
            f"a series has shape {np.shape(x)}; it is [steps] or [steps, channels], not empty"
        )
    return series


def many_series(train: Any) -> Sequence[np.ndarray]:
    """Check one series or a list of them, as `one_series` does."""
    nested = isinstance(train, list | tuple) and len(train) > 0 and np.ndim(train[0]) > 0
    return [one_series(s) for s in train] if nested else [one_series(train)]


def root_mean_square(z: np.ndarray) -> np.ndarray:
    """Over channels, of [steps, channels]."""
    return np.sqrt((z**2).mean(axis=1))
