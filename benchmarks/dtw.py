"""Dynamic time warping, the distance of sequences that embeddings are put beside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def distances(one: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Squared DTW distances of a sequence to many, which are warped side by side.

    Sakoe & Chiba 1978, https://doi.org/10.1109/TASSP.1978.1163055: the least sum of squared
    differences over paths that move on in either sequence or in both.

    Args:
        one: [steps, channels].
        others: [steps, channels] each, of any lengths.

    Returns:
        [others].

    Example:
        >>> a, b = np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [3.0]])
        >>> distances(a, [a, b])
        array([0., 4.])
    """
    lengths = np.array([len(other) for other in others])
    padded = np.zeros((len(others), int(lengths.max()), one.shape[1]))
    for row, other in zip(padded, others, strict=True):
        row[: len(other)] = other
    before = np.full((len(others), padded.shape[1] + 1), np.inf)
    before[:, 0] = 0.0
    for value in one:
        cost = ((padded - value) ** 2).sum(axis=2)
        total = np.cumsum(cost, axis=1)
        # A path enters the row at some step and walks on along it: the least of all entries,
        # each less what lies before it, is a running minimum.
        entry = np.minimum(before[:, 1:], before[:, :-1]) - (total - cost)
        before[:, 0] = np.inf
        before[:, 1:] = np.minimum.accumulate(entry, axis=1) + total
    return before[np.arange(len(others)), lengths]


def nearest(known: Sequence[np.ndarray], asked: Sequence[np.ndarray]) -> np.ndarray:
    """Which known sequence is nearest to each of those asked about, [asked]."""
    return np.array([int(distances(one, known).argmin()) for one in asked])
