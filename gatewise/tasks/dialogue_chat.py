"""A conversation with a dialogue model, turn by turn, and replies that it ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch

from ..data.batches import Batches
from ..data.dialogue.sets import Said
from ..decoders.answers import MEASURES, Answer, Way
from ..decoders.reply import Reply
from ..errors import InputError
from ..train.asking import frozen

if TYPE_CHECKING:
    from ..nn.networks.dialogue import Conversation, DialogueNetwork
    from .dialogue import Dialogue


class Ranked(NamedTuple):
    """A reply among others.

    Attributes:
        text: The reply.
        score: How well it fits.
        share: Its part of the probability, if one of them is right.
    """

    text: str
    score: float
    share: float


class Chat:
    """A conversation that goes on: each turn costs the same, however much was said.

    Args:
        model: A fitted `Dialogue`.
        reply: How it replies; None for the model's own way.

    Attributes:
        turns: What was said so far, both sides.
        answer: The last answer, with its confidence and what it was compared with.
    """

    def __init__(self, model: Dialogue, reply: Way | None = None) -> None:
        self._network = cast("DialogueNetwork", model.network_)
        self._decode = cast("Reply", model.task_.decode)
        own = self._decode.manner
        self._manner = own if reply is None else replace(own, way=reply)
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self.turns: list[str] = []
        self._known: list[str] = []
        self.answer: Answer | None = None
        self.heard: Conversation | None = None

    def say(self, text: str) -> str:
        """Say something, and get the reply.

        A fallback line is not taken into the conversation: nobody said such a thing in what was
        learned.

        Args:
            text: The turn.

        Raises:
            InputError: There is nothing in it.
        """
        text = _turn(text)
        batch, self.heard = self._hear(text, mine=False)
        with frozen(self._network):
            (self.answer,) = self._decode.answers(self._network, batch, self.heard, self._manner)
        reply = self.answer.text
        self.turns += [text, reply]
        self._known.append(text)
        if not self.answer.unsure:
            _, self.heard = self._hear(reply, mine=True)
            self._known.append(reply)
        return reply

    def why(self) -> str:
        """Say in a few lines what the last reply follows from."""
        if self.answer is None:
            return "nothing was said yet"
        answer = self.answer
        said = "below" if answer.unsure else "not below"
        lines = [
            f"chance of being right: {answer.confidence:.2f}, {said} {self._manner.sure:g}; it "
            "follows from",
            *(f"  {name}: {v:.2f}" for name, v in zip(MEASURES, answer.measures, strict=True)),
            f"most similar turn that was learned: {answer.familiar[0]!r}",
            f"  its reply: {answer.familiar[1]!r}",
            "replies that were compared:",
            *(f"  {p.score:7.2f}  {p.text!r}" for p in answer.proposals),
        ]
        return "\n".join(lines)

    def _recent(self) -> list[str]:
        """The turns that training would look back on beside the last."""
        most = self._decode.coder.context - 1
        return self._known[-most:] if most else []

    def _hear(self, text: str, *, mine: bool) -> tuple[Any, Conversation]:
        batch = self._decode.coder.batch([(text,)], None)
        before = " ".join(self._recent())
        batch = replace(
            batch,
            mine=torch.full_like(batch.mine, float(mine)),
            texts=(Said(text, before),),
        )
        with frozen(self._network):
            return batch, self._network.hear(batch, self.heard)


def match(model: Dialogue, contexts: Any, candidates: Sequence[str]) -> np.ndarray:
    """Score replies; `Dialogue.match` says what is given and returned."""
    candidates = [candidates] if isinstance(candidates, str) else list(candidates)
    if not candidates:
        raise InputError("there is nothing to rank: give at least one candidate")
    for text in candidates:
        _turn(text)
    network = cast("DialogueNetwork", model.network_)
    decode = cast("Reply", model.task_.decode)
    found = [np.zeros((0, len(candidates)))]
    with frozen(network):
        for batch in Batches(model.data_.encode(contexts), model.trainer_.batch_size or 1):
            found.append(decode.matches(network, batch.texts, network.hear(batch), candidates))
    return np.concatenate(found)


def rank(model: Dialogue, context: str | Sequence[str], candidates: Sequence[str]) -> list[Ranked]:
    """Order replies; `Dialogue.rank` says what is given and returned."""
    candidates = [candidates] if isinstance(candidates, str) else list(candidates)
    (scores,) = match(model, [context], candidates)
    share = np.exp(scores - scores.max())
    share /= share.sum()
    found = [
        Ranked(*each) for each in zip(candidates, scores.tolist(), share.tolist(), strict=True)
    ]
    return sorted(found, key=lambda each: -each.score)


def _turn(text: Any) -> str:
    if not isinstance(text, str):
        raise InputError(f"a turn is a {type(text).__name__}: give text")
    if not text.strip():
        raise InputError("a turn is empty: give text")
    return text.strip()
