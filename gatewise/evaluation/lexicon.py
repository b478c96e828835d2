"""Word by word: the translation that a sceptic asks for first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST = 5_000_000
"""Meetings of a source word and a target word that are looked at."""


class Lexicon:
    """The likeliest translation of each word, by IBM's model 1.

    Brown, Della Pietra, Della Pietra & Mercer, The Mathematics of Statistical Machine Translation,
    1993 (https://aclanthology.org/J93-2003), section 4.2: every target word comes from one of the
    source's words, whatever their order. A word that was not seen is copied.

    Args:
        words: Source word to target word.

    Example:
        >>> pairs = [("das haus", "the house"), ("das buch", "the book"), ("ein buch", "a book")]
        >>> lexicon = Lexicon.fit([s.split() for s, _ in pairs], [t.split() for _, t in pairs])
        >>> lexicon("ein haus".split())
        ['a', 'house']
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = dict(words)

    @classmethod
    def fit(
        cls,
        sources: Sequence[Sequence[str]],
        targets: Sequence[Sequence[str]],
        rounds: int = 5,
    ) -> Lexicon:
        """Learn it from pairs by expectation maximisation; of very many, from the first.

        Args:
            sources: Words of each source.
            targets: Words of each target.
            rounds: Of expectation and maximisation.
        """
        meetings = np.cumsum([len(s) * len(t) for s, t in zip(sources, targets, strict=True)])
        count = max(1, int(np.searchsorted(meetings, MOST, "right")))
        known = ({}, {})
        rows = [
            [_numbered(words, table) for words in side[:count]]
            for side, table in zip((sources, targets), known, strict=True)
        ]
        pairs = list(zip(*rows, strict=True))
        if not any(len(s) and len(t) for s, t in pairs):
            return cls({})
        # One entry for each meeting of a source word with a target word.
        source = np.concatenate([np.repeat(s, len(t)) for s, t in pairs])
        target = np.concatenate([np.tile(t, len(s)) for s, t in pairs])
        sizes = np.array([len(t) for _, t in pairs])
        starts = np.cumsum(sizes) - sizes
        place = np.concatenate(
            [
                np.tile(at + np.arange(len(t)), len(s))
                for at, (s, t) in zip(starts, pairs, strict=True)
            ]
        )
        both, entry = np.unique(source * len(known[1]) + target, return_inverse=True)
        first, second = np.divmod(both, len(known[1]))
        chance = np.ones(len(both))
        for _ in range(rounds):
            share = chance[entry]
            share /= np.bincount(place, share)[place]
            counts = np.bincount(entry, share, len(both))
            chance = counts / np.bincount(first, counts)[first]
        order = np.lexsort((second, -chance, first))
        best = order[np.unique(first[order], return_index=True)[1]]
        names = list(known[0]), list(known[1])
        return cls({names[0][first[k]]: names[1][second[k]] for k in best})

    def __call__(self, words: Sequence[str]) -> list[str]:
        """Translate words one by one."""
        return [self.words.get(word, word) for word in words]

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return dict(self.words)

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Lexicon:
        """Take back what `state` gave."""
        return cls(state)


def _numbered(words: Sequence[str], table: dict[str, int]) -> np.ndarray:
    return np.array([table.setdefault(word, len(table)) for word in words], dtype=np.int64)
