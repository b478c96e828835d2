"""Which class was taken for which, drawn as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .svg import PALETTE, inline, style

MOST_CLASSES = 25
"""Classes drawn; of more, the ones with the most examples."""

MOST_LETTERS = 14


def confusion_chart(counts: np.ndarray, classes: Sequence[str]) -> str:
    """Draw a confusion matrix: rows are true classes, columns predicted ones.

    Args:
        counts: int64 [classes, classes].
        classes: Their names.

    Example:
        >>> confusion_chart(np.array([[3, 1], [0, 2]]), ["no", "yes"])[:16]
        '<svg role="img" '
    """
    from matplotlib.figure import Figure

    shown = np.sort(np.argsort(-counts.sum(1), kind="stable")[:MOST_CLASSES])
    counts = counts[np.ix_(shown, shown)]
    names = [_short(str(classes[i])) for i in shown]
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(names)
    with style():
        side = min(7.6, 1.6 + 0.42 * size)
        figure = Figure(figsize=(side, side * 0.9), layout="constrained")
        axes = figure.add_subplot()
        for row in range(size):
            for column in range(size):
                axes.fill(
                    [column - 0.47, column + 0.47, column + 0.47, column - 0.47],
                    [row - 0.47, row - 0.47, row + 0.47, row + 0.47],
                    color=PALETTE["model"] if row == column else PALETTE["first"],
                    alpha=float(0.04 + 0.8 * share[row, column]),
                    linewidth=0,
                )
                if counts[row, column]:
                    axes.text(column, row, str(counts[row, column]), ha="center", va="center")
        turned = max(map(len, names), default=0) > 3
        axes.set_xticks(range(size), names, rotation=60 if turned else 0)
        axes.set_yticks(range(size), names)
        axes.set_xlim(-0.55, size - 0.45)
        axes.set_ylim(size - 0.45, -0.55)
        axes.grid(visible=False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        return inline(figure, "confusion", f"Confusion matrix of {size} classes")


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"
