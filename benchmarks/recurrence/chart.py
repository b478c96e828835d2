"""The plain LSTM's ratios as bars: a panel a mode, a group a shape, a bar a number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

MODES = ("inference", "all steps", "last step")
TITLES = {
    "inference": "Inference",
    "all steps": "Training, loss on all steps",
    "last step": "Training, loss on the last step",
}
COLOURS = ("#9ecae1", "#2171b5")
EVEN = "#444444"


def draw(rows: Sequence[dict], target: Path) -> None:
    """Draw torch's time over ours; a picture without bars is not drawn."""
    rows = [row for row in rows if row["part"] == "plain" and row["peer"] == "torch"]
    if not rows:
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shapes = list(dict.fromkeys(row["case"] for row in rows))
    threads = sorted({row["threads"] for row in rows})
    figure, panels = pyplot.subplots(
        1, len(MODES), figsize=(12, 0.55 * len(shapes) + 1.6), sharey=True, layout="constrained"
    )
    for panel, mode in zip(panels, MODES, strict=True):
        height = 0.8 / len(threads)
        for k, (count, colour) in enumerate(zip(threads, COLOURS, strict=False)):
            ratio = {
                r["case"]: r["ratio"] for r in rows if r["mode"] == mode and r["threads"] == count
            }
            places = [n + (k - (len(threads) - 1) / 2) * height for n in range(len(shapes))]
            label = f"{count} thread{'s' if count > 1 else ''}"
            widths = [ratio[shape] for shape in shapes]
            bars = panel.barh(places, widths, height, color=colour, label=label)
            panel.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
        panel.axvline(1, color=EVEN, linewidth=1)
        panel.set_title(TITLES[mode], fontsize=11)
        panel.set_yticks(range(len(shapes)), shapes, fontsize=9)
        panel.margins(x=0.15)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    panels[0].set_ylabel("batch x time x input x units")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(threads), frameon=False)
    figure.supxlabel("torch.nn.LSTM's time over Gatewise's; beyond the line Gatewise is quicker")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=150)
    pyplot.close(figure)
