"""Lay a report out as one HTML page that loads nothing."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from . import charts
from .svg import DARK, PALETTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
        _warnings(report),
        _figures(report),
        _forecasts(report),
        charts.steps_chart(dict(report.steps), report.metric),
        _calibration(report),
        _data(report),
        _split(report),
        _learning(report),
        f"<pre>{escape(_settings(report.configuration))}</pre>",
        _pairs(report.provenance.items()),
    )
    sections = "\n".join(
        f'<section id="{name.lower().replace(" ", "-")}"><h2>{name}</h2>\n{body}\n</section>'
        for name, body in zip(SECTIONS, bodies, strict=True)
    )
    lead = "".join(f"<p class='lead'>{escape(line)}</p>" for line in report.summary)
    title = escape(report.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_css()}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{lead}\n{sections}\n</main>\n</body>\n</html>\n"
    )


def _warnings(report: ForecastReport) -> str:
    if not report.warnings:
        return "<p>None: nothing looked for was found.</p>"
    return _list(report.warnings, "warnings")


def _figures(report: ForecastReport) -> str:
    metrics = list(dict.fromkeys(m for row in report.figures.values() for m in row))
    best = {
        m: min(
            (v for row in report.figures.values() if not math.isnan(v := row.get(m, math.nan))),
            default=None,
        )
        for m in metrics
        if not m.startswith(COVERAGE)
    }
    head = "".join(f"<th>{escape(m)}</th>" for m in metrics)
    rows = []
    for name, row in report.figures.items():
        cells = "".join(_cell(row.get(m), best.get(m)) for m in metrics)
        rows.append(f"<tr><th scope='row'>{escape(name)}</th>{cells}</tr>")
    return (
        "<p>On held-out windows, after the fitted part. Lower is better, and the best is bold; "
        "only a coverage should be the share it is named for.</p><div class='wide'><table>"
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(value: float | None, best: float | None) -> str:
    if value is None or math.isnan(value):
        return "<td class='none'>–</td>"
    shown = f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}"
    return f"<td><b>{shown}</b></td>" if value == best else f"<td>{shown}</td>"


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
    notes = _list(seen.notes, "notes") if seen.notes else ""
    return _pairs(facts.items()) + notes


def _split(report: ForecastReport) -> str:
    left = len(report.spans) - charts.SHOWN_SPANS
    more = f"<p>And {left:,} more series.</p>" if left > 0 else ""
    return (
        "<p>Fitted on the grey part; the coloured part, later in time, was held out.</p>"
        f"{charts.split_chart(report.spans)}{more}"
    )


def _learning(report: ForecastReport) -> str:
    epochs = len(report.curve.train)
    if not epochs:
        return "<p>Nothing was learned step by step.</p>"
    kept = ""
    if report.curve.best is not None:
        kept = f"; the weights of epoch {report.curve.best + 1} were kept"
    return f"<p>{epochs} epochs{kept}.</p>{charts.learning_chart(report.curve)}"


def _settings(values: Mapping[str, Any], prefix: str = "") -> str:
    """Nested settings as lines of `name = value`, with dotted names as on the command line."""
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines.append(_settings(value, f"{prefix}{name}."))
        else:
            lines.append(f"{prefix}{name} = {value}")
    return "\n".join(lines)


def _pairs(pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(f"<dt>{escape(str(k))}</dt><dd>{escape(str(v))}</dd>" for k, v in pairs)
    return f"<dl>{rows}</dl>"


def _list(lines: Iterable[str], kind: str) -> str:
    return f"<ul class='{kind}'>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _css() -> str:
    light = "".join(f"--{name}:{colour};" for name, colour in PALETTE.items())
    dark = "".join(f"--{name}:{colour};" for name, colour in DARK.items())
    return f"""
:root{{color-scheme:light dark;{light}--soft:#f5f6f8;--alarm:#b3261e}}
@media (prefers-color-scheme:dark){{:root{{{dark}--soft:#1e2227;--alarm:#ff8f85}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}}
main{{max-width:50rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}}
h1{{font-size:1.6rem;line-height:1.25;margin:0 0 1rem;font-weight:650}}
h2{{font-size:1.1rem;margin:2.75rem 0 .6rem;padding-top:.9rem;
border-top:1px solid var(--grid);font-weight:650}}
p{{margin:.4rem 0 .8rem;color:var(--muted)}}
p.lead{{color:var(--ink);font-size:1.06rem}}
figure{{margin:1.4rem 0 0}}
figcaption{{font-size:.92rem;font-weight:600;margin-bottom:.2rem}}
svg{{display:block;width:100%;height:auto}}
svg text{{font-family:inherit!important}}
table{{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.95rem}}
th,td{{padding:.32rem .9rem .32rem 0;text-align:right;border-bottom:1px solid var(--grid)}}
th{{font-weight:500;color:var(--muted)}}
th[scope=row],th:first-child{{text-align:left;color:var(--ink)}}
tbody tr:first-child th{{color:var(--model);font-weight:650}}
.none{{color:var(--muted)}}
.wide{{overflow-x:auto}}
.beside{{display:flex;flex-wrap:wrap;gap:2rem;align-items:center}}
.beside svg{{max-width:22rem}}
.beside tbody tr:first-child th{{color:inherit;font-weight:500}}
dl{{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:.5rem 0}}
dt{{color:var(--muted)}}
dd{{margin:0;overflow-wrap:anywhere}}
ul{{margin:.5rem 0;padding-left:1.2rem}}
ul.warnings li{{color:var(--alarm)}}
ul.notes{{color:var(--muted)}}
pre{{background:var(--soft);padding:.9rem 1rem;border-radius:6px;overflow-x:auto;
font:.86rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}}
@media print{{body{{font-size:11pt}}section{{break-inside:avoid}}}}
"""
