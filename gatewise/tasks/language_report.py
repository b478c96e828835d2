"""The report on a language model: figures, what it writes, what surprised it."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from ..data.batches import Batches
from ..data.language.streams import WARM_UP
from ..decoders.sampling_spec import Sampling
from ..inspection.surprise import surprise_text
from ..inspection.task_report import TaskReport
from ..train import frozen
from .reporting import checkpoints, configuration, curve

if TYPE_CHECKING:
    from .language_model import LanguageModel

TEMPERATURES = (0.5, 0.8, 1.0)
WRITTEN = 400
"""Tokens of each sample."""

SHOWN = 8
"""Lines that surprised the model most."""

READ = 200_000
"""Tokens of the held-out part, its first ones, among whose lines those are looked for."""

SHORTEST, LONGEST = 8, 400
"""Tokens of a line that may be among them; a longer one is cut."""

READERS = 16


def language_report(model: LanguageModel) -> TaskReport:
    """Put together what there is to see.

    Raises:
        AttributeError: The model was not fitted here.
    """
    if not hasattr(model, "data_") or getattr(model.data_, "valid_", None) is None:
        raise AttributeError("there is a report after fit, where something was held out")
    summary = model.summary_
    sections = []
    if model.direction == "forward":
        sections.append(("Samples", _samples(model)))
        sections.append(("Samples while it learned", checkpoints(model, _text, "nats")))
    sections.append(("Worst lines", _worst(model)))
    return TaskReport(
        title="Language model",
        summary=summary.sentences if summary else (),
        figures=summary.table if summary else {},
        curve=curve(model),
        lower_is_better=frozenset({"nats_per_token", "bits_per_character", "perplexity"}),
        sections=tuple(sections),
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _samples(model: LanguageModel) -> str:
    shown = []
    for temperature in TEMPERATURES:
        text = model.generate(sampling=Sampling(temperature, seed=0), most=WRITTEN)
        shown.append(f"<h3>Temperature {temperature}</h3>{_text(text)}")
    return "".join(shown)


def _text(text: str) -> str:
    return f"<pre style='white-space:pre-wrap'>{escape(text)}</pre>"


def _worst(model: LanguageModel) -> str:
    """Lines of the held-out part by their mean surprise, the worst ones first."""
    lines = [line for line in _lines(model) if len(line) >= SHORTEST]
    lines.sort(key=lambda line: -sum(nats for _, nats in line) / len(line))
    glue = " " if model.tokens.unit == "word" else ""
    shown = "".join(surprise_text(line, glue) for line in lines[:SHOWN])
    return (
        "<p>Lines of the held-out part with the most surprise per token; the darker a token, the "
        f"less it was expected.</p>{shown or '<p>None is long enough.</p>'}"
    )


def _lines(model: LanguageModel) -> list[list[tuple[str, float]]]:
    """Lines of the held-out part's beginning, token by token with their surprise."""
    data: Any = model.data_
    valid = data.valid_
    first = max(0, valid.start - 1 - WARM_UP)
    part = replace(
        valid, tokens=valid.tokens[first : valid.start + READ], start=valid.start - first
    )
    with frozen(model.network_):
        answers = [model.task_.decode(model.network_, batch) for batch in Batches(part, READERS)]
    table = data.undo(part, answers)
    lines: list[list[tuple[str, float]]] = [[]]
    for token, nats in zip(table["token"], table["nats"].tolist(), strict=True):
        lines[-1].append((token, nats))
        if token in ("\n", "<0x0A>", "</s>") or len(lines[-1]) == LONGEST:
            lines.append([])
    return lines
