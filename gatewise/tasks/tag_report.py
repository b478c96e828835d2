"""A fitted tagger as its report shows it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..data.tagging.scheme import scheme_of
from ..evaluation import tags as scores
from ..inspection.task_report import TaskReport
from . import reporting
from .tag_measure import Judged, TagMeasure

if TYPE_CHECKING:
    from .tagging import SequenceTagger

WORST, MOST_TAGS, LONGEST = 12, 24, 120


def tag_report(model: SequenceTagger) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    measure, verdict = model.task_.measure, model.summary_
    if not isinstance(measure, TagMeasure) or measure.judged_ is None or verdict is None:
        raise AttributeError("there is a report after a fit that could hold something out only")
    judged, sentences = measure.judged_, verdict.sentences
    return TaskReport(
        title="Tags of " + ", ".join(judged.found),
        summary=sentences,
        figures=verdict.table,
        curve=reporting.curve(model),
        warnings=tuple(s for s in sentences if s.startswith("This model") or "scheme" in s),
        sections=tuple(section for name in judged.found for section in _sections(judged, name)),
        configuration=reporting.configuration(model),
        provenance=model.provenance_,
    )


def _sections(judged: Judged, name: str) -> list[tuple[str, str]]:
    true, found = judged.tagged.labels[name], judged.found[name]
    kinds = {tag for tags in true for tag in tags if tag is not None}
    of = f" of {name}" if len(judged.found) > 1 else ""
    sections = []
    if scheme_of(kinds) is not None:
        sections.append((f"Spans{of}", _rates(scores.span_scores(true, found), "spans")))
    return [
        *sections,
        (f"Tags{of}", _rates(scores.per_tag(true, found), "tokens")),
        (f"Confusions{of}", _confusions(true, found, sorted(kinds))),
        (f"Worst sequences{of}", _worst(judged, name)),
    ]


def _rates(table: dict[str, dict[str, float]], counted: str) -> str:
    """Precision, recall and F1, the most frequent first."""
    rows = sorted(table.items(), key=lambda row: -row[1][counted])
    body = "".join(
        f"<tr><th scope='row'>{escape(tag)}</th>"
        + "".join(f"<td>{row[metric]:.3f}</td>" for metric in ("precision", "recall", "f1"))
        + f"<td>{row[counted]:,}</td></tr>"
        for tag, row in rows
    )
    head = "".join(f"<th>{h}</th>" for h in ("", "precision", "recall", "F1", counted))
    return (
        f"<div class='wide'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _confusions(
    true: Sequence[Sequence[str | None]], found: Sequence[Sequence[str]], tags: list[str]
) -> str:
    """Rows are what a tag is, columns what it was taken for; the darker, the more of its row."""
    counts = scores.confusion(true, found, tags)
    order = np.argsort(-counts.sum(1), kind="stable")[:MOST_TAGS]
    left = len(tags) - len(order)
    head = "".join(f"<th>{escape(tags[k])}</th>" for k in order)
    body = ""
    for i in order:
        total = max(1, counts[i].sum())
        cells = "".join(
            f"<td style='background:color-mix(in srgb,"
            f"var({'--model' if i == j else '--alarm'}) {60 * counts[i, j] / total:.0f}%,"
            f"transparent)'>{counts[i, j] or ''}</td>"
            for j in order
        )
        body += f"<tr><th scope='row'>{escape(tags[i])}</th>{cells}</tr>"
    more = f"<p>{left} rarer tags are left out.</p>" if left else ""
    return (
        "<p>Rows: what a tag is; columns: what was given.</p>"
        f"<div class='wide'><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{more}"
    )


def _worst(judged: Judged, name: str) -> str:
    """Sequences with the most wrong tags, which are marked; what is right is said beneath."""
    true, found = judged.tagged.labels[name], judged.found[name]
    wrong = [
        sum(a is not None and a != b for a, b in zip(t, f, strict=True))
        for t, f in zip(true, found, strict=True)
    ]
    order = np.argsort([-count for count in wrong], kind="stable")[:WORST]
    rows = "".join(
        f"<dt>{escape(judged.tagged.names[i])}</dt><dd>{_marked(judged, true[i], found[i], i)}</dd>"
        for i in order
        if wrong[i]
    )
    said = "<p>Wrong tags are marked: given, then in brackets what it is.</p>"
    return said + f"<dl>{rows}</dl>" if rows else "<p>All are right.</p>"


def _marked(judged: Judged, true: Sequence[str | None], found: Sequence[str], i: int) -> str:
    tokens = judged.tagged.tokens[i] if judged.tagged.tokens is not None else range(len(found))
    parts = []
    for token, tag, given in list(zip(tokens, true, found, strict=True))[:LONGEST]:
        word = escape(str(token))
        if tag is not None and tag != given:
            word = f"<mark>{word}</mark><sub>{escape(given)} ({escape(tag)})</sub>"
        parts.append(word)
    return " ".join(parts) + (" …" if len(found) > LONGEST else "")
