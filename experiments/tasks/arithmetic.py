"""Arithmetic read letter by letter, with letters in between that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batch import Batch, one_hot

SYMBOLS = "0123456789+-=.abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Arithmetic:
    """`3e36d9-h1h39f94eeh43keg3c=` and then `-13991064.`, one character at a time.

    The task of Jozefowicz, Zaremba & Sutskever 2015: a sum or difference of two numbers whose
    digits have random letters between them; after `=` each next character of the result is
    wanted, up to the full stop.

    Attributes:
        digits: Of each number at most.
        letters: Between two characters at most.

    Example:
        >>> problem("12", "-", "30", "abc", [1, 0, 0, 2, 0])
        'a12-bc30='
        >>> task = Arithmetic(digits=2)
        >>> task.draw(np.random.default_rng(0), 3).x.shape[2]
        40
    """

    digits: int = 3
    letters: int = 1
    inputs: int = len(SYMBOLS)
    outputs: int = len(SYMBOLS)
    tolerance: float = 0.5
    units: str = "softmax"

    @property
    def longest(self) -> int:
        """Characters of the longest problem and its result."""
        read = 2 * self.digits + 1
        return read + (read - 1) * self.letters + 1 + self.digits + 3

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw problems."""
        pairs = [self.text(rng) for _ in range(count)]
        lengths = np.array([len(asked) + len(answer) - 1 for asked, answer in pairs])
        symbols = np.full((count, int(lengths.max()) + 1), -1)
        asked = np.zeros((count, symbols.shape[1] - 1), bool)
        for k, (question, answer) in enumerate(pairs):
            text = question + answer
            symbols[k, : len(text)] = [SYMBOLS.index(symbol) for symbol in text]
            asked[k, len(question) - 1 : len(text) - 1] = True
        vectors = one_hot(symbols, self.inputs)
        read = np.arange(asked.shape[1]) < lengths[:, None]
        x = np.where(read[..., None], vectors[:, :-1], 0)
        return Batch(x, lengths, vectors[:, 1:], asked=asked)

    def text(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw one problem and its result."""
        a, b = (int(rng.integers(0, 10 ** rng.integers(1, self.digits + 1))) for _ in range(2))
        sign = "+-"[rng.integers(2)]
        plain = f"{a}{sign}{b}"
        gaps = rng.integers(0, self.letters + 1, len(plain))
        gaps[0] = 0
        letters = "".join(SYMBOLS[14 + k] for k in rng.integers(0, 26, int(gaps.sum())))
        return problem(
            str(a), sign, str(b), letters, list(gaps)
        ), f"{a + b if sign == '+' else a - b}."


def problem(a: str, sign: str, b: str, letters: str, gaps: list[int]) -> str:
    """Write a problem with so many letters before each of its characters."""
    rest, text = letters, ""
    for symbol, gap in zip(a + sign + b, gaps, strict=True):
        text, rest = text + rest[:gap] + symbol, rest[gap:]
    return text + "="
