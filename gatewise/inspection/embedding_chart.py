"""Vectors on a map, and sequences beside what their vectors say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .svg import PALETTE, inline, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("model", "first", "second", "third", "fourth", "actual")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MOST_POINTS = 3000
MOST_LABELS = len(COLOURS) * len(MARKERS)


def map_chart(places: np.ndarray, labels: Sequence[Any] | None, name: str) -> str:
    """Draw vectors in a plane as an `<svg>` element, a colour and a shape for each label.

    Args:
        places: [vectors, 2].
        labels: One each; None where there are none. Beyond 42, labels share the last look.
        name: Keeps the element's ids apart from those of other charts.

    Example:
        >>> map_chart(np.zeros((3, 2)), ["a", "b", "a"], "map")[:15]
        '<svg role="img"'
    """
    from matplotlib.figure import Figure

    said = ["" if labels is None else str(label) for label in labels or [""] * len(places)]
    kept = np.linspace(0, len(places) - 1, min(len(places), MOST_POINTS)).astype(int)
    with style():
        figure = Figure(figsize=(7.2, 4.6), layout="constrained")
        axes = figure.add_subplot()
        for k, label in enumerate(sorted(set(said))):
            mine = [i for i in kept.tolist() if said[i] == label]
            axes.scatter(
                *places[mine].T,
                s=16,
                c=PALETTE[COLOURS[k % len(COLOURS)]],
                marker=MARKERS[min(k // len(COLOURS), len(MARKERS) - 1)],
                linewidths=0,
                alpha=0.8,
                label=_plain(label),
            )
        axes.set_xlabel("first direction")
        axes.set_ylabel("second direction")
        if 1 < len(set(said)) <= MOST_LABELS:
            figure.legend(loc="outside right upper", ncols=1 + len(set(said)) // 16)
        return inline(figure, name, "Vectors of the sequences on a plane")


def reconstructions_chart(pairs: Sequence[tuple[str, np.ndarray, np.ndarray]], name: str) -> str:
    """Draw sequences and what their vectors give back, as an `<svg>` element.

    Args:
        pairs: Title, sequence and reconstruction, [steps, channels] each; the channel of the
            largest range is shown.
        name: Keeps the element's ids apart from those of other charts.

    Example:
        >>> wave = np.sin(np.arange(9.0))[:, None]
        >>> reconstructions_chart([("wave", wave, wave)], "waves")[:15]
        '<svg role="img"'
    """
    from matplotlib.figure import Figure

    with style():
        columns = min(3, len(pairs))
        rows = -(-len(pairs) // columns)
        figure = Figure(figsize=(7.2, 1.9 * rows + 0.4), layout="constrained")
        every = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for axes, (title, real, back) in zip(every, pairs, strict=False):
            _draw_pair(axes, title, real, back)
        for axes in every[len(pairs) :]:
            axes.set_visible(False)
        figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower right", ncols=2)
        return inline(figure, name, "Sequences and their reconstructions")


def _draw_pair(axes: Axes, title: str, real: np.ndarray, back: np.ndarray) -> None:
    channel = int(np.ptp(real, axis=0).argmax())
    axes.plot(real[:, channel], color=PALETTE["actual"], marker="." if len(real) == 1 else "")
    axes.plot(back[:, channel], color=PALETTE["model"], marker="." if len(real) == 1 else "")
    axes.lines[0].set_label("sequence")
    axes.lines[1].set_label("from its vector")
    axes.set_title(_plain(title))


def _plain(text: str) -> str:
    """A title that is not too long, and no mathematics."""
    text = text if len(text) <= 28 else f"{text[:27]}…"
    return text.lstrip("_") or "no label"
