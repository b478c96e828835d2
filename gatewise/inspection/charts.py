"""Draw a forecaster's charts with matplotlib, without touching the caller's pyplot."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from .svg import PALETTE, inline, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .report import ForecastReport, LearningCurve, Span, Window

_OTHERS = ("first", "second", "third", "fourth", "muted")
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 2, 1, 2)), (0, (2, 3)))
SHOWN_SPANS = 14
_VEIL = 0.16


def split_chart(spans: tuple[Span, ...]) -> str:
    """Draw which part of each series was fitted on and which was held out."""
    shown = spans[:SHOWN_SPANS]
    with style():
        figure, axes = _canvas(7.6, 0.75 + 0.24 * len(shown))
        for row, span in enumerate(shown):
            start, cut, end = _on_axis(np.asarray([span.start, span.cut, span.end]))
            axes.barh(row, cut - start, left=start, height=0.5, color=PALETTE["grid"])
            axes.barh(row, end - cut, left=cut, height=0.5, color=PALETTE["model"])
        axes.set_yticks(range(len(shown)), [_short(span.series) for span in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.grid(visible=False)
        _time_axis(axes, np.asarray([span.start for span in shown]))
        label = f"Time line of {len(shown)} series: fitted part, then held-out part"
        return inline(figure, "split", label)


def learning_chart(curve: LearningCurve) -> str:
    """Draw the loss on the fitted and on the held-out part, epoch by epoch."""
    train, valid = np.asarray(curve.train, float), np.asarray(curve.valid, float)
    with style():
        figure, axes = _canvas(7.6, 2.5)
        epochs = np.arange(1, len(train) + 1)
        mark = "o" if len(train) < 3 else None
        axes.plot(epochs, train, color=PALETTE["muted"], label="fitted", marker=mark)
        if len(valid):
            axes.plot(
                np.arange(1, len(valid) + 1),
                valid,
                color=PALETTE["model"],
                label="held out",
                marker=mark,
            )
        if curve.best is not None and curve.best < len(valid):
            axes.plot(
                curve.best + 1, valid[curve.best], "o", color=PALETTE["model"], label="weights kept"
            )
        _whole_steps(axes)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        _legend(axes)
        return inline(figure, "learning", "Loss on the fitted and the held-out part by epoch")


def window_chart(
    window: Window, quantiles: tuple[float, ...], baseline: str | None, name: str
) -> str:
    """Draw what was known, what came and what was forecast on one held-out window."""
    with style():
        figure, axes = _canvas(7.6, 2.35)
        _draw_window(axes, window, quantiles, baseline)
        _legend(axes)
        label = f"Forecast of {window.series} with intervals, beside what came"
        return inline(figure, name, label)


def steps_chart(steps: dict[str, np.ndarray], metric: str) -> str:
    """Draw the error at each step of the horizon, ours and the baselines'."""
    with style():
        figure, axes = _canvas(7.6, 2.8)
        for place, (name, values) in enumerate(steps.items()):
            axes.plot(np.arange(1, len(values) + 1), values, label=name, **_line(place))
        axes.set_ylim(bottom=0)
        _whole_steps(axes)
        axes.set_xlabel("steps ahead")
        axes.set_ylabel(metric)
        _legend(axes)
        return inline(figure, "steps", f"{metric} by step of the horizon, beside the baselines")


def calibration_chart(quantiles: tuple[float, ...], coverage: np.ndarray) -> str:
    """Draw how often what came lay at or below each quantile, beside how often it should."""
    with style():
        figure, axes = _canvas(3.6, 3.3)
        axes.plot([0, 1], [0, 1], color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(quantiles, coverage, "o-", color=PALETTE["model"], markersize=5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(visible=True, axis="both")
        axes.set_aspect("equal")
        axes.set_xlabel("promised: quantile")
        axes.set_ylabel("kept: share at or below it")
        return inline(figure, "calibration", "Observed coverage of each quantile")


def picture(report: ForecastReport) -> bytes:
    """Draw the held-out windows below each other, as PNG."""
    with style():
        import matplotlib

        rows = max(len(report.windows), 1)
        with matplotlib.rc_context({"figure.facecolor": PALETTE["paper"]}):
            figure = _figure(9.0, 0.5 + 2.5 * rows)
        for place, window in enumerate(report.windows):
            axes = figure.add_subplot(rows, 1, place + 1)
            _draw_window(axes, window, report.quantiles, report.baseline)
            axes.set_title(window_title(window, report.metric))
        if report.windows:
            handles, labels = _handles(figure.axes[0])
            figure.legend(handles, labels, loc="outside lower left", ncols=len(labels))
        figure.suptitle(report.title, x=0.01, ha="left", fontsize=12)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=130)
        return drawn.getvalue()


def window_title(window: Window, metric: str) -> str:
    """Name a window: its series, its standing and its error."""
    return f"{window.series}: {window.standing} window, {metric} {window.error:.3g}"


def _draw_window(
    axes: Axes, window: Window, quantiles: tuple[float, ...], baseline: str | None
) -> None:
    time = _on_axis(window.time)
    known = len(window.known)
    before, ahead = time[:known], time[known:]
    if known and len(ahead):
        axes.axvline((before[-1] + ahead[0]) / 2, color=PALETTE["grid"], linewidth=1.2)
    joined = np.concatenate([window.known[-1:], window.actual])
    dot = {"marker": "o", "markersize": 2.4} if len(ahead) < 30 else {}
    axes.plot(before, window.known, color=PALETTE["actual"], linewidth=1.1)
    axes.plot(
        time[len(time) - len(joined) :],
        joined,
        color=PALETTE["actual"],
        linewidth=1.1,
        label="came",
        zorder=2.5,
        **dot,
    )
    median = int(np.argmin(np.abs(np.asarray(quantiles) - 0.5)))
    axes.plot(
        ahead,
        window.forecast[:, median],
        color=PALETTE["model"],
        linewidth=1.8,
        label="forecast",
        zorder=3,
    )
    if window.baseline is not None and baseline:
        axes.plot(ahead, window.baseline, color=PALETTE["first"], linewidth=1.2, label=baseline)
    _draw_intervals(axes, ahead, window.forecast, quantiles)
    axes.margins(x=0.01)
    _time_axis(axes, window.time)


def _draw_intervals(
    axes: Axes, ahead: np.ndarray, forecast: np.ndarray, quantiles: tuple[float, ...]
) -> None:
    """Fill between each pair of quantiles, as dark in the legend as where the fills overlap."""
    through = 1.0
    for low in range(len(quantiles) // 2):
        high = len(quantiles) - 1 - low
        axes.fill_between(
            ahead,
            forecast[:, low],
            forecast[:, high],
            color=PALETTE["model"],
            alpha=_VEIL,
            linewidth=0,
        )
        through *= 1 - _VEIL
        name = f"{(quantiles[high] - quantiles[low]) * 100:.3g} % interval"
        axes.fill_between(
            [], [], [], color=PALETTE["model"], alpha=1 - through, linewidth=0, label=name
        )


def _line(place: int) -> dict[str, Any]:
    if place == 0:
        return {"color": PALETTE["model"], "linewidth": 2.2, "zorder": 3}
    turn = (place - 1) % len(_OTHERS)
    return {"color": PALETTE[_OTHERS[turn]], "linewidth": 1.3, "linestyle": _DASHES[turn]}


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = _figure(width, height)
    return figure, figure.add_subplot()


def _legend(axes: Axes) -> None:
    handles, labels = _handles(axes)
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(handles),
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.4,
    )


def _handles(axes: Axes) -> tuple[list[Any], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    lines_first = sorted(range(len(labels)), key=lambda i: labels[i].endswith("interval"))
    return [handles[i] for i in lines_first], [labels[i] for i in lines_first]


def _whole_steps(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))


def _on_axis(time: np.ndarray) -> np.ndarray:
    """Stamps as matplotlib's day numbers, step numbers as they are."""
    if not np.issubdtype(time.dtype, np.datetime64):
        return time.astype(float)
    from matplotlib.dates import date2num

    return np.asarray(date2num(time))


def _time_axis(axes: Axes, time: np.ndarray) -> None:
    if not np.issubdtype(time.dtype, np.datetime64):
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
