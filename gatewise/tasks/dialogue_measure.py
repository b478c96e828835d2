"""A dialogue model's figures beside those of retrieval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.batches import Batches
from ..decoders.reply import RIGHT
from ..evaluation.dialogue import (
    candidate_sets,
    distinct,
    mean_reciprocal_rank,
    overlap,
    recall_at,
)
from ..evaluation.verdict import Verdict
from ..train.asking import device_of

if TYPE_CHECKING:
    from ..data.dialogue.dialogues import Dialogues
    from ..data.dialogue.sets import DialogueSet
    from ..decoders.answers import Answer
    from ..decoders.reply import Reply
    from ..nn.networks.dialogue import DialogueNetwork

OTHERS = 9
"""Wrong replies that the right one is told from."""

MOST_RANKED, MOST_WRITTEN = 1000, 200
"""Conversations that are ranked and answered; more would take long and change little."""

BATCH = 64

OURS, WORDS, PIECES, UNIGRAM, PEOPLE = "model", "tf-idf", "tf-idf of pieces", "unigram", "people"


class DialogueMeasure:
    """Judge a model on conversations with known replies.

    Args:
        data: The data part that it was fitted with.

    Attributes:
        answers: Of the last judgement, with their turns and right replies, for the report.
    """

    def __init__(self, data: Dialogues) -> None:
        self.data = data
        self.answers: list[tuple[str, str, Answer]] = []

    def __call__(self, network: Any, decode: Reply, dataset: Any) -> Verdict:
        """Rank, write, and compare."""
        chosen = np.random.default_rng(0).permutation(len(dataset)).tolist()
        table: dict[str, dict[str, float]] = {OURS: {}}
        _join(table, self._ranked(network, decode, dataset.some(sorted(chosen[:MOST_RANKED]))))
        _join(table, self._perplexity(network, dataset))
        written = dataset.some(sorted(chosen[:MOST_WRITTEN]))
        _join(table, self._written(network, decode, written))
        return Verdict(table, (*_sentences(table, len(written)), *_ways(decode)))

    def _ranked(
        self, network: DialogueNetwork, decode: Reply, dataset: DialogueSet
    ) -> dict[str, dict[str, float]]:
        """Where the right reply ranks among `OTHERS` wrong ones of the same conversations."""
        replies = list(dataset.replies or ())
        last = [context[-1] for context in dataset.contexts]
        pool = {text: set(known) for text, known in zip(last, dataset.known or (), strict=True)}
        sets = candidate_sets(last, replies, pool, OTHERS)
        if sets.shape[1] < 2:
            return {}
        ours = [
            decode.matches(network, batch.texts, network.hear(batch), replies)
            for batch in Batches(dataset, BATCH, device_of(network))
        ]
        words, pieces = (kind.similarity(last, replies) for kind in self.data.overlap_.kinds)
        rows = np.arange(len(sets))[:, None]
        scores = {OURS: np.concatenate(ours), WORDS: words, PIECES: pieces}
        return {name: _ranking(found[rows, sets]) for name, found in scores.items()}

    def _perplexity(
        self, network: DialogueNetwork, dataset: DialogueSet
    ) -> dict[str, dict[str, float]]:
        """Per token of the replies, their ends counted."""
        total, unigram, count = 0.0, 0.0, 0
        chances = self.data.unigram()
        for batch in Batches(dataset, BATCH, device_of(network)):
            nats = -network(batch).logits.log_softmax(-1)
            total += float(nats.gather(-1, batch.answers.unsqueeze(-1)).double().sum())
            unigram -= float(np.log(chances[batch.answers.cpu().numpy()]).sum())
            count += len(batch.answers)
        found = {OURS: total, UNIGRAM: unigram}
        return {name: {"perplexity": math.exp(nats / count)} for name, nats in found.items()}

    def _written(
        self, network: DialogueNetwork, decode: Reply, dataset: DialogueSet
    ) -> dict[str, dict[str, float]]:
        """How much replies differ, and how often they are right where it is sure."""
        answers = [
            answer
            for batch in Batches(dataset, BATCH, device_of(network))
            for answer in decode(network, batch)
        ]
        words = dataset.coder.words
        right = list(dataset.replies or ())
        last = [context[-1] for context in dataset.contexts]
        self.answers = list(zip(last, right, answers, strict=True))
        best = [a.proposals[0].text if a.proposals else "" for a in answers]
        nearest = [a.familiar[1] for a in answers]
        sure = np.array([not a.unsure for a in answers])
        known = dataset.known or ()
        table = {}
        for name, texts in {OURS: best, WORDS: nearest, PEOPLE: right}.items():
            split = [words(text) for text in texts]
            table[name] = {"distinct_1": distinct(split, 1), "distinct_2": distinct(split, 2)}
            if name != PEOPLE:
                hits = np.array(
                    [
                        any(overlap(s, words(k)) >= RIGHT for k in replies)
                        for s, replies in zip(split, known, strict=True)
                    ]
                )
                table[name]["right"] = float(hits.mean())
                if name == OURS:
                    table[name]["unsure"] = float(1 - sure.mean())
                    if sure.any():
                        table[name]["right_when_sure"] = float(hits[sure].mean())
        return table


def _ways(decode: Reply) -> tuple[str, ...]:
    """How it replies, and how often each way was right when it was fitted."""
    if not decode.right:
        return ()
    names = {"choose": "choosing a learned one", "beam": "beam search", "sample": "sampling"}
    rates = ", ".join(f"{names[way]} {rate:.0%}" for way, rate in decode.right.items())
    return (f"It replies by {names[decode.chosen(decode.manner)]}; right were, held out: {rates}.",)


def _ranking(scores: np.ndarray) -> dict[str, float]:
    return {
        **{f"recall_{k}": recall_at(scores, k) for k in (1, 2, 5)},
        "mrr": mean_reciprocal_rank(scores),
    }


def _join(table: dict[str, dict[str, float]], more: dict[str, dict[str, float]]) -> None:
    for name, row in more.items():
        table.setdefault(name, {}).update(row)


def _sentences(table: dict[str, dict[str, Any]], written: int) -> tuple[str, ...]:
    """What the table means."""
    ours, said = table[OURS], []
    if "recall_1" in ours:
        best = max((WORDS, PIECES), key=lambda name: table[name]["recall_1"])
        theirs = table[best]["recall_1"]
        said.append(
            f"The right reply ranks first among {OTHERS + 1} for {ours['recall_1']:.0%} of the "
            f"conversations, and for {theirs:.0%} by {best}."
        )
        if ours["recall_1"] <= theirs:
            said.append(f"This model loses to {best} at ranking: it takes more conversations.")
    unsure = round(ours["unsure"] * written)
    said.append(f"It is unsure about {unsure} of {written} replies.")
    if "right_when_sure" in ours:
        said.append(
            f"Where it is sure, {ours['right_when_sure']:.0%} share half of their words with a "
            f"known reply; of all that it would say, {ours['right']:.0%}, and "
            f"{table[WORDS]['right']:.0%} of what retrieval says."
        )
    return tuple(said)
