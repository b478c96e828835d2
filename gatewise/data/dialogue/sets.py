"""Examples of dialogue: the turns so far, a reply, and other replies to tell it from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..text.vocabulary import END, START
from ..text.words import split_words

if TYPE_CHECKING:
    from ..text.vocabulary import Vocabulary
    from .overlap import Overlap
    from .turns import Thread
    from .word_forms import WordForms

LONGEST = 40
"""Words of a turn that are read, and tokens of a reply that is learned or written."""


class Said(NamedTuple):
    """What was said of late, as text.

    Attributes:
        last: The last turn.
        before: The turns before it, joined.
    """

    last: str
    before: str


class Turns(NamedTuple):
    """Different turns, each read once however often it occurs.

    Attributes:
        forms: `WordForms` of each word, int64 [turns, words].
        shapes: Their shapes, int64 [turns, words].
        words: Words of each turn, int64 [turns].
        tokens: Tokens of the vocabulary, int64 [turns, tokens].
        lengths: Tokens of each turn, int64 [turns].
    """

    forms: Tensor
    shapes: Tensor
    words: Tensor
    tokens: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class DialogueBatch:
    """Conversations so far, with the replies that they got.

    Args:
        turns: All turns that were heard, and then the replies.
        heard: How many turns of the first kind there are.
        context: Rows of `turns`, oldest first, int64 [batch, context].
        context_lengths: Turns of each conversation, int64 [batch].
        mine: 1 where a turn is the replier's own, float32 [batch, context].
        replies: Rows of `turns` that may be replied, int64 [candidates].
        right: Which of them each conversation got, int64 [batch]; None where it is not known.
        also: Other candidates that are known to be right, bool [batch, candidates].
        overlap: What each candidate shares with the last turn, and with those before it, float32
            [batch, candidates, 4].
        given: Tokens of the reply one step late, int64 [batch, steps].
        answers: Tokens of all replies with their ends, one after the other, int64 [tokens].
        answer_lengths: Tokens of each reply with its end, int64 [batch].
        limits: Most tokens that may be written, with the end, int64 [batch].
        texts: Each conversation's last turn, and those before it in one.
        known: Replies that are known to be right for each; empty where none is.
    """

    turns: Turns
    heard: int
    context: Tensor
    context_lengths: Tensor
    mine: Tensor
    replies: Tensor
    right: Tensor | None
    also: Tensor
    overlap: Tensor
    given: Tensor
    answers: Tensor
    answer_lengths: Tensor
    limits: Tensor
    texts: tuple[Said, ...]
    known: tuple[frozenset[str], ...]


class Candidates(NamedTuple):
    """Replies that are matched with conversations.

    Attributes:
        turns: The replies.
        replies: Their rows, int64 [candidates].
        overlap: What each shares with the turns, float32 [batch, candidates, 4].
    """

    turns: Turns
    replies: Tensor
    overlap: Tensor


class Coder(NamedTuple):
    """What turns are turned into numbers by.

    Attributes:
        vocabulary: Tokens that are written.
        forms: Words as the ranking reads them.
        overlap: What texts share.
        context: Turns that are looked back on.
    """

    vocabulary: Vocabulary
    forms: WordForms
    overlap: Overlap
    context: int

    def turns(self, texts: Sequence[str]) -> Turns:
        """Numbers of texts."""
        forms, shapes = zip(*(self.forms.encode(text) for text in texts), strict=True)
        tokens = [self.vocabulary.encode(text)[:LONGEST] for text in texts]
        forms, shapes = [f[:LONGEST] for f in forms], [s[:LONGEST] for s in shapes]
        words = torch.tensor([len(f) for f in forms])
        lengths = torch.tensor([len(t) for t in tokens])
        return Turns(padded(forms), padded(shapes), words, padded(tokens), lengths)

    def batch(
        self,
        contexts: Sequence[Thread],
        replies: Sequence[str] | None,
        known: Sequence[frozenset[str]] | None = None,
    ) -> DialogueBatch:
        """Put conversations together; the others' replies are what each has to be told from.

        Args:
            contexts: Turns so far of each, at least one.
            replies: The reply of each, or None.
            known: All replies known to be right for each.
        """
        recent = [thread[-self.context :] for thread in contexts]
        candidates = list(dict.fromkeys(replies or ()))
        heard = list(dict.fromkeys(turn for thread in recent for turn in thread))
        texts = list(dict.fromkeys([*heard, *candidates]))
        place = {text: row for row, text in enumerate(texts)}
        lengths = [len(thread) for thread in recent]
        said = tuple(Said(thread[-1], " ".join(thread[:-1])) for thread in recent)
        given = [[START, *self.vocabulary.encode(r)[:LONGEST]] for r in replies or ()]
        right = [candidates.index(r) for r in replies or ()]
        also = np.zeros((len(recent), len(candidates)), bool)
        for row, own in enumerate(right):
            right_too = known[row] if known else frozenset()
            also[row] = [c in right_too and n != own for n, c in enumerate(candidates)]
        return DialogueBatch(
            turns=self.turns(texts),
            context=padded([[place[turn] for turn in thread] for thread in recent]),
            context_lengths=torch.tensor(lengths),
            # The last turn is the other speaker's, and speakers take turns.
            mine=padded([[(n - t + 1) % 2 for t in range(n)] for n in lengths]).float(),
            heard=len(heard),
            replies=torch.tensor([place[reply] for reply in candidates], dtype=torch.int64),
            right=torch.tensor(right) if replies is not None else None,
            also=torch.from_numpy(also),
            overlap=self.shared(said, candidates),
            given=padded(given) if given else torch.zeros(len(recent), 0, dtype=torch.int64),
            answers=torch.tensor([t for row in given for t in (*row[1:], END)], dtype=torch.int64),
            answer_lengths=torch.tensor([len(row) for row in given]),
            limits=torch.full((len(recent),), LONGEST),
            texts=said,
            known=tuple(known or ()),
        )

    def candidates(self, texts: Sequence[Said], replies: Sequence[str]) -> Candidates:
        """Replies to be matched with conversations of which these turns are known."""
        rows = torch.arange(len(replies))
        return Candidates(self.turns(replies), rows, self.shared(texts, replies))

    def shared(self, texts: Sequence[Said], replies: Sequence[str]) -> Tensor:
        """What replies share with the last turn, and with those before it, [texts, replies, 4]."""
        last = self.overlap([said.last for said in texts], replies)
        before = self.overlap([said.before for said in texts], replies)
        return torch.from_numpy(np.concatenate([last, before], -1))

    def taught(self, replies: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens of replies one step late, those of them with the end, and how many."""
        tokens = [self.vocabulary.encode(reply)[:LONGEST] for reply in replies]
        given = padded([[START, *row] for row in tokens])
        lengths = torch.tensor([len(row) + 1 for row in tokens])
        return given, padded([[*row, END] for row in tokens]), lengths

    def words(self, text: str) -> list[str]:
        """What two replies are compared by."""
        return [word.lower() for word in split_words(text)]


class DialogueSet:
    """Conversations so far and, where they are known, their replies.

    Args:
        coder: Texts to numbers.
        contexts: Turns so far.
        replies: One each; None where they are not known.
        known: All replies known to be right for each.
        places: Where each conversation was found.
    """

    def __init__(
        self,
        coder: Coder,
        contexts: Sequence[Thread],
        replies: Sequence[str] | None,
        known: Sequence[frozenset[str]] | None = None,
        places: Sequence[str] = (),
    ) -> None:
        self.coder, self.contexts = coder, contexts
        self.replies: Sequence[str] | None = replies
        self.known, self.places = known, places
        self.from_file = False

    def __len__(self) -> int:
        """Conversations there are."""
        return len(self.contexts)

    @property
    def lengths(self) -> None:
        """None: batches of like length would make the right reply easy to tell by it."""
        return

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> DialogueBatch:
        """Put the conversations at `indices` together."""
        rows: list[int] = indices.tolist()
        return self.coder.batch(
            [self.contexts[i] for i in rows],
            None if self.replies is None else [self.replies[i] for i in rows],
            None if self.known is None else [self.known[i] for i in rows],
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Last turns and their replies."""
        return [(c[-1], r) for c, r in zip(self.contexts, self.replies or (), strict=True)]

    def some(self, rows: Sequence[int]) -> DialogueSet:
        """These conversations only."""
        return DialogueSet(
            self.coder,
            [self.contexts[i] for i in rows],
            None if self.replies is None else [self.replies[i] for i in rows],
            None if self.known is None else [self.known[i] for i in rows],
            [self.places[i] for i in rows] if self.places else (),
        )

    def where(self, index: int) -> str:
        """Name a conversation."""
        return self.places[index] if self.places else f"conversation {index + 1}"

    def culprit(self, index: int) -> str | None:
        """None: texts have no values that are not finite."""
        return None


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of different lengths as one tensor, filled up with zeros, int64 [rows, most]."""
    filled = np.zeros((len(rows), max((len(row) for row in rows), default=0)), np.int64)
    for target, row in zip(filled, rows, strict=True):
        target[: len(row)] = row
    return torch.from_numpy(filled)
