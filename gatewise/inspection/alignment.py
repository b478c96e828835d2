"""Where a network looked while it wrote, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .svg import PALETTE, inline, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

MOST = 40
"""Tokens on a side of a picture; more could not be read."""


def alignment_chart(
    source: Sequence[str], target: Sequence[str], weights: np.ndarray, name: str
) -> str:
    """Draw attention weights as an `<svg>` element: the darker, the more it looked there.

    Args:
        source: Tokens that were read.
        target: Tokens that were written.
        weights: [target, source], from 0 to 1.
        name: Keeps the element's ids apart from those of other charts.

    Example:
        >>> import numpy as np
        >>> alignment_chart(["ein", "Haus"], ["a", "house"], np.eye(2), "first")[:15]
        '<svg role="img"'
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    source, target = source[:MOST], target[:MOST]
    weights = weights[: len(target), : len(source)]
    with style():
        size = (1.6 + 0.3 * len(source), 1.2 + 0.26 * len(target))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        # Cells are drawn one by one, so that a page's own colours can take their place.
        for row, line in enumerate(weights):
            for column, weight in enumerate(line):
                if weight >= 0.02:
                    axes.add_patch(
                        Rectangle(
                            (column - 0.5, row - 0.5),
                            1,
                            1,
                            color=PALETTE["model"],
                            linewidth=0,
                            alpha=float(min(weight, 1.0)),
                        )
                    )
        axes.set_xlim(-0.5, len(source) - 0.5)
        axes.set_ylim(len(target) - 0.5, -0.5)
        axes.set_xticks(range(len(source)), [_plain(t) for t in source], rotation=60, ha="left")
        axes.set_yticks(range(len(target)), [_plain(t) for t in target])
        axes.xaxis.tick_top()
        axes.grid(visible=False)
        return inline(figure, name, "Where each written token looked in the source")


def _plain(token: str) -> str:
    """A token as it can be shown: subwords write a space as Ġ."""
    return {" ": "␣", "\n": "⏎"}.get(token, token.replace("Ġ", "␣"))
