"""Temporal order: which of two symbols came first, far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batch import Batch, one_hot

SYMBOLS = "abcdEBXY"
TWO = ((10, 20), (50, 60))
THREE = ((10, 20), (33, 43), (66, 76))


@dataclass(frozen=True)
class TemporalOrder:
    """E, many of a to d, X or Y at two or three places, B: the order of X and Y is the class.

    Experiments 6a and 6b of Hochreiter & Schmidhuber 1997. Inputs and targets are one of n; the
    class is wanted at the end. Places count from 0, where E stands. A sequence is right where
    every output is within 0.3.

    Attributes:
        places: From where to where (both among them) each X or Y can stand, for a sequence of
            100 to 110 steps.
        share: The length and the places of the paper times this, for shorter versions.

    Example:
        >>> batch = TemporalOrder().draw(np.random.default_rng(0), 4)
        >>> batch.x.shape[2], batch.target.shape
        (8, (4, 4))
    """

    places: tuple[tuple[int, int], ...] = TWO
    share: float = 1.0
    inputs: int = len(SYMBOLS)
    tolerance: float = 0.3
    units: str = "logistic"

    @property
    def outputs(self) -> int:
        """Classes."""
        return 2 ** len(self.places)

    @property
    def longest(self) -> int:
        """Steps of the longest sequence."""
        return self._scaled(110)

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        lengths = rng.integers(self._scaled(100), self.longest + 1, count)
        symbols = rng.integers(0, 4, (count, int(lengths.max(initial=0))))
        batch = np.arange(count)
        symbols[:, 0] = SYMBOLS.index("E")
        symbols[batch, lengths - 1] = SYMBOLS.index("B")
        label = np.zeros(count, int)
        for first, last in self.places:
            is_y = rng.integers(0, 2, count)
            place = rng.integers(self._scaled(first), self._scaled(last) + 1, count)
            symbols[batch, place] = SYMBOLS.index("X") + is_y
            label = 2 * label + is_y
        symbols[np.arange(symbols.shape[1]) >= lengths[:, None]] = -1
        return Batch(one_hot(symbols, self.inputs), lengths, one_hot(label, self.outputs))

    def _scaled(self, steps: int) -> int:
        return round(self.share * steps)


@dataclass(frozen=True)
class FixedOrder:
    """The temporal order task of Pascanu, Mikolov & Bengio 2013, of one length.

    Six symbols, one of n: four that say nothing and two whose order is the class, the first in
    the second tenth of the sequence, the other in the sixth.

    Attributes:
        length: Steps of every sequence, at least 10.

    Example:
        >>> batch = FixedOrder(20).draw(np.random.default_rng(0), 4)
        >>> batch.x.shape, float(batch.x[:, :, 4:].sum())
        ((4, 20, 6), 8.0)
    """

    length: int = 50
    inputs: int = 6
    outputs: int = 4
    tolerance: float = 0.5
    units: str = "softmax"

    @property
    def longest(self) -> int:
        """Steps of every sequence."""
        return self.length

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        symbols = rng.integers(0, 4, (count, self.length))
        label = np.zeros(count, int)
        for first, end in ((0.1, 0.2), (0.5, 0.6)):
            is_second = rng.integers(0, 2, count)
            place = rng.integers(int(first * self.length), int(end * self.length), count)
            symbols[np.arange(count), place] = 4 + is_second
            label = 2 * label + is_second
        vectors = one_hot(symbols, self.inputs)
        return Batch(vectors, np.full(count, self.length), one_hot(label, self.outputs))
