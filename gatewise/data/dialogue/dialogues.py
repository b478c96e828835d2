"""Conversations to examples and back: what a dialogue model learns from data but weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ..contract import Fold
from ..digest import digest
from ..text.tokens_spec import Tokens
from ..text.vocabulary import END, PAD, START, Vocabulary
from .library import Library
from .overlap import Overlap
from .sets import LONGEST, Coder, DialogueSet
from .turns import Conversations, read_conversations, read_turns
from .word_forms import WordForms

if TYPE_CHECKING:
    from torch import Tensor

HELD_OUT = 0.1
"""Share of the conversations that are held out."""

FEWEST_HELD_OUT = 4
"""Fewer conversations than this would say nothing."""


class Dialogues:
    """Threads to contexts and replies; whole conversations are held out.

    Args:
        tokens: What replies are written in.
        context: Turns that are looked back on.

    Attributes:
        vocabulary_: Tokens of the training part.
        forms_: Its frequent words and endings.
        overlap_: How rare its words are.
        pairs_: Its last turns and their replies: what can be chosen from, and retrieved.
        known_: What is replied to each turn, in all of the data; there after `fit`.
        valid_: What the last fit held out; None where that was nothing, and after `restore`.
        beside_: Some conversations that were learned, and as many whose last turn is of words that
            nobody says, to calibrate on beside those that are held out; there after `fit`.
    """

    vocabulary_: Vocabulary
    forms_: WordForms
    overlap_: Overlap
    pairs_: tuple[tuple[str, str], ...]
    known_: dict[str, frozenset[str]]
    beside_: DialogueSet

    def __init__(self, tokens: Tokens, context: int) -> None:
        self.tokens, self.context = tokens, context
        self.valid_: DialogueSet | None = None

    def accept(self, x: Any, y: Any = None) -> Conversations:
        """Read conversations ahead of the fit.

        Raises:
            InputError: As in `read_conversations`.
        """
        return read_conversations(x, y)

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn words from the conversations that are not held out.

        Raises:
            InputError: As in `read_conversations`.
        """
        found = x if isinstance(x, Conversations) else self.accept(x, y)
        held = _held_out(len(found))
        train = [i for i in range(len(found)) if i not in held]
        texts = [turn for i in train for turn in found.threads[i]]
        self.vocabulary_ = Vocabulary(self.tokens).fit(texts)
        self.forms_ = WordForms().fit(texts)
        self.overlap_ = Overlap().fit(texts)
        self.known_ = _replies(found.threads)
        learned = self._set(found, train)
        self.pairs_ = tuple(dict.fromkeys(learned.pairs()))
        self.valid_ = self._set(found, sorted(held)) if held else None
        self.beside_ = self._beside(learned, self.valid_)
        return Fold(
            learned,
            self.valid_,
            digest(list(map(list, found.threads))),
            self._set(found, range(len(found))),
        )

    def encode(self, x: Any) -> DialogueSet:
        """Turn conversations so far into examples without replies.

        Raises:
            InputError: As in `read_turns`, or a conversation has no turn.
        """
        found = read_turns(x)
        for thread, place in zip(found.threads, found.places, strict=True):
            if not thread:
                raise InputError(f"{place} is empty: give at least one turn to reply to")
        dataset = DialogueSet(self.coder, found.threads, None, None, found.places)
        dataset.from_file = found.from_file
        return dataset

    def examples(self, x: Any, y: Any = None) -> DialogueSet:
        """Turn conversations into examples with the replies that they have.

        Raises:
            InputError: As in `read_conversations`.
        """
        found = read_conversations(x, y)
        return self._set(found, range(len(found)), _replies(found.threads))

    def undo(self, dataset: DialogueSet, answers: Sequence[Any]) -> Any:
        """Give the replies as texts, or as columns where a file was read."""
        flat = [answer for part in answers for answer in part]
        replies = np.array([answer.text for answer in flat], dtype=object)
        if not dataset.from_file:
            return replies
        return {
            "turn": np.array([context[-1] for context in dataset.contexts], dtype=object),
            "reply": replies,
            "confidence": np.array([answer.confidence for answer in flat], np.float64),
            "unsure": np.array([answer.unsure for answer in flat], bool),
        }

    @property
    def library(self) -> Library:
        """What was learned, to be searched."""
        return Library(self.pairs_, self.overlap_)

    def unigram(self) -> np.ndarray:
        """Probability of each token in a reply whatever was said, float64 [vocabulary]."""
        counts = np.ones(len(self.vocabulary_))
        counts[PAD] = counts[START] = 0
        for _, reply in self.pairs_:
            np.add.at(counts, [*self.vocabulary_.encode(reply)[:LONGEST], END], 1)
        return counts / counts.sum()

    @property
    def coder(self) -> Coder:
        """What turns texts into numbers."""
        return Coder(self.vocabulary_, self.forms_, self.overlap_, self.context)

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """All that was learned, and the pairs that can be chosen from."""
        return {
            "vocabulary": self.vocabulary_.state(),
            "forms": self.forms_.state(),
            "overlap": self.overlap_.state(),
            "pairs": [list(pair) for pair in self.pairs_],
        }, {}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.vocabulary_ = Vocabulary.restored(settings["vocabulary"])
        self.forms_ = WordForms.restored(settings["forms"])
        self.overlap_ = Overlap.restored(settings["overlap"])
        self.pairs_ = tuple((prompt, reply) for prompt, reply in settings["pairs"])

    def _beside(self, learned: DialogueSet, valid: DialogueSet | None) -> DialogueSet:
        """As many conversations as are held out of each kind that has to be told from them."""
        count = len(valid) if valid is not None else 0
        seen = learned.some(np.random.default_rng(0).permutation(len(learned))[:count].tolist())
        strange = [(*c[:-1], _strange(c[-1])) for c in (valid.contexts if valid else ())]
        return DialogueSet(
            self.coder,
            [*seen.contexts, *strange],
            [*(seen.replies or ()), *(valid.replies or () if valid else ())],
            [*(seen.known or ()), *(frozenset() for _ in strange)],
        )

    def _set(
        self,
        found: Conversations,
        rows: Sequence[int],
        known: Mapping[str, frozenset[str]] | None = None,
    ) -> DialogueSet:
        known = self.known_ if known is None else known
        places = [(i, end) for i in rows for end in range(1, len(found.threads[i]))]
        contexts = [found.threads[i][:end] for i, end in places]
        return DialogueSet(
            self.coder,
            contexts,
            [found.threads[i][end] for i, end in places],
            [known[thread[-1].casefold()] for thread in contexts],
            [f"{found.places[i]}, turn {end + 1}" for i, end in places],
        )


def _replies(threads: Sequence[Sequence[str]]) -> dict[str, frozenset[str]]:
    """What is replied to each turn, whatever was said before it."""
    found: dict[str, set[str]] = {}
    for thread in threads:
        for turn, reply in pairwise(thread):
            found.setdefault(turn.casefold(), set()).add(reply)
    return {turn: frozenset(replies) for turn, replies in found.items()}


def _strange(turn: str) -> str:
    """A turn whose words are spelled backwards: nobody knows what to reply to that."""
    return " ".join(word[::-1] for word in turn.split())


def _held_out(count: int) -> set[int]:
    """Which conversations are held out: the same ones for the same number of them."""
    number = int(count * HELD_OUT)
    if number < FEWEST_HELD_OUT:
        return set()
    return set(np.random.default_rng(0).permutation(count)[:number].tolist())
