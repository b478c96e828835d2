"""A tagger's figures on sequences with known tags, beside those of looking each token up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..data.tagging.answers import per_sequence
from ..data.tagging.scheme import scheme_of
from ..evaluation import tags as scores
from ..evaluation.verdict import Verdict
from ..train.asking import answers

if TYPE_CHECKING:
    from torch import nn

    from ..data.tagging.batches import TagExamples
    from ..data.tagging.tagged import Tagged
    from ..data.tagging.tagging import TaggedSequences
    from ..decoders.tags import TagDecoder

LOOKED_UP, MAJORITY = "most frequent tag of each word", "majority"

Found = Mapping[str, list[list[str]]]


@dataclass(frozen=True)
class Judged:
    """What was judged, for the report.

    Attributes:
        tagged: Sequences with their known tags.
        found: For each set, the tags that the model gave.
        chances: For each set, their probabilities, a row for each sequence.
    """

    tagged: Tagged
    found: Found
    chances: Mapping[str, list[np.ndarray]]


class TagMeasure:
    """Judges a tagger, and keeps what it judged last.

    Args:
        data: The fitted data part.
        batch_size: Sequences at a time.
    """

    def __init__(self, data: TaggedSequences, batch_size: int = 32) -> None:
        self._data, self._batch_size = data, batch_size
        self.judged_: Judged | None = None

    def __call__(self, network: nn.Module, decode: TagDecoder, dataset: Any) -> Verdict:
        """Put accuracies, and of spans their F1, beside the baselines'."""
        data, tagged = self._data, cast("TagExamples", dataset).tagged
        given = answers(network, decode, dataset, self._batch_size)
        found: dict[str, list[list[str]]] = {}
        chances: dict[str, list[np.ndarray]] = {}
        for k, (name, names) in enumerate(data.tags_.items()):
            rows = per_sequence(tagged, [answer[k] for answer in given])
            found[name] = [[names[t] for t in path.tolist()] for path, _ in rows]
            chances[name] = [chance[np.arange(len(path)), path] for path, chance in rows]
        self.judged_ = Judged(tagged, found, chances)
        table = {"model": self._figures(tagged, found)}
        for name, tags in self._baselines(tagged).items():
            table[name] = self._figures(tagged, tags)
        return Verdict(table, (*data.notes_, *self._sentences(tagged, table)))

    def _figures(self, tagged: Tagged, found: Found) -> dict[str, float]:
        """Figures of all sets of tags; the first set's stand without its name."""
        figures: dict[str, float] = {}
        for k, (name, tags) in enumerate(found.items()):
            own = figures_of(tagged, name, tags, self._data.usual_[name])
            figures |= {(metric if k == 0 else f"{name}_{metric}"): v for metric, v in own.items()}
        return figures

    def _baselines(self, tagged: Tagged) -> dict[str, Found]:
        usual, most = self._data.usual_, self._data.majority_
        everywhere = {n: [[most[n]] * t for t in tagged.lengths.tolist()] for n in most}
        if tagged.tokens is None:
            return {MAJORITY: everywhere}
        looked_up = {
            name: [[usual[name].get(t, most[name]) for t in of] for of in tagged.tokens]
            for name in most
        }
        return {LOOKED_UP: looked_up, MAJORITY: everywhere}

    def _sentences(self, tagged: Tagged, table: Mapping[str, Mapping[str, float]]) -> list[str]:
        (name, *others), model = self._data.tags_, table["model"]
        known = sum(t is not None for tags in tagged.labels[name] for t in tags)
        best, other = max(
            ((n, row["accuracy"]) for n, row in table.items() if n != "model"), key=lambda b: b[1]
        )
        of = f" of {name!r}" if others else ""
        said = f"{100 * model['accuracy']:.1f} % of {known:,} tags{of} are right"
        beside = f"the {best} is right on {100 * other:.1f} %"
        if model["accuracy"] > other:
            return [f"{said}; {beside}."]
        worse = model["accuracy"] < other
        verdict = "loses to" if worse else "is no better than"
        return [f"This model {verdict} a baseline: {said}, and {beside}."]


def figures_of(
    tagged: Tagged, name: str, found: Sequence[Sequence[str]], seen: Mapping[str, Any]
) -> dict[str, float]:
    """Figures of one set of tags.

    Args:
        tagged: Sequences with their known tags.
        name: The set.
        found: Tags that were given.
        seen: Tokens of the training part.

    Returns:
        `accuracy`; `unseen_accuracy` of words that were never seen; of spans `span_precision`,
        `span_recall` and `span_f1`; of secondary structure `segment_overlap`, the mean over
        chains.
    """
    true = tagged.labels[name]
    figures = {"accuracy": scores.token_accuracy(true, found)}
    kinds = {tag for tags in true for tag in tags if tag is not None}
    if tagged.tokens is not None and any(len(t) > 1 for t in seen):
        unseen = scores.unseen_accuracy(true, found, tagged.tokens, seen)
        figures |= {"unseen_accuracy": unseen} if unseen == unseen else {}
    if scheme_of(kinds) is not None:
        whole = scores.span_scores(true, found)["all"]
        figures |= {f"span_{metric}": whole[metric] for metric in ("precision", "recall", "f1")}
    if is_structure(kinds):
        figures["segment_overlap"] = float(np.nanmean([_overlap(*p) for p in zip(true, found)]))  # noqa: B905
    return figures


def is_structure(tags: set[str]) -> bool:
    """Whether tags are states of secondary structure, three or eight of them."""
    return {"H", "E"} <= tags and tags <= set("HEC-") | set("GIBTSPL")


def _overlap(true: Sequence[str | None], found: Sequence[str]) -> float:
    """SOV of a chain; where it is not known, neither counts."""
    known = ["" if t is None else t for t in true]
    judged = ["" if t is None else f for t, f in zip(true, found, strict=True)]
    return scores.segment_overlap(known, judged, sorted({t for t in known if t}))
