"""Replies: written or chosen, the best of several, and held back where they are likely wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ..evaluation.dialogue import overlap
from .answers import MEASURES, WAYS, Answer, Manner, Proposal, Way
from .beam import BeamSearch
from .confidence import Confidence
from .sampling import Sampler

if TYPE_CHECKING:
    from torch import Tensor

RIGHT = 0.5
"""A reply counts as right from this F1 of the words it shares with a known one."""

PROMPT_WEIGHT = 10.0
"""What a learned reply gains where the turn that it replied to is the same as the last turn."""

PROPOSALS = 5
"""Replies that are drawn, or chosen, to be compared."""

_PART = 512


class Reply:
    """Propose replies, rank them, and say how sure it is.

    Replies that are written are ranked by `(1 - d) log p(reply | turns) + d match`: as the match
    is pointwise mutual information but for a constant, this is the objective of maximum mutual
    information of Li et al. 2016 (https://aclanthology.org/N16-1014, equation 9, "anti-LM"), which
    keeps replies from being what fits everything. Chosen ones are ranked by their match and by how
    similar the turn is that they replied to.

    The confidence is calibrated for each way, on conversations of three kinds, a third each: held
    out, learned, and such that no reply to them is known to be right. It says how often the reply
    that it gives shares half of its words with a known one.

    Args:
        manner: How to reply.
        coder: Texts to batches: the data part's `Coder`.
        library: The data part's pairs, in a form that can be searched.
        ends: Numbers of padding, unknown, start and end.
        beside: Batches of the other kinds to calibrate on; needed by `fit` only.

    Attributes:
        confidence: Of each way.
        right: How often each way was right on what was held out; empty where nothing was.
    """

    def __init__(
        self,
        manner: Manner,
        coder: Any,
        library: Any,
        ends: tuple[int, int, int, int],
        beside: Callable[[], Iterable[Any]] = tuple,
    ) -> None:
        self.manner, self.coder, self.library, self.beside = manner, coder, library, beside
        self.pad, self.unknown, self.start, self.end = ends
        self.confidence = {way: Confidence(MEASURES) for way in WAYS}
        self.right: dict[Way, float] = {}

    @torch.no_grad()
    def __call__(self, network: Any, batch: Any) -> list[Answer]:
        """Answer a batch of conversations."""
        return self.answers(network, batch, network.hear(batch), self.manner)

    def answers(self, network: Any, batch: Any, heard: Any, manner: Manner) -> list[Answer]:
        """Answer conversations that were heard already.

        Args:
            network: A `gatewise.nn.networks.dialogue.DialogueNetwork`.
            batch: Has `texts`, what was said of late, and `limits`.
            heard: Where the network is.
            manner: How to reply.
        """
        way = self.chosen(manner)
        proposals = self._proposed(network, batch, heard, manner, way)
        best = [found[0] if found else _NOTHING for found in proposals]
        familiar = [self.library.familiar(said.last) for said in batch.texts]
        fluency = self._fluency(network, heard, [p.text for p in best])
        measures = np.array(
            [[p.match, f, near.cosine] for p, f, near in zip(best, fluency, familiar, strict=True)]
        ).reshape(len(best), len(MEASURES))
        answers = []
        for row, sure in enumerate(self.confidence[way](measures).tolist()):
            unsure = not best[row].text or sure < manner.sure
            answers.append(
                Answer(
                    manner.fallback if unsure else best[row].text,
                    sure,
                    unsure,
                    tuple(measures[row].tolist()),
                    tuple(proposals[row]),
                    familiar[row].pair,
                )
            )
        return answers

    def fit(self, network: Any, batches: Iterable[Any]) -> None:
        """Calibrate the confidence of each way, and see which is right most often."""
        for way in WAYS:
            manner = replace(self.manner, way=way)
            held, right = self._judged(network, batches, manner)
            others, others_right = self._judged(network, self.beside(), manner)
            self.confidence[way].fit([*held, *others], [*right, *others_right])
            self.right[way] = sum(right) / len(right)

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """The calibration."""
        held = {way: confidence.state() for way, confidence in self.confidence.items()}
        return {"confidence": held, "right": dict(self.right)}, {}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for way in WAYS:
            self.confidence[way].restore(settings["confidence"][way])
        self.right = dict(settings["right"])

    def chosen(self, manner: Manner) -> Way:
        """The way that is taken; learned replies are chosen from where nothing was held out."""
        if manner.way != "auto":
            return manner.way
        return max(WAYS, key=lambda way: self.right.get(way, 0.0))

    def matches(
        self, network: Any, texts: Sequence[Any], heard: Any, replies: Sequence[str]
    ) -> np.ndarray:
        """The matcher's scores, [conversations, replies].

        What was learned by reading counts as far as the last turn is like one that was learned:
        of others it would promise too much (docs/log.md).

        Args:
            network: The network.
            texts: What was said of late (`gatewise.data.dialogue.sets.Said`).
            heard: Where the network is.
            replies: What is scored.
        """
        found = [np.zeros((len(texts), 0))]
        near = [self.library.familiar(said.last).cosine for said in texts]
        trust = torch.tensor(near, dtype=heard.query.dtype, device=heard.query.device)
        for start in range(0, len(replies), _PART):
            candidates = self.coder.candidates(texts, replies[start : start + _PART])
            found.append(network.match(candidates, heard.query, trust).double().cpu().numpy())
        return np.concatenate(found, 1)

    @torch.no_grad()
    def _judged(
        self, network: Any, batches: Iterable[Any], manner: Manner
    ) -> tuple[list[Any], list[bool]]:
        """Measures of the best reply to each conversation, and whether it is right."""
        measures, right = [], []
        words = self.coder.words
        for batch in batches:
            answers = self.answers(network, batch, network.hear(batch), manner)
            for answer, known in zip(answers, batch.known, strict=True):
                best = answer.proposals[0].text if answer.proposals else ""
                measures.append(answer.measures)
                right.append(any(overlap(words(best), words(k)) >= RIGHT for k in known))
        return measures, right

    def _proposed(
        self, network: Any, batch: Any, heard: Any, manner: Manner, way: Way
    ) -> list[list[Proposal]]:
        if way == "choose":
            return self._chosen(network, batch, heard)
        write = self._searched if way == "beam" else self._drawn
        written = write(network, _Heard(heard, batch.limits), manner)
        texts = list(dict.fromkeys(text for found in written for text in found))
        match = self.matches(network, batch.texts, heard, texts)
        place = {text: column for column, text in enumerate(texts)}
        proposals = []
        for row, found in enumerate(written):
            ranked = []
            for text, likelihood in found.items():
                fits = float(match[row, place[text]])
                score = (1 - manner.diversity) * likelihood + manner.diversity * fits
                ranked.append(Proposal(text, score, fits, likelihood))
            proposals.append(sorted(ranked, key=lambda p: -p.score))
        return proposals

    def _searched(self, network: Any, batch: Any, manner: Manner) -> list[dict[str, float]]:
        """Texts of the beam, with the logarithm of their probability."""
        search = BeamSearch(
            self.start, self.end, manner.search, n_best=manner.search.beam,
            never=(self.pad, self.unknown),
        )  # fmt: skip
        written = []
        for found in search(network, batch):
            texts = [(self.coder.vocabulary.decode(h.tokens).strip(), h.log_prob) for h in found]
            written.append({text: p for text, p in reversed(texts) if text})
        return written

    def _drawn(self, network: Any, batch: Any, manner: Manner) -> list[dict[str, float]]:
        """Texts that were drawn token by token, with the logarithm of their probability."""
        rows = torch.arange(len(batch.limits)).repeat_interleave(PROPOSALS)
        draw = Sampler(manner.sampling)
        state = network.select(network.start(batch), rows)
        token = torch.full((len(rows),), self.start)
        tokens: list[list[int]] = [[] for _ in rows]
        total, going = np.zeros(len(rows)), np.ones(len(rows), bool)
        for _ in range(int(batch.limits.max())):
            logits, state = network.step(token, state)
            chances = logits.float().log_softmax(-1)
            chances[:, [self.pad, self.unknown, self.start]] = float("-inf")
            chances = chances.cpu().numpy()
            for row in np.flatnonzero(going).tolist():
                chosen = draw(chances[row])
                total[row] += chances[row, chosen]
                token[row] = chosen
                going[row] = chosen != self.end
                if going[row]:
                    tokens[row].append(chosen)
            if not going.any():
                break
        written: list[dict[str, float]] = [{} for _ in batch.limits]
        for row, number in enumerate(rows.tolist()):
            if text := self.coder.vocabulary.decode(tokens[row]).strip():
                written[number][text] = float(total[row])
        return written

    def _chosen(self, network: Any, batch: Any, heard: Any) -> list[list[Proposal]]:
        """The learned replies that fit best."""
        replies = self.library.replies
        match = self.matches(network, batch.texts, heard, replies)
        total = match + PROMPT_WEIGHT * self.library.similarity([said.last for said in batch.texts])
        proposals = []
        for row, scores in enumerate(total):
            best = np.argsort(-scores, kind="stable")[:PROPOSALS]
            proposals.append(
                [Proposal(replies[i], float(scores[i]), float(match[row, i]), None) for i in best]
            )
        return proposals

    def _fluency(self, network: Any, heard: Any, texts: Sequence[str]) -> list[float]:
        """Mean logarithm of the probability of each text's tokens."""
        return network.likelihood(heard.start, *self.coder.taught(texts)).tolist()


class _Heard(NamedTuple):
    """What a search is given of conversations that were heard."""

    where: Any
    limits: Any


_NOTHING = Proposal("", float("-inf"), 0.0, None)
