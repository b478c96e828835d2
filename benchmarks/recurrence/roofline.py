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

LAYERS = {"torch.nn.LSTM": ("peer_ms", COLOURS[0]), "Gatewise": ("ms", COLOURS[1])}
"""Column of the time, and colour."""

LEAST_INTENSITY = 1
"""Where the picture begins: left of where memory and processor take equally long."""


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


def draw(rows: Sequence[dict], target: Path) -> str | None:
    """Draw a panel a mode and number of threads.

    Returns:
        Why nothing was drawn, as a sentence; nothing if it was.
    """
    plain = [r for r in rows if r["part"] == "plain" and r["peer"] == "torch"]
    peaks = [r for r in rows if r["part"] == "peak"]
    missing = [name for name, found in (("plain", plain), ("peak", peaks)) if not found]
    if missing:
        return f"roofline is not drawn: there are no rows of {' and '.join(missing)}."
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shapes = list(dict.fromkeys(row["case"] for row in plain))
    threads = sorted({row["threads"] for row in peaks})
    figure, panels = pyplot.subplots(
        len(MODES), len(threads), figsize=(1.5 + 4.5 * len(threads), 8), sharex=True, sharey=True,
        squeeze=False, layout="constrained",
    )  # fmt: skip
    most = 2 * max(
        flops(shape, mode) / least_bytes(shape, mode)
        for shape in map(parse, shapes)
        for mode in MODES
    )
    for line, mode in zip(panels, MODES, strict=True):
        for panel, count in zip(line, threads, strict=True):
            _roof(panel, [row for row in peaks if row["threads"] == count], most)
            for row in plain:
                if row["mode"] == mode and row["threads"] == count:
                    _points(panel, row, str(shapes.index(row["case"]) + 1))
            said = f"{count} thread{'s' if count > 1 else ''}"
            panel.set_title(f"{TITLES[mode]}, {said}", fontsize=11)
            panel.loglog()
            panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0][0].get_legend_handles_labels()
    handles = dict(zip(labels, handles, strict=True))
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=3, frameon=False)
    key = [f"{k}: {shape}" for k, shape in enumerate(shapes, 1)]
    figure.text(1.01, 0.5, "\n".join(["batch x time x input x units", *key]), fontsize=9)
    figure.supxlabel("flops per byte that comes from memory or goes there at least")
    figure.supylabel("GFLOP/s")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=150, bbox_inches="tight")
    pyplot.close(figure)
    return None


def _roof(panel: Axes, peaks: Sequence[dict], most: float) -> None:
    """Draw what memory allows up to where the processor allows no more, and that from there on."""
    peak = max(row["peak_gflops"] for row in peaks)
    memory = max(row["memory_gb_s"] for row in peaks)
    corner = peak / memory
    heights = [LEAST_INTENSITY * memory, peak, peak]
    panel.plot([LEAST_INTENSITY, corner, most], heights, color=EVEN, linewidth=1)
    said = f"{peak:.0f} GFLOP/s, {memory:.0f} GB/s"
    panel.annotate(said, (corner, peak), (0, 4), textcoords="offset points", fontsize=9)


def _points(panel: Axes, row: dict, number: str) -> None:
    """Draw both layers' points of one shape: discs with its number."""
    shape = parse(row["case"])
    x = flops(shape, row["mode"]) / least_bytes(shape, row["mode"])
    for layer, (column, colour) in LAYERS.items():
        y = flops(shape, row["mode"]) / row[column] / 1e6
        panel.plot(x, y, "o", markersize=11, color=colour, label=layer)
        panel.annotate(number, (x, y), ha="center", va="center", fontsize=7, color="white")
