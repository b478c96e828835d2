"""Long time lags: a symbol that was seen first is wanted last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batch import Batch, one_hot


@dataclass(frozen=True)
class NoiseFree:
    """`x a1 a2 ... x` or `y a1 a2 ... y`: each next symbol is wanted, the last is the first.

    Experiment 2a of Hochreiter & Schmidhuber 1997. Symbols are one of `lag + 1`: a1, a2, ..., x
    and y. Sequences have `lag + 1` symbols, of which all but the last are read.

    Attributes:
        lag: Steps between the first symbol and its repetition.

    Example:
        >>> batch = NoiseFree(5).draw(np.random.default_rng(0), 2)
        >>> batch.x.shape, batch.target.shape
        ((2, 5, 6), (2, 5, 6))
    """

    lag: int = 100
    tolerance: float = 0.25
    units: str = "logistic"

    @property
    def inputs(self) -> int:
        """Symbols."""
        return self.lag + 1

    @property
    def outputs(self) -> int:
        """Symbols."""
        return self.lag + 1

    @property
    def longest(self) -> int:
        """Steps of a sequence."""
        return self.lag

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        first = self.lag - 1 + rng.integers(0, 2, count)
        middle = np.broadcast_to(np.arange(self.lag - 1), (count, self.lag - 1))
        symbols = np.concatenate([first[:, None], middle, first[:, None]], 1)
        vectors = one_hot(symbols, self.inputs)
        return Batch(vectors[:, :-1], np.full(count, self.lag), vectors[:, 1:])


@dataclass(frozen=True)
class Noisy:
    """`b x a9 a2 a5 ... e`: after e, x or y is wanted, whichever came second.

    Experiment 2c of Hochreiter & Schmidhuber 1997. Between them stand `lag` random distractors
    and then more until, with probability 0.1 at each step, e ends it. No two sequences are alike,
    so there is no regularity but the one over the lag.

    Attributes:
        distractors: Different symbols that say nothing (p).
        lag: How many of them at least lie in between (q).

    Example:
        >>> task = Noisy(50, 50)
        >>> task.inputs, task.draw(np.random.default_rng(0), 3).target.shape
        (54, (3, 2))
    """

    distractors: int = 50
    lag: int = 50
    tolerance: float = 0.2
    outputs: int = 2
    units: str = "logistic"

    @property
    def inputs(self) -> int:
        """Symbols: the distractors, e, b, x and y."""
        return self.distractors + 4

    @property
    def longest(self) -> int:
        """Steps after which a sequence is ended; one in ten thousand would be longer."""
        return self.lag + 90

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        # b, x or y, the lag, a geometric number of distractors more, e.
        lengths = np.minimum(2 + self.lag + rng.geometric(0.1, count), self.longest)
        symbols = rng.integers(0, self.distractors, (count, int(lengths.max(initial=0))))
        e, b, x = self.distractors, self.distractors + 1, self.distractors + 2
        is_y = rng.integers(0, 2, count)
        symbols[:, 0], symbols[:, 1] = b, x + is_y
        symbols[np.arange(count), lengths - 1] = e
        symbols[np.arange(symbols.shape[1]) >= lengths[:, None]] = -1
        return Batch(one_hot(symbols, self.inputs), lengths, one_hot(is_y, 2))
