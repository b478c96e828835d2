"""The embedded Reber grammar: predict what may come next, and remember the second symbol."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .batch import Batch, one_hot

SYMBOLS = "BTPSXVE"

GRAMMAR: tuple[dict[str, int], ...] = (
    {"T": 1, "P": 2},
    {"S": 1, "X": 3},
    {"T": 2, "V": 4},
    {"X": 2, "S": 5},
    {"P": 3, "V": 5},
    {"E": 6},
)
"""From each state of Reber's grammar, which symbol leads where; 6 is the end."""


def string(rng: np.random.Generator) -> str:
    """Draw a string: B, T or P, a string of Reber's grammar, the same T or P, E.

    Example:
        >>> text = string(np.random.default_rng(0))
        >>> text[1] == text[-2], text[0], text[2], text[-3:].count("E")
        (True, 'B', 'B', 2)
    """
    outer = "TP"[rng.integers(2)]
    inner, state = "B", 0
    while state != len(GRAMMAR):
        choices = list(GRAMMAR[state])
        symbol = choices[rng.integers(len(choices))]
        inner, state = inner + symbol, GRAMMAR[state][symbol]
    return f"B{outer}{inner}{outer}E"


def legal(text: str) -> list[str]:
    """What may follow each symbol of an embedded string but its last.

    Example:
        >>> legal("BTBTXSETE")
        ['TP', 'B', 'TP', 'SX', 'XS', 'E', 'T', 'E']
    """
    allowed, state = ["TP", "B"], 0
    for symbol in text[3:-2]:
        allowed.append("".join(GRAMMAR[state]))
        state = GRAMMAR[state][symbol]
    return [*allowed, text[1], "E"]


@dataclass(frozen=True)
class Strings:
    """Strings to learn from or to be tested on.

    Attributes:
        texts: The strings.

    Example:
        >>> pair = Strings.pair(seed=0, count=4)
        >>> len(pair[0].texts), bool(set(pair[0].texts) & set(pair[1].texts))
        (4, False)
    """

    texts: tuple[str, ...]
    inputs: int = len(SYMBOLS)
    outputs: int = len(SYMBOLS)
    tolerance: float = 0.49
    units: str = "logistic"

    @property
    def longest(self) -> int:
        """Symbols that are read of the longest string."""
        return max(map(len, self.texts)) - 1

    @classmethod
    def pair(cls, seed: int, count: int = 256) -> tuple[Strings, Strings]:
        """Strings to learn from, and others, none of them among the first, to be tested on."""
        rng = np.random.default_rng(seed)
        train = [string(rng) for _ in range(count)]
        test: list[str] = []
        while len(test) < count:
            found = string(rng)
            if found not in train:
                test.append(found)
        return cls(tuple(train)), cls(tuple(test))

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw some of the strings."""
        return self.batch([self.texts[k] for k in rng.integers(0, len(self.texts), count)])

    def batch(self, texts: list[str] | None = None) -> Batch:
        """Strings as vectors, each next symbol as the target; all strings where none are given."""
        texts = list(self.texts) if texts is None else texts
        lengths = np.array([len(text) - 1 for text in texts])
        symbols = np.full((len(texts), int(lengths.max()) + 1), -1)
        for row, text in zip(symbols, texts, strict=True):
            row[: len(text)] = [SYMBOLS.index(symbol) for symbol in text]
        vectors = one_hot(symbols, self.inputs)
        return Batch(np.where(_but_last(symbols), vectors, 0)[:, :-1], lengths, vectors[:, 1:])

    def right(self, y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the most active outputs are the legal next symbols all along each string.

        Args:
            y: Answers to `batch()`, [strings, time, symbols].
        """
        allowed, inside = self._allowed
        least = np.where(allowed, y, np.inf).min(-1)
        most = np.where(allowed, -np.inf, y).max(-1)
        return ((least > most) | ~inside).all(1)

    @cached_property
    def _allowed(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which symbols may come next, and which steps are part of a string."""
        allowed = np.zeros((len(self.texts), self.longest, self.outputs), bool)
        for k, text in enumerate(self.texts):
            for t, symbols in enumerate(legal(text)):
                allowed[k, t, [SYMBOLS.index(symbol) for symbol in symbols]] = True
        return allowed, np.any(allowed, axis=-1)


def _but_last(symbols: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Every symbol that is read: all of a string but its last."""
    ends = (symbols >= 0).sum(1)
    return (np.arange(symbols.shape[1]) < ends[:, None] - 1)[..., None]
