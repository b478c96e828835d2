"""The two-sequence problem: the first few numbers say the class, noise follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batch import Batch, lengths_from, padded


@dataclass(frozen=True)
class TwoSequence:
    """The first numbers are all 1 or all -1, the others noise; at the end the class is wanted.

    Experiments 3a and 3c of Hochreiter & Schmidhuber 1997, the first after Bengio, Simard &
    Frasconi 1994 (https://doi.org/10.1109/72.279181). The noise has variance 0.2. With
    `noisy_targets` (3c) it lies on the first numbers too, and the target is 0.2 or 0.8 with
    noise of variance 0.1: what has to be learned is its expectation.

    Attributes:
        least: Steps of the shortest sequence; the longest has a tenth more.
        informative: How many numbers at the start say the class.
        noisy_targets: Whether it is 3c.

    Example:
        >>> batch = TwoSequence(100).draw(np.random.default_rng(0), 2)
        >>> abs(batch.x[:, :3, 0].sum(1)).tolist()
        [3.0, 3.0]
    """

    least: int = 100
    informative: int = 3
    noisy_targets: bool = False
    inputs: int = 1
    outputs: int = 1
    units: str = "logistic"

    @property
    def tolerance(self) -> float:
        """Of the error of one sequence: 0.2, and 0.1 of the expectation in 3c."""
        return 0.1 if self.noisy_targets else 0.2

    @property
    def longest(self) -> int:
        """Steps of the longest sequence."""
        return self.least + self.least // 10

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """Draw sequences."""
        lengths = lengths_from(rng, self.least, count)
        x = padded(lengths, 1)
        inside = np.arange(x.shape[1]) < lengths[:, None]
        noise = rng.normal(0, np.sqrt(0.2), inside.shape)
        first = rng.integers(0, 2, count)
        start = np.where(first, 1.0, -1.0)[:, None]
        if self.noisy_targets:
            start = start + noise[:, : self.informative]
        x[..., 0] = noise * inside
        x[:, : self.informative, 0] = start
        if not self.noisy_targets:
            return Batch(x, lengths, np.where(first, 1.0, 0.0)[:, None])
        truth = np.where(first, 0.2, 0.8)[:, None]
        return Batch(x, lengths, truth + rng.normal(0, np.sqrt(0.1), truth.shape), truth)
