"""What a report on a forecaster shows: arrays, names and sentences, and no estimator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@dataclass(frozen=True)
class Seen:
    """The data as it was read.

    Args:
        source: Where it came from: a file name, or "a pandas frame".
        series: Number of series.
        points: Observed values, all series together.
        shortest: Steps of the shortest series.
        longest: Steps of the longest series.
        freq: The clock ("h", "D", ...); None for plain step numbers.
        first: Earliest stamp, as it should be shown.
        last: Latest stamp, as it should be shown.
        missing: Share of steps without a value, 0 to 1.
        notes: What was guessed, filled or dropped, a sentence each.

    Example:
        >>> Seen("a.csv", 1, 90, 100, 100, "D", "2024-01-01", "2024-04-09", 0.1).points
        90
    """

    source: str
    series: int
    points: int
    shortest: int
    longest: int
    freq: str | None
    first: str
    last: str
    missing: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """One series on the time line: fitted on from `start` to `cut`, held out from there to `end`.

    Args:
        series: Its name.
        start: First step: a `datetime64`, or a step number.
        cut: First step that is held out.
        end: Last step.

    Example:
        >>> Span("a", 0, 80, 100).cut
        80
    """

    series: str
    start: Any
    cut: Any
    end: Any


@dataclass(frozen=True)
class LearningCurve:
    """Loss after each epoch.

    Args:
        train: On what was fitted, [epochs].
        valid: On what was held out, [epochs]; empty where nothing was.
        best: Epoch whose weights were kept, from 0.

    Example:
        >>> LearningCurve([0.9, 0.6], [0.8, 0.7], best=1).best
        1
    """

    train: np.ndarray | list[float]
    valid: np.ndarray | list[float]
    best: int | None = None


@dataclass(frozen=True)
class Window:
    """One held-out window of one series: what was known, what came, what was forecast.

    Args:
        series: Its name.
        standing: Its place among all windows: "best", "median" or "worst".
        error: Its error, in the report's metric.
        time: `datetime64` or step numbers, [known + horizon].
        known: Values before the forecast, NaN where missing, [known].
        actual: Values that came, NaN where missing, [horizon].
        forecast: One column per quantile of the report, [horizon, quantiles].
        baseline: What the named baseline said, [horizon]; None where it is not shown.

    Example:
        >>> import numpy as np
        >>> Window("a", "best", 0.5, np.arange(3), np.zeros(2), np.ones(1), np.ones((1, 3))).error
        0.5
    """

    series: str
    standing: str
    error: float
    time: np.ndarray
    known: np.ndarray
    actual: np.ndarray
    forecast: np.ndarray
    baseline: np.ndarray | None = None


@dataclass(frozen=True)
class ForecastReport:
    """All that the report on a forecaster shows.

    Args:
        title: What was fitted, on what.
        summary: The verdict, a sentence each.
        warnings: What a user should worry about, a sentence each; empty when nothing.
        seen: The data.
        spans: The split, one per series.
        curve: The learning curve.
        quantiles: Levels of the forecasts, ascending, [quantiles].
        windows: Held-out windows worth looking at.
        baseline: Name of the baseline that `windows` show.
        metric: Name of the error that `steps` and `windows` hold.
        steps: Forecaster to its error at each step of the horizon, [horizon]; ours first.
        figures: Forecaster to metric to value; ours first.
        coverage: Share of held-out values at or below each quantile, [quantiles].
        configuration: The resolved configuration: names to values, nested.
        provenance: Versions, seed, hash of the data, time: names to words.

    Example:
        >>> from gatewise.inspection.example import example_report
        >>> page = example_report().html()
        >>> page.startswith("<!doctype html>"), "<h2>Calibration</h2>" in page
        (True, True)
    """

    title: str
    seen: Seen
    spans: tuple[Span, ...]
    curve: LearningCurve
    quantiles: tuple[float, ...]
    windows: tuple[Window, ...]
    metric: str
    steps: Mapping[str, np.ndarray]
    figures: Mapping[str, Mapping[str, float]]
    coverage: np.ndarray
    summary: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    baseline: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """Lay it out as one page that loads nothing: style and charts are inside it."""
        from .page import page

        return page(self)

    def png(self) -> bytes:
        """Draw the held-out windows as one picture."""
        from .charts import picture

        return picture(self)

    def save(self, path: str | Path) -> None:
        """Write the page (`.html`) or the picture (`.png`) to a file, whole or not at all."""
        path = Path(path)
        write_whole(path, self.png() if path.suffix.lower() == ".png" else self.html().encode())
