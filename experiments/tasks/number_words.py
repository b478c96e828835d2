"""Number words to digits: `four thousand twenty one` to `4021`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = (*ONES, *TENS, "hundred", "thousand")
DIGITS = "0123456789"
END = len(DIGITS)
"""The output symbol after the last digit; the decoder also starts from it."""


def spelled(number: int) -> list[str]:
    """Write a number below a million in words.

    Example:
        >>> " ".join(spelled(4021)), " ".join(spelled(110))
        ('four thousand twenty one', 'one hundred ten')
    """
    if number < 20:
        return [ONES[number]]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = spelled(number % size) if number % size else []
            return [*spelled(number // size), name, *rest]
    rest = [ONES[number % 10]] if number % 10 else []
    return [TENS[number // 10 - 2], *rest]


@dataclass(frozen=True)
class Pairs:
    """Source and target sequences, padded.

    Attributes:
        source: Words, [batch, time].
        lengths: Words of each source, [batch].
        target: Digits and END, [batch, time]; END also past the end.
        wanted: Which of them count, [batch, time].
    """

    source: NDArray[np.int64]
    lengths: NDArray[np.int64]
    target: NDArray[np.int64]
    wanted: NDArray[np.bool_]


def pairs(numbers: NDArray[np.int64]) -> Pairs:
    """Numbers as words and digits.

    Example:
        >>> found = pairs(np.array([7, 120]))
        >>> found.lengths.tolist(), found.target.tolist()
        ([1, 3], [[7, 10, 10, 10], [1, 2, 0, 10]])
    """
    texts = [[WORDS.index(word) for word in spelled(int(n))] for n in numbers]
    digits = [[int(digit) for digit in str(n)] for n in numbers]
    lengths = np.array([len(text) for text in texts])
    source = np.zeros((len(texts), lengths.max()), np.int64)
    target = np.full((len(texts), max(map(len, digits)) + 1), END)
    for k, (text, written) in enumerate(zip(texts, digits, strict=True)):
        source[k, : len(text)] = text
        target[k, : len(written)] = written
    counts = np.array([len(written) for written in digits])
    wanted = np.arange(target.shape[1]) <= counts[:, None]
    return Pairs(source, lengths, target, wanted)


def split(below: int, held_out: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All numbers below a bound, in random order: those to learn from, and those held out."""
    order = np.random.default_rng(seed).permutation(below)
    return order[held_out:], order[:held_out]
