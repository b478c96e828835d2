"""Adding and multiplication: two marked numbers among many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batch import Batch, lengths_from, padded


@dataclass(frozen=True)
class Marked:
    """Two numbers of a long sequence are marked; at the end their sum or product is wanted.

    Experiments 4 and 5 of Hochreiter & Schmidhuber 1997. A step is a number and a marker: 1 at
    the two numbers that count, -1 at both ends, 0 elsewhere. One of the first ten is marked, and
    another one of the first half. A first step that is marked has the marker 1 and the number
    that changes nothing: 0 for a sum, 1 for a product. The sum's target is `0.5 + (x1 + x2) / 4`.

    Attributes:
        least: Steps of the shortest sequence, at least 20; the longest has a tenth more.
        product: Whether the product is wanted, of numbers in [0, 1] instead of [-1, 1].

    Example:
        >>> batch = Marked(100).draw(np.random.default_rng(0), 4)
        >>> batch.x.shape[2], batch.target.shape
        (2, (4, 1))
    """

    least: int = 100
    product: bool = False
    inputs: int = 2
    outputs: int = 1
    tolerance: float = 0.04
    units: str = "logistic"

    @property
    def longest(self) -> int:
        """Steps of the longest sequence."""
        return self.least + self.least // 10

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        lengths = lengths_from(rng, self.least, count)
        x = padded(lengths, 2)
        batch = np.arange(count)
        low = 0.0 if self.product else -1.0
        x[..., 0] = rng.uniform(low, 1, x.shape[:2])
        x[:, 0, 1] = x[batch, lengths - 1, 1] = -1
        first = rng.integers(0, 10, count)
        second = rng.integers(0, self.least // 2 - 1, count)
        second += second >= first
        x[batch, first, 1] = x[batch, second, 1] = 1
        x[x[:, 0, 1] == 1, 0, 0] = 1.0 if self.product else 0.0
        x *= (np.arange(x.shape[1]) < lengths[:, None])[..., None]
        pair = x[batch, first, 0], x[batch, second, 0]
        target = pair[0] * pair[1] if self.product else 0.5 + (pair[0] + pair[1]) / 4
        return Batch(x, lengths, target[:, None])
