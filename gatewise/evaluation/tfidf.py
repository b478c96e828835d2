"""Texts by the words they share: TF-IDF, the retrieval that a sceptic asks for first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

_WORD = re.compile(r"\w+")


class Tfidf:
    """Cosine of texts whose words count by how rare they are.

    Salton & Buckley, Term-weighting approaches in automatic text retrieval, 1988
    (https://doi.org/10.1016/0306-4573(88)90021-0), with the smoothed `ln((1 + n) / (1 + df)) + 1`.
    A term that was not seen counts as the rarest.

    Args:
        terms: "words", in lower case; or "pieces", runs of three and four letters of a word and
            its ends, so that forms of a word share something.

    Example:
        >>> tfidf = Tfidf().fit(["the cat", "the dog", "the cow"])
        >>> tfidf.similarity(["the cat?"], ["the dog", "a cat", "no"]).round(2).tolist()
        [[0.26, 0.5, 0.0]]
    """

    def __init__(self, terms: Literal["words", "pieces"] = "words") -> None:
        self.terms: Literal["words", "pieces"] = terms
        self.count = 0
        self.seen: dict[str, int] = {}

    def fit(self, texts: Iterable[str]) -> Tfidf:
        """Learn how rare terms are."""
        seen: Counter[str] = Counter()
        self.count = 0
        for text in texts:
            self.count += 1
            seen.update(set(self._split(text)))
        self.seen = dict(seen)
        return self

    def vector(self, text: str) -> dict[str, float]:
        """A text's weights by term, of length 1; empty where there is no term."""
        counts = Counter(self._split(text))
        held = {
            term: count * (math.log((1 + self.count) / (1 + self.seen.get(term, 0))) + 1)
            for term, count in counts.items()
        }
        norm = math.sqrt(sum(weight * weight for weight in held.values()))
        return {term: weight / norm for term, weight in held.items()}

    def similarity(self, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """Cosine of each text with each other, float64 [texts, others]."""
        return Index(self, others).similarity(texts)

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {"terms": self.terms, "count": self.count, "seen": self.seen}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Tfidf:
        """Take back what `state` gave."""
        tfidf = cls(state["terms"])
        tfidf.count, tfidf.seen = state["count"], dict(state["seen"])
        return tfidf

    def _split(self, text: str) -> list[str]:
        words = _WORD.findall(text.lower())
        if self.terms == "words":
            return words
        marked = [f"<{word}>" for word in words]
        return [w[i : i + n] for w in marked for n in (3, 4) for i in range(len(w) - n + 1)]


class Index:
    """Texts to be searched: for each term, where it stands.

    Args:
        tfidf: What is known of terms.
        texts: What is searched.

    Example:
        >>> texts = ["What is your name?", "How old are you?"]
        >>> Index(Tfidf().fit(texts), texts).nearest("your name, please")[0]
        0
    """

    def __init__(self, tfidf: Tfidf, texts: Sequence[str]) -> None:
        self.tfidf, self.size = tfidf, len(texts)
        held: dict[str, tuple[list[int], list[float]]] = {}
        for place, text in enumerate(texts):
            for term, weight in tfidf.vector(text).items():
                places, weights = held.setdefault(term, ([], []))
                places.append(place)
                weights.append(weight)
        self._held = {t: (np.array(p), np.array(w)) for t, (p, w) in held.items()}

    def similarity(self, texts: Sequence[str]) -> np.ndarray:
        """Cosine of each text with each of those held, float64 [texts, held]."""
        found = np.zeros((len(texts), self.size))
        for row, text in zip(found, texts, strict=True):
            for term, weight in self.tfidf.vector(text).items():
                if term in self._held:
                    places, weights = self._held[term]
                    row[places] += weight * weights
        return found

    def nearest(self, text: str) -> tuple[int, float]:
        """Place of the most similar text that is held, and its cosine; the first of equals."""
        row = self.similarity([text])[0]
        place = int(row.argmax())
        return place, float(row[place])
