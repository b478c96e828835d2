"""A fitted dialogue model as its report shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, cast

from ..data.text.words import split_words
from ..decoders.answers import MEASURES, Answer
from ..decoders.reply import RIGHT
from ..evaluation.dialogue import overlap
from ..inspection.alignment import MOST as MOST_TOKENS
from ..inspection.alignment import alignment_chart
from ..inspection.task_report import TaskReport
from . import reporting
from .dialogue_measure import DialogueMeasure
from .dialogue_writing import attended, sampled

if TYPE_CHECKING:
    from ..data.dialogue.dialogues import Dialogues
    from .dialogue import Dialogue

MOST = 15


def dialogue_report(model: Dialogue) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    measure, verdict = model.task_.measure, model.summary_
    held_out = cast("Dialogues", model.data_).valid_
    if not isinstance(measure, DialogueMeasure) or verdict is None or held_out is None:
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
            ("Sure, and least like what people said", _shown(_worst(sure)[:MOST])),
            ("Where it was unsure", _shown(unsure[:MOST])),
            ("Written while it learned", _checkpoints(model)),
            ("Where it looks while it writes", _attention(model)),
        ),
        configuration=reporting.configuration(model),
        provenance=model.provenance_,
    )


def _worst(answers: list[tuple[str, str, Answer]]) -> list[tuple[str, str, Answer]]:
    """Answers by the words they share with people's, the fewest first."""

    def shared(each: tuple[str, str, Answer]) -> float:
        return overlap(*(split_words(text.lower()) for text in (each[2].text, each[1])))

    return sorted((each for each in answers if shared(each) < RIGHT), key=shared)


def _checkpoints(model: Dialogue) -> str:
    """Held-out turns, and what was written to them, greedily, at some looks at them."""
    turns = [context[-1] for context in sampled(cast("Dialogues", model.data_))]

    def shown(sample: str) -> str:
        rows = zip(turns, sample.split("\n"), strict=False)
        return "<dl>" + "".join(
            f"<dt>{escape(_short(turn))}</dt><dd>{escape(reply)}</dd>" for turn, reply in rows
        ) + "</dl>"  # fmt: skip

    return reporting.checkpoints(model, shown, "nats, of writing and ranking")


def _attention(model: Dialogue) -> str:
    """Pictures of where the decoder looked in the last turn."""
    data = cast("Dialogues", model.data_)
    drawn = (
        f'<figure style="max-width:{4 + 3 * min(len(turn), MOST_TOKENS)}rem">'
        f"{alignment_chart(turn, reply, weights, f'attention-{k}')}</figure>"
        for k, (turn, reply, weights) in enumerate(attended(model.network_, data, sampled(data)))
        if reply and turn
    )
    said = "<p>Each row is a word that was written, and shows where in the last turn it looked.</p>"
    return said + "".join(drawn)


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
