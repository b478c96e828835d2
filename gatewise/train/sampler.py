"""Which examples make up which step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .randomness import generator

if TYPE_CHECKING:
    from torch import Tensor

POOL = 50
"""Batches' worth of examples that are sorted by length together."""


class Sampler:
    """Endless random passes over the examples, cut into epochs and into batches.

    An epoch takes the next `epoch_examples` of the passes, so that every example is seen
    before any is seen again, however short an epoch is. Everything follows from the seed and
    the epoch's number: there is no position to save.

    Examples of mixed lengths are bucketed: pools of `POOL` batches are sorted by length, so
    that a batch holds little padding, and the batches are shuffled.

    Args:
        count: Examples there are.
        batch_size: Examples of a batch; the last one of an epoch may hold fewer.
        epoch_examples: Examples of an epoch; 0 for `count`.
        lengths: Steps of each example, int64 [count]; None when all are equal.
        seed: Of the order.

    Example:
        >>> sampler = Sampler(10, 4, seed=0)
        >>> [len(batch) for batch in sampler.epoch(0)], sampler.steps
        ([4, 4, 2], 3)
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        epoch_examples: int = 0,
        lengths: Tensor | None = None,
        *,
        seed: int,
    ) -> None:
        self.count = count
        self.batch_size = batch_size
        self.size = epoch_examples or count
        mixed = lengths is not None and int(lengths.min()) < int(lengths.max())
        self.lengths = lengths if mixed else None
        self.seed = seed
        self.steps = -(-self.size // batch_size)
        self._order: tuple[int, Tensor] = (-1, torch.empty(0, dtype=torch.int64))

    def epoch(self, number: int) -> list[Tensor]:
        """Indices of each batch of an epoch, int64 [batch] each."""
        start, end = number * self.size, (number + 1) * self.size
        passes = range(start // self.count, -(-end // self.count))
        drawn = torch.cat([self._pass(p) for p in passes])
        drawn = drawn[start - passes[0] * self.count :][: self.size]
        if self.lengths is None:
            return list(drawn.split(self.batch_size))
        pools = drawn.split(self.batch_size * POOL)
        batches = [b for pool in pools for b in self._by_length(pool).split(self.batch_size)]
        order = torch.randperm(
            len(batches), generator=generator(self.seed, "buckets", number)
        ).tolist()
        return [batches[i] for i in order]

    def _pass(self, number: int) -> Tensor:
        if self._order[0] != number:
            order = torch.randperm(self.count, generator=generator(self.seed, "order", number))
            self._order = (number, order)
        return self._order[1]

    def _by_length(self, indices: Tensor) -> Tensor:
        assert self.lengths is not None
        return indices[self.lengths[indices].argsort(stable=True)]
