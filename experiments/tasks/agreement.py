"""Agreement: the verb takes the number of the subject that came last, many words before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .batch import Batch, one_hot

SINGULAR, PLURAL = ("cat", "child"), ("cats", "children")
DISTRACTORS = ("near", "the", "old", "river", "and", "under", "a", "tree")
VERB = "..."
WORDS = (*SINGULAR, *PLURAL, *DISTRACTORS, VERB)


@dataclass(frozen=True)
class Agreement:
    """A sentence with some subjects; at its end the number of the last one is wanted.

    Up to eleven subjects come before the last one, so a memory that only adds up is wrong. After
    Olah 2015: "when we see a new subject, we want to forget the gender of the old subject".

    Attributes:
        distractors: Words between the last subject and the verb.

    Example:
        >>> batch = Agreement().draw(np.random.default_rng(0), 3)
        >>> len(words(batch.x[0])), batch.target.shape
        (33, (3, 2))
    """

    distractors: int = 20
    outputs: int = 2
    tolerance: float = 0.5
    units: str = "softmax"

    @property
    def inputs(self) -> int:
        """Words."""
        return len(WORDS)

    @property
    def longest(self) -> int:
        """Words of every sentence: eleven, the last subject, the distractors, the verb."""
        return 13 + self.distractors

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sentences."""
        first_other = len(SINGULAR) + len(PLURAL)
        steps = self.longest
        symbols = rng.integers(first_other, len(WORDS) - 1, (count, steps))
        symbols[:, -1] = len(WORDS) - 1
        last = steps - 2 - self.distractors
        earlier = rng.permuted(np.tile(np.arange(last), (count, 1)), axis=1)
        many = rng.integers(0, last + 1, count)
        for k in range(last):
            rows = np.flatnonzero(many > k)
            symbols[rows, earlier[rows, k]] = rng.integers(0, first_other, len(rows))
        symbols[:, last] = rng.integers(0, first_other, count)
        plural = (symbols[:, last] >= len(SINGULAR)).astype(int)
        return Batch(one_hot(symbols, self.inputs), np.full(count, steps), one_hot(plural, 2))

    def replaced(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which sentences have an earlier subject of the other number, [batch]."""
        number = numbers(x)
        last = x.shape[1] - 2 - self.distractors
        return np.any(number[:, :last] * number[:, last : last + 1] < 0, axis=1)


def numbers(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """-1 at a singular subject, 1 at a plural one, 0 elsewhere, [batch, time]."""
    many = len(SINGULAR)
    return x[..., many : many + len(PLURAL)].sum(-1) - x[..., :many].sum(-1)


def words(x: NDArray[np.float64]) -> list[str]:
    """A sentence's words, from its vectors, [time, word]."""
    return [WORDS[k] for k in x.argmax(-1)]
