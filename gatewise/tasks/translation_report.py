"""A fitted translator as its report shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, cast

from ..inspection.alignment import MOST, alignment_chart
from ..inspection.task_report import TaskReport
from . import reporting
from .translating import worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..data.pairs.lines import PairLines
    from ..data.pairs.pairs import Pairs
    from .translating import Figures
    from .translation import Translator

PICTURES, WORST = 4, 10


def translation_report(model: Translator) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    data, figures = cast("Pairs", model.data_), cast("Figures", model.task_.measure)
    translations = figures.translations
    if translations is None or data.valid_ is None or model.summary_ is None:
        raise AttributeError("there is a report after a fit that could hold something out only")
    sentences = model.summary_.sentences
    return TaskReport(
        title=f"Translation, learned from {data.count_:,} pairs",
        summary=(*sentences, *data.notes_),
        figures=model.summary_.table,
        curve=reporting.curve(model),
        warnings=tuple(s for s in sentences if s.startswith("This model loses")),
        sections=(
            ("Alignments", _alignments(model, data.valid_.pairs)),
            ("Translations while it learned", _checkpoints(model, data.valid_.pairs)),
            ("Worst translations", _worst(translations, data.valid_.pairs)),
        ),
        configuration=reporting.configuration(model),
        provenance=model.provenance_,
    )


def _alignments(model: Translator, pairs: PairLines) -> str:
    """Pictures of the first sentences that were held out."""
    if model.writer.attention == "none":
        return "<p>The decoder has no attention: it looks at nothing but the last state.</p>"
    shown = model.alignments(pairs.sources[:PICTURES])
    drawn = (
        f'<figure style="max-width:{4 + 3 * min(len(one.source), MOST)}rem">'
        f"{alignment_chart(one.source, one.target, one.weights, f'alignment-{k}')}</figure>"
        for k, one in enumerate(shown)
        if one.target
    )
    said = "<p>Each row is a token that was written, and shows where the network looked.</p>"
    return said + "".join(drawn)


def _checkpoints(model: Translator, pairs: PairLines) -> str:
    """The first sentences that were held out, as they were translated at some looks at them."""

    def shown(sample: str) -> str:
        # A sample has a line for each of them.
        rows = zip(pairs.sources, sample.split("\n"), strict=False)
        return "<dl>" + "".join(
            f"<dt>{escape(source)}</dt><dd>{escape(found)}</dd>" for source, found in rows
        ) + "</dl>"  # fmt: skip

    return "<p>Greedily.</p>" + reporting.checkpoints(model, shown, "nats")


def _worst(translations: Sequence[str], pairs: PairLines) -> str:
    """The sentences that are least like their references."""
    assert pairs.targets is not None
    rows = "".join(
        f"<dt>source</dt><dd>{escape(pairs.sources[k])}</dd>"
        f"<dt>reference</dt><dd>{escape(pairs.targets[k])}</dd>"
        f"<dt>translation</dt><dd>{escape(translations[k])}</dd><dt></dt><dd>&nbsp;</dd>"
        for k in worst(translations, pairs.targets, WORST)
    )
    return f"<p>Of those that were held out, by chrF.</p><dl>{rows}</dl>"
