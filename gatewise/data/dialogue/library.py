"""Turns that were learned, with their replies, to be searched by what they share with a turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...evaluation.tfidf import Index
from .overlap import Overlap

MOST = 5_000
"""Pairs that are held: a search through more would take too long to answer at once."""


class Near(NamedTuple):
    """The most similar turn.

    Attributes:
        pair: It and its reply.
        cosine: How similar, from 0 to 1: the mean of the cosines by words and by pieces.
    """

    pair: tuple[str, str]
    cosine: float


class Library:
    """Pairs of turn and reply.

    Args:
        pairs: In the order in which they were learned; of more than `MOST`, some at random.
        overlap: How rare words are.

    Attributes:
        replies: Different replies.

    Example:
        >>> pairs = [("Hello", "Hi"), ("Hi there", "Hi"), ("Who are you?", "A program.")]
        >>> library = Library(pairs, Overlap().fit(turn for pair in pairs for turn in pair))
        >>> library.familiar("who are you").pair
        ('Who are you?', 'A program.')
        >>> library.similarity(["hello"]).round(2).tolist()
        [[1.0, 0.0]]
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], overlap: Overlap) -> None:
        if len(pairs) > MOST:
            chosen = np.random.default_rng(0).choice(len(pairs), MOST, replace=False)
            pairs = [pairs[i] for i in np.sort(chosen).tolist()]
        self.pairs = tuple(pairs)
        self.replies = tuple(dict.fromkeys(reply for _, reply in self.pairs))
        place = {reply: column for column, reply in enumerate(self.replies)}
        self._column = np.array([place[reply] for _, reply in self.pairs], np.int64)
        prompts = [prompt for prompt, _ in self.pairs]
        self._indices = [Index(kind, prompts) for kind in overlap.kinds]

    def similarity(self, texts: Sequence[str]) -> np.ndarray:
        """How similar each text is to what each reply replied to, float64 [texts, replies]."""
        found = np.zeros((len(self.replies), len(texts)))
        np.maximum.at(found, self._column, self._cosines(texts).T)
        return found.T

    def familiar(self, text: str) -> Near:
        """The most similar turn; the first of equals."""
        cosines = self._cosines([text])[0]
        best = int(cosines.argmax())
        return Near(self.pairs[best], float(cosines[best]))

    def _cosines(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(self.pairs)))
        for index in self._indices:
            found += index.similarity(texts)
        return found / len(self._indices)
