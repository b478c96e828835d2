"""Predicted numbers beside the true ones."""

from __future__ import annotations

import numpy as np

from .svg import PALETTE, inline, style


def answers_chart(truth: np.ndarray, low: np.ndarray, point: np.ndarray, high: np.ndarray) -> str:
    """Draw each prediction with its interval over what was true.

    Args:
        truth: [examples].
        low: Lower end of the interval.
        point: The prediction.
        high: Upper end of the interval.

    Example:
        >>> one = np.ones(1)
        >>> answers_chart(one, 0 * one, one, 2 * one)[:16]
        '<svg role="img" '
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(4.6, 4.2), layout="constrained")
        axes = figure.add_subplot()
        ends = [min(truth.min(), point.min()), max(truth.max(), point.max())]
        axes.plot(ends, ends, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(truth, low, high, color=PALETTE["model"], alpha=0.25, linewidth=1.2)
        axes.plot(truth, point, "o", color=PALETTE["model"], markersize=3.5)
        axes.grid(visible=True, axis="both")
        axes.set_xlabel("true")
        axes.set_ylabel("predicted")
        return inline(figure, "answers", "Predicted numbers with intervals over the true ones")
