"""Figures of the pages, with matplotlib but without touching the caller's pyplot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gatewise.inspection.svg import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "PALETTE", "canvas", "lines", "logarithmic", "save"]

COLOURS = tuple(PALETTE[name] for name in ("model", "first", "second", "third", "fourth", "muted"))


def canvas(width: float = 7.6, height: float = 3.0, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure with panels side by side; call it under `style`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [figure.add_subplot(1, panels, k + 1) for k in range(panels)]


def lines(
    axes: Axes, series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, mark: str = ""
) -> None:
    """Draw named lines, each in its colour, with a legend over the panel."""
    for (name, (x, y)), colour in zip(series.items(), COLOURS * 3, strict=False):
        axes.plot(x, y, mark + "-", label=name, color=colour, markersize=4)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, handlelength=1.4, columnspacing=1.2
    )


def logarithmic(axis: Axis) -> None:
    """Give an axis a logarithmic scale with plain numbers; the style has no mathematics in text."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    scaled = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    scaled("log")
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def save(figure: Figure, path: Path) -> None:
    """Write an SVG that is the same for the same figure."""
    import matplotlib

    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with style(), matplotlib.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, format="svg", metadata=nothing, facecolor=PALETTE["paper"])
