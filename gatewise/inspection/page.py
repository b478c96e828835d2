"""Lay a report out as one HTML page that loads nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from . import charts, sheet

if TYPE_CHECKING:
    from .report import ForecastReport

SECTIONS = (
    "Warnings",
    "Figures",
    "Forecasts",
    "Error by step",
    "Calibration",
    "Data",
    "Split",
    "Learning",
    "Configuration",
    "Provenance",
)

COVERAGE = "coverage"
"""How the names of metrics begin of which lower is not better."""


def page(report: ForecastReport) -> str:
    """Write the whole page.

    Example:
        >>> from gatewise.inspection.example import example_report
        >>> text = page(example_report(horizon=2))
        >>> all(f"<h2>{section}</h2>" in text for section in SECTIONS), "http" in text
        (True, False)
    """
    bodies = (
        sheet.warnings(report.warnings),
        _figures(report),
        _forecasts(report),
        charts.steps_chart(dict(report.steps), report.metric),
        _calibration(report),
        _data(report),
        _split(report),
        sheet.learning(report.curve),
        sheet.configuration(report.configuration),
        sheet.pairs(report.provenance.items()),
    )
    return sheet.sheet(report.title, report.summary, zip(SECTIONS, bodies, strict=True))


def _figures(report: ForecastReport) -> str:
    def least(metric: str, values: list[float]) -> float | None:
        return None if metric.startswith(COVERAGE) else min(values)

    return (
        "<p>On held-out windows, after the fitted part. Lower is better, and the best is bold; "
        "only a coverage should be the share it is named for.</p>"
        f"{sheet.figures(report.figures, least)}"
    )


def _forecasts(report: ForecastReport) -> str:
    if not report.windows:
        return "<p>No window was held out, so there is none to show.</p>"
    shown = (
        f"<figure><figcaption>{escape(charts.window_title(window, report.metric))}</figcaption>"
        f"{charts.window_chart(window, report.quantiles, report.baseline, f'window{place}')}"
        "</figure>"
        for place, window in enumerate(report.windows)
    )
    return "<p>Windows that the fit has not seen.</p>" + "\n".join(shown)


def _calibration(report: ForecastReport) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{level:g}</th><td>{share:.3f}</td></tr>"
        for level, share in zip(report.quantiles, report.coverage, strict=True)
    )
    return (
        "<p>A forecast that keeps its promises lies on the diagonal: 10 % of what came is at or "
        "below the quantile 0.1.</p><div class='beside'>"
        f"{charts.calibration_chart(report.quantiles, report.coverage)}"
        "<table><thead><tr><th>quantile</th><th>at or below</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _data(report: ForecastReport) -> str:
    seen = report.seen
    steps = f"{seen.shortest:,}"
    if seen.longest != seen.shortest:
        steps = f"{seen.shortest:,} to {seen.longest:,}"
    facts = {
        "Source": seen.source,
        "Series": f"{seen.series:,}",
        "Steps in a series": steps,
        "Clock": seen.freq or "plain step numbers",
        "From": seen.first,
        "To": seen.last,
        "Values": f"{seen.points:,}",
        "Missing": f"{seen.missing:.2%}",
    }
    notes = sheet.items(seen.notes, "notes") if seen.notes else ""
    return sheet.pairs(facts.items()) + notes


def _split(report: ForecastReport) -> str:
    left = len(report.spans) - charts.SHOWN_SPANS
    more = f"<p>And {left:,} more series.</p>" if left > 0 else ""
    return (
        "<p>Fitted on the grey part; the coloured part, later in time, was held out.</p>"
        f"{charts.split_chart(report.spans)}{more}"
    )
