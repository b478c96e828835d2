"""How often the model is right when it says that it is so sure."""

from __future__ import annotations

import numpy as np

from .svg import PALETTE, inline, style


def reliability_chart(said: np.ndarray, was: np.ndarray, count: np.ndarray) -> str:
    """Draw accuracy over confidence; a point's size is its number of examples.

    Niculescu-Mizil & Caruana 2005, https://doi.org/10.1145/1102351.1102430.

    Args:
        said: Mean confidence of each bin.
        was: Accuracy of each bin.
        count: Examples of each bin.

    Example:
        >>> reliability_chart(np.array([0.5]), np.array([0.6]), np.array([9]))[:16]
        '<svg role="img" '
    """
    from matplotlib.figure import Figure

    filled = count > 0
    with style():
        figure = Figure(figsize=(3.6, 3.3), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        sizes = 12 + 140 * count[filled] / max(int(count.max()), 1)
        axes.plot(said[filled], was[filled], color=PALETTE["model"], linewidth=1)
        axes.scatter(said[filled], was[filled], sizes, color=PALETTE["model"], alpha=0.75)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.05)
        axes.grid(visible=True, axis="both")
        axes.set_xlabel("promised: probability of its answer")
        axes.set_ylabel("kept: share that was right")
        return inline(figure, "reliability", "Accuracy by confidence")
