"""A fitted dialogue model as its report shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..decoders.answers import MEASURES, Answer
from ..inspection.task_report import TaskReport
from . import reporting
from .dialogue_measure import DialogueMeasure

if TYPE_CHECKING:
    from .dialogue import Dialogue

MOST = 15


def dialogue_report(model: Dialogue) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    measure, verdict = model.task_.measure, model.summary_
    if not isinstance(measure, DialogueMeasure) or verdict is None:
        raise AttributeError("there is a report after a fit that could hold something out only")
    answers = sorted(measure.answers, key=lambda each: -each[2].confidence)
    sure = [each for each in answers if not each[2].unsure]
    unsure = [each for each in answers if each[2].unsure]
    return TaskReport(
        title="Dialogue",
        summary=verdict.sentences,
        figures=verdict.table,
        lower_is_better=frozenset({"perplexity", "unsure"}),
        curve=reporting.curve(model),
        warnings=tuple(s for s in verdict.sentences if "loses" in s),
        sections=(
            ("Replies that it was sure of", _shown(sure[:MOST])),
            ("Where it was unsure", _shown(unsure[:MOST])),
        ),
        configuration=reporting.configuration(model),
        provenance=model.provenance_,
    )


def _shown(answers: list[tuple[str, str, Answer]]) -> str:
    """Turns that were held out, with what was said, what it would have said, and why."""
    if not answers:
        return "<p>There are none among what was held out.</p>"
    head = "".join(f"<th>{h}</th>" for h in ("said", "reply", "people's", "chance", *MEASURES))
    body = ""
    for turn, right, answer in answers:
        best = answer.proposals[0].text if answer.proposals else ""
        texts = "".join(f"<td>{escape(_short(text))}</td>" for text in (turn, best, right))
        numbers = "".join(f"<td>{n:.2f}</td>" for n in (answer.confidence, *answer.measures))
        body += f"<tr>{texts}{numbers}</tr>"
    return (
        f"<div class='wide'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
