"""Whether vectors of the same label lie together: nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError


def neighbour_accuracy(
    known: Any, known_labels: Any, asked: Any = None, asked_labels: Any = None
) -> float:
    """How often the nearest known vector has the label of the one that is asked about.

    Args:
        known: [vectors, size].
        known_labels: One each.
        asked: [vectors, size]; every known vector among the others when left out.
        asked_labels: One each.

    Raises:
        InputError: Labels are not one per vector, or there is nothing to compare with.

    Example:
        >>> neighbour_accuracy([[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"])
        1.0
        >>> neighbour_accuracy([[0.0], [5.0]], ["a", "b"], [[1.0]], ["b"])
        0.0
    """
    vectors, labels = _checked(known, known_labels, "known")
    if asked is None:
        if len(vectors) < 2:
            raise InputError(f"known holds {len(vectors)} vectors; two are needed to compare them")
        apart = squared_distances(vectors, vectors)
        np.fill_diagonal(apart, np.inf)
        return float(np.mean(labels[apart.argmin(axis=1)] == labels))
    others, answers = _checked(asked, asked_labels, "asked")
    if not len(vectors) or not len(others):
        raise InputError("there is no vector to compare with; give at least one of each")
    return float(np.mean(labels[squared_distances(others, vectors).argmin(axis=1)] == answers))


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, [of a, of b].

    Example:
        >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
        array([[25.]])
    """
    apart = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.maximum(apart, 0.0)


def plane(vectors: np.ndarray) -> np.ndarray:
    """The two directions in which vectors differ most, [vectors, 2]; for maps.

    Each axis points to where its largest value is positive, so that a map does not flip.

    Example:
        >>> plane(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [3.0, 0.0, 1.0]])).round(6)
        array([[-1.,  0.],
               [-1.,  0.],
               [ 2.,  0.]])
    """
    apart = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(apart, full_matrices=False)
    flat = np.zeros((len(vectors), 2))
    found = apart @ axes[:2].T
    flat[:, : found.shape[1]] = found
    largest = np.abs(flat).argmax(axis=0)
    sign = np.sign(flat[largest, [0, 1]])
    return flat * np.where(sign == 0, 1.0, sign) + 0.0


def _checked(vectors: Any, labels: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    found, named = np.asarray(vectors, dtype=float), np.asarray(labels, dtype=object)
    if found.ndim != 2 or named.shape != found.shape[:1]:
        raise InputError(
            f"{name} has shape {found.shape} and its labels {named.shape}; they are [vectors, "
            "size] and [vectors]"
        )
    return found, named
