"""When a network has learned: the criteria of 1997."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tasks.batch import Array, Batch
from .tasks.reber import Strings

Answers = Callable[[Batch], Array]
"""A network: what it answers to a batch, shaped like the target."""

Judge = Callable[[Answers], bool]
"""Says of a network whether it has learned, by trying it."""


@dataclass(frozen=True)
class OnSet:
    """None of a test set's sequences is wrong, and the mean of their errors is small.

    Attributes:
        batch: The test set.
        tolerance: What each sequence's error must be below.
        mean: What the mean of their errors must be below.
    """

    batch: Batch
    tolerance: float
    mean: float = math.inf

    def __call__(self, answers: Answers) -> bool:
        """Try a network."""
        errors = self.batch.errors(answers(self.batch))
        return bool((errors < self.tolerance).all() and errors.mean() < self.mean)


@dataclass(frozen=True)
class OnStrings:
    """Every symbol of every string, learned from or not, is followed by the legal ones.

    Attributes:
        train: Strings that are learned from.
        test: Strings that are not.
    """

    train: Strings
    test: Strings

    def __call__(self, answers: Answers) -> bool:
        """Try a network."""
        return all(
            bool(strings.right(answers(strings.batch())).all())
            for strings in (self.train, self.test)
        )


class Recent:
    """The last so many training sequences were processed correctly, in several runs at once.

    Args:
        runs: How many runs are watched side by side.
        count: How many sequences have to be right.
        mean: What the mean of their errors must be below.
        wrong: How many of them may be wrong.

    Example:
        >>> recent = Recent(runs=1, count=3, mean=0.1)
        >>> [bool(recent.add(np.array([[e]]), np.array([[e < 0.2]]))[0]) for e in (0.3, 0, 0, 0)]
        [False, False, False, True]
    """

    def __init__(self, runs: int, count: int, mean: float = math.inf, wrong: int = 0) -> None:
        self.count, self.mean, self.wrong = count, mean, wrong
        self.errors = np.full((runs, count), math.inf)
        self.bad = np.ones((runs, count), bool)
        self.at = 0

    def add(self, errors: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take in some sequences of each run, and say which runs have learned.

        Args:
            errors: Of each sequence, [runs, sequences].
            right: Whether it was processed correctly, [runs, sequences].
        """
        places = (self.at + np.arange(errors.shape[1])) % self.count
        self.errors[:, places] = errors
        self.bad[:, places] = ~right
        self.at = int(places[-1] + 1) % self.count
        learned = self.bad.sum(1) <= self.wrong
        if learned.any():
            learned &= self.errors.mean(1) < self.mean
        return learned

    def keep(self, runs: NDArray[np.int64]) -> None:
        """Go on watching some of the runs only."""
        self.errors, self.bad = self.errors[runs], self.bad[runs]
