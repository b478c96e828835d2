"""How near the plain LSTM comes to what the processor and its memory allow, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .chart import COLOURS, EVEN, TITLES
from .peak import BACKWARD
from .shapes import Shape, lstm_flops, parse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODES = ("inference", "all steps")
KEPT = 4
"""Numbers that a step leaves for its backward pass, a unit: the gates, as all else follows."""

NUMBER = 4
"""Bytes of a number."""

LAYERS = {
    "torch.nn.LSTM": ("peer_ms", COLOURS[0], EVEN),
    "Gatewise": ("ms", COLOURS[1], "white"),
}
"""Column of the time, colour, and colour of the number on it."""

EDGES = (2.0, 2000.0)
"""The least and the most flops per byte that the picture shows."""


def flops(shape: Shape, mode: str) -> int:
    """Multiplications and additions of the products."""
    return lstm_flops(shape) * (1 if mode == "inference" else 1 + BACKWARD)


def least_bytes(shape: Shape, mode: str) -> int:
    """Bytes that come from memory or go there at least.

    Inference reads input and weights, and writes the output. Training also writes gates; later it
    reads them, input, output and its gradient, and writes the gradients of input and weights.
    """
    batch, time, inputs, hidden = shape
    steps = batch * time
    weights = 4 * hidden * (inputs + hidden + 2)
    numbers = weights + steps * (inputs + hidden)
    if mode != "inference":
        numbers += weights + steps * (2 * KEPT * hidden + 2 * inputs + 2 * hidden)
    return NUMBER * numbers


def draw(rows: Sequence[dict], target: Path) -> list[str]:
    """Draw a panel a mode and number of threads.

    Returns:
        A sentence that says why nothing was drawn, if so.
    """
    plain = [r for r in rows if r["part"] == "plain" and r["peer"] == "torch"]
    peaks = [r for r in rows if r["part"] == "peak"]
    missing = [name for name, found in (("plain", plain), ("peak", peaks)) if not found]
    if missing:
        return [f"roofline is not drawn: there are no rows of {' and '.join(missing)}."]
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shapes = list(dict.fromkeys(row["case"] for row in plain))
    threads = sorted({row["threads"] for row in peaks})
    figure, grid = pyplot.subplots(
        len(MODES), len(threads), figsize=(5 * len(threads) + 2, 8), sharex=True, sharey=True,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for panels, mode in zip(grid, MODES, strict=True):
        for panel, count in zip(panels, threads, strict=True):
            _roof(panel, [row for row in peaks if row["threads"] == count])
            for row in plain:
                if row["mode"] == mode and row["threads"] == count:
                    _points(panel, row, shapes.index(row["case"]) + 1)
            panel.set_title(
                f"{TITLES[mode]}, {count} thread{'s' if count > 1 else ''}", fontsize=11
            )
            panel.spines[["top", "right"]].set_visible(False)
    marks = [
        pyplot.Line2D([], [], marker="o", linestyle="", markersize=11, color=colour, label=layer)
        for layer, (_, colour, _) in LAYERS.items()
    ]
    marks += [
        pyplot.Line2D([], [], linestyle="", marker=f"${k}$", color=EVEN, label=shape)
        for k, shape in enumerate(shapes, 1)
    ]
    figure.legend(handles=marks, loc="outside right upper", frameon=False)
    figure.supxlabel(
        "multiplications and additions per byte that has to come from memory or go there"
    )
    figure.supylabel("GFLOP/s")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=150)
    pyplot.close(figure)
    return []


def _roof(panel: Axes, peaks: Sequence[dict]) -> None:
    """Draw what memory allows, up to where the processor allows no more."""
    peak = max(row["peak_gflops"] for row in peaks)
    memory = max(row["memory_gb_s"] for row in peaks)
    corner = (peak / memory, peak)
    left, right = EDGES
    panel.loglog([left, corner[0], right], [left * memory, peak, peak], color=EVEN, linewidth=1)
    panel.set_xlim(*EDGES)
    panel.margins(y=0.1)
    said = f"{peak:.0f} GFLOP/s and {memory:.0f} GB/s"
    panel.annotate(said, corner, (0, 5), textcoords="offset points", fontsize=9)


def _points(panel: Axes, row: dict, number: int) -> None:
    """Draw both layers' points of a shape, with its number."""
    shape = parse(row["case"])
    work = flops(shape, row["mode"])
    for column, colour, on in LAYERS.values():
        point = work / least_bytes(shape, row["mode"]), work / row[column] / 1e6
        panel.plot(*point, "o", markersize=11, color=colour)
        panel.annotate(str(number), point, ha="center", va="center", fontsize=8, color=on)
