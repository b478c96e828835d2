"""What a task draws, and what is asked of an answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """Sequences and what is wanted of each.

    Attributes:
        x: Inputs, [batch, time, input], 0 past a sequence's end.
        lengths: Steps of each sequence, [batch].
        target: What is wanted after the last step, [batch, output], or after each step,
            [batch, time, output].
        truth: What answers are judged by where that is not the target, shaped like it.
        asked: Steps after which something is wanted, [batch, time], where it is not all of them.
    """

    x: Array
    lengths: NDArray[np.int64]
    target: Array
    truth: Array | None = None
    asked: NDArray[np.bool_] | None = None

    @property
    def every_step(self) -> bool:
        """Whether something is wanted after each step, or only after the last."""
        return self.target.ndim == 3

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Steps of a sequence after which something is wanted, [batch, time]."""
        inside = np.arange(self.x.shape[1]) < self.lengths[:, None]
        return inside if self.asked is None else inside & self.asked

    def errors(self, y: Array) -> Array:
        """The largest error of each sequence over outputs and steps, [batch].

        Args:
            y: Answers, shaped like `target`.
        """
        wrong = np.abs(y - (self.target if self.truth is None else self.truth))
        if self.every_step:
            wrong = wrong * self.wanted[..., None]
        return wrong.reshape(len(wrong), -1).max(1)


class Task(Protocol):
    """Sequences that can be drawn for ever, and when an answer to one is right."""

    @property
    def inputs(self) -> int:
        """Features of a step."""
        ...

    @property
    def outputs(self) -> int:
        """Features of an answer."""
        ...

    @property
    def tolerance(self) -> float:
        """What a sequence's error must be below for its answer to be right."""
        ...

    @property
    def units(self) -> str:
        """What answers: `"logistic"` units, `"softmax"` units or `"linear"` ones."""
        ...

    @property
    def longest(self) -> int:
        """Steps of the longest sequence."""
        ...

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        ...


def padded(lengths: NDArray[np.int64], inputs: int) -> Array:
    """Inputs to be filled, 0 everywhere, [batch, time, input]."""
    return np.zeros((len(lengths), int(lengths.max(initial=0)), inputs))


def lengths_from(rng: np.random.Generator, least: int, count: int) -> NDArray[np.int64]:
    """Lengths between `least` and a tenth more, both among them."""
    return rng.integers(least, least + least // 10 + 1, count)


def one_hot(symbols: NDArray[np.int64], size: int) -> Array:
    """Symbols as vectors, [..., size], with 1 at the symbol; a negative one is all 0."""
    return np.where(symbols[..., None] == np.arange(size), 1.0, 0.0)
