"""How much texts share: cosines of their words, and of pieces of their words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...evaluation.tfidf import Tfidf

KINDS = 2


class Overlap:
    """The two TF-IDF cosines of texts that a network may weigh.

    Example:
        >>> overlap = Overlap().fit(["the cat", "the dog"])
        >>> overlap(["the cats"], ["the cat", "a dog"]).shape
        (1, 2, 2)
    """

    def __init__(self) -> None:
        self.kinds = (Tfidf("words"), Tfidf("pieces"))
        self._known: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def fit(self, texts: Iterable[str]) -> Overlap:
        """Learn how rare words and pieces are."""
        texts = list(texts)
        for kind in self.kinds:
            kind.fit(texts)
        self._known.clear()
        return self

    def __call__(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """Cosines by words and by pieces, float32 [texts, others, 2]."""
        found = np.zeros((len(texts), len(others), KINDS), np.float32)
        for k in range(KINDS):
            left = [self._vectors(text)[k] for text in texts]
            right = [self._vectors(text)[k] for text in others]
            terms = [ids for ids, _ in (*left, *right)]
            if not terms:
                continue
            here, place = np.unique(np.concatenate(terms), return_inverse=True)
            dense = np.zeros((len(terms), len(here)), np.float32)
            rows = np.repeat(np.arange(len(terms)), [len(ids) for ids in terms])
            dense[rows, place] = np.concatenate([weights for _, weights in (*left, *right)])
            found[..., k] = dense[: len(left)] @ dense[len(left) :].T
        return found

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {kind.terms: kind.state() for kind in self.kinds}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Overlap:
        """Take back what `state` gave."""
        overlap = cls()
        overlap.kinds = (Tfidf.restored(state["words"]), Tfidf.restored(state["pieces"]))
        return overlap

    def _vectors(self, text: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Terms by number and their weights; kept, since the same turns come again and again."""
        if text not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            held = []
            for kind in self.kinds:
                vector = kind.vector(text)
                ids = np.array([_number(term) for term in vector], np.uint64)
                held.append((ids, np.array([*vector.values()], np.float32)))
            self._known[text] = held
        return self._known[text]


def _number(term: str) -> int:
    """A number for a term, the same in every process: sums have to be the same to the bit."""
    short = hashlib.blake2b(term.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(short, "little")


_MOST_KEPT = 50_000
