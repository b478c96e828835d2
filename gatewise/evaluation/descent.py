"""The minimum of a smooth convex function, in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def minimum(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    *,
    most: int = 200,
    memory: int = 10,
    tolerance: float = 1e-5,
) -> np.ndarray:
    """Find it by limited-memory BFGS with backtracking.

    Liu & Nocedal, On the limited memory BFGS method, 1989 (https://doi.org/10.1007/BF01589116).

    Args:
        function: Point to value and gradient.
        start: Where to begin, of any shape.
        most: Steps at most.
        memory: Steps whose curvature is remembered.
        tolerance: Largest entry of the gradient at which it is done.

    Example:
        >>> minimum(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2)).round(4)
        array([3., 3.])
    """
    x = start.astype(np.float64)
    value, gradient = function(x)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(most):
        if np.abs(gradient).max(initial=0.0) < tolerance:
            break
        direction = -_inverse_times(gradient, pairs)
        slope = float(np.vdot(direction, gradient))
        if slope >= 0:
            pairs, direction = [], -gradient
            slope = -float(np.vdot(gradient, gradient))
        step = 1.0 if pairs else min(1.0, 1.0 / np.abs(gradient).sum())
        for _ in range(40):
            moved = x + step * direction
            new_value, new_gradient = function(moved)
            if new_value <= value + 1e-4 * step * slope:
                break
            step *= 0.5
        else:
            break
        change, turn = moved - x, new_gradient - gradient
        if np.vdot(change, turn) > 1e-12:
            pairs = [*pairs[-memory + 1 :], (change, turn)]
        x, value, gradient = moved, new_value, new_gradient
    return x


def _inverse_times(gradient: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The inverse of the curvature that the pairs tell of, times a gradient."""
    q = gradient.copy()
    shares = []
    for change, turn in reversed(pairs):
        share = np.vdot(change, q) / np.vdot(change, turn)
        shares.append(share)
        q -= share * turn
    if pairs:
        change, turn = pairs[-1]
        q *= np.vdot(change, turn) / np.vdot(turn, turn)
    for (change, turn), share in zip(pairs, reversed(shares), strict=True):
        q += change * (share - np.vdot(turn, q) / np.vdot(change, turn))
    return q
