"""A chart of a monitored series: its readings, its score and the events in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .charts import _figure, _on_axis, _time_axis
from .svg import PALETTE, inline, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

MOST_POINTS = 800
"""Points of a line; of more the least and the greatest of each stretch are drawn."""

_COLOURS = ("actual", "second", "third", "fourth", "muted")


@dataclass(frozen=True)
class Watched:
    """What is drawn of one series.

    Args:
        name: Of the series.
        time: Stamps or step numbers, [readings].
        channels: Name to values, NaN where missing, [readings]; those that had most to do with
            the events.
        score: [readings].
        threshold: What it is compared with, [readings].
        events: First and last reading of each, int [events, 2].
        held_out: Reading from which on nothing was fitted; None for none.
    """

    name: str
    time: np.ndarray
    channels: Mapping[str, np.ndarray]
    score: np.ndarray
    threshold: np.ndarray
    events: np.ndarray
    held_out: int | None = None


def events_chart(watched: Watched, name: str) -> str:
    """Draw the channels above the score, with the events shaded in both.

    Args:
        watched: What is drawn.
        name: Prefix for the ids of the SVG.

    Example:
        >>> flat = np.ones(50)
        >>> event = np.array([[9, 12]])
        >>> drawn = Watched("a", np.arange(50), {"value": flat}, flat, 2 * flat, event)
        >>> events_chart(drawn, "a").startswith("<svg")
        True
    """
    with style():
        figure = _figure(7.6, 3.6)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        time = _on_axis(watched.time)
        for place, (channel, values) in enumerate(watched.channels.items()):
            colour = PALETTE[_COLOURS[place % len(_COLOURS)]]
            x, y = _thinned(time, values)
            above.plot(x, y, color=colour, linewidth=0.9, label=channel)
        x, y = _thinned(time, watched.score)
        below.plot(x, y, color=PALETTE["model"], linewidth=1.1, label="score")
        x, y = _thinned(time, watched.threshold)
        below.plot(x, y, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)),
                   label="threshold")  # fmt: skip
        for axes in (above, below):
            _shade(axes, time, watched)
            axes.margins(x=0.01)
        below.set_ylim(bottom=0)
        for axes in (above, below):
            axes.legend(loc="upper left", ncols=4, handlelength=1.4, borderaxespad=0.1)
        _time_axis(below, watched.time)
        label = f"{watched.name}: readings and score, {len(watched.events)} events shaded"
        return inline(figure, name, label)


def _shade(axes: Axes, time: np.ndarray, watched: Watched) -> None:
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    for first, last in watched.events.tolist():
        ends = float(time[first]) - step / 2, float(time[last]) + step / 2
        axes.axvspan(*ends, color=PALETTE["first"], alpha=0.25, linewidth=0)
    if watched.held_out is not None and watched.held_out < len(time):
        axes.axvline(time[watched.held_out], color=PALETTE["muted"], linewidth=1)


def _thinned(time: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each stretch, where there are too many to draw."""
    values = np.asarray(values, float)
    stretch = -(-len(values) // (MOST_POINTS // 2))
    if stretch < 3:
        return time, values
    whole = len(values) // stretch * stretch
    rows = values[:whole].reshape(-1, stretch)
    empty = np.isnan(rows).all(1)
    low = np.where(np.isnan(rows), np.inf, rows).argmin(1)
    high = np.where(np.isnan(rows), -np.inf, rows).argmax(1)
    within = np.sort(np.stack([low, high], 1), 1) + np.arange(len(rows))[:, None] * stretch
    drawn = values[within]
    drawn[empty] = np.nan
    return time[within.ravel()], drawn.ravel()
