"""One HTML page that loads nothing, and the parts that reports have in common."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from . import charts
from .svg import DARK, PALETTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .report import LearningCurve


def sheet(title: str, lead: Iterable[str], sections: Iterable[tuple[str, str]]) -> str:
    """Write a whole page.

    Args:
        title: Plain text.
        lead: Sentences under the title, plain text.
        sections: Heading, plain text, and body, HTML, of each section.

    Example:
        >>> text = sheet("A & B", ["It works."], [("Figures", "<p>1</p>")])
        >>> "<h1>A &amp; B</h1>" in text, '<section id="figures"><h2>Figures</h2>' in text
        (True, True)
    """
    body = "\n".join(
        f'<section id="{escape(name.lower().replace(" ", "-"))}"><h2>{escape(name)}</h2>\n'
        f"{inner}\n</section>"
        for name, inner in sections
    )
    led = "".join(f"<p class='lead'>{escape(line)}</p>" for line in lead)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_css()}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{led}\n{body}\n</main>\n</body>\n</html>\n"
    )


def warnings(lines: Iterable[str]) -> str:
    """List what a user should worry about, or say that there is nothing."""
    lines = tuple(lines)
    return items(lines, "warnings") if lines else "<p>None: nothing looked for was found.</p>"


def figures(
    table: Mapping[str, Mapping[str, float]], best: Callable[[str, list[float]], float | None]
) -> str:
    """Write figures as a table with the best of each column in bold.

    Args:
        table: Row to metric to value; the model's own row first.
        best: Metric and its values to the best of them; None where none is.
    """
    metrics = list(dict.fromkeys(m for row in table.values() for m in row))
    bold = {}
    for metric in metrics:
        held = (row.get(metric, math.nan) for row in table.values())
        known = [v for v in held if not math.isnan(v)]
        bold[metric] = best(metric, known) if known else None
    head = "".join(f"<th>{escape(m)}</th>" for m in metrics)
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>"
        f"{''.join(_cell(row.get(m), bold[m]) for m in metrics)}</tr>"
        for name, row in table.items()
    )
    return (
        f"<div class='wide'><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def learning(curve: LearningCurve) -> str:
    """Draw the learning curve, and say which weights were kept."""
    epochs = len(curve.train)
    if not epochs:
        return "<p>Nothing was learned step by step.</p>"
    kept = "" if curve.best is None else f"; the weights of epoch {curve.best + 1} were kept"
    return f"<p>{epochs} epochs{kept}.</p>{charts.learning_chart(curve)}"


def configuration(values: Mapping[str, Any]) -> str:
    """Show nested settings as lines of `name = value`, with dotted names as on the command line."""
    return f"<pre>{escape(_lines(values))}</pre>"


def pairs(held: Iterable[tuple[str, Any]]) -> str:
    """List names and what they stand for."""
    rows = "".join(f"<dt>{escape(str(k))}</dt><dd>{escape(str(v))}</dd>" for k, v in held)
    return f"<dl>{rows}</dl>"


def items(lines: Iterable[str], kind: str) -> str:
    """List sentences; `kind` is their class in the style sheet."""
    return f"<ul class='{kind}'>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _lines(values: Mapping[str, Any], prefix: str = "") -> str:
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines.append(_lines(value, f"{prefix}{name}."))
        else:
            lines.append(f"{prefix}{name} = {value}")
    return "\n".join(lines)


def _cell(value: float | None, best: float | None) -> str:
    if value is None or math.isnan(value):
        return "<td class='none'>–</td>"
    shown = f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}"
    return f"<td><b>{shown}</b></td>" if value == best else f"<td>{shown}</td>"


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
