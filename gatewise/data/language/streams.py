"""Token streams in windows: to be learned from, round and round, or to be judged on, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...nn.networks.language import UNSCORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

WARM_UP = 256
"""Tokens that a stream of a passage reads, unscored, before its own."""

FORGET = 0.01
"""Rate at which a reader begins a training window with an empty memory. Without it, a network has
begun from nothing at its first step only, and generation and held-out passages ask it to. It is a
precaution: in a short run it did not keep readers from running off (decision 9)."""

JITTER, SHORT, SHORT_SHARE = 5.0, 0.5, 0.05
"""Spread of random window lengths in tokens; length of the short ones, and how many they are."""


@dataclass(frozen=True)
class Window:
    """Tokens of some streams, and the token that comes after each.

    Args:
        tokens: int64 [batch, time].
        targets: int64 [batch, time]; `UNSCORED` where none is asked for.
        places: Where in the row the targets stand, int64 [batch, time].
        first: Whether the readers begin here.
        fresh: Readers that forget what they have read and begin anew, bool [batch]; None for none.
    """

    tokens: Tensor
    targets: Tensor
    places: Tensor
    first: bool
    fresh: Tensor | None = None


@dataclass(frozen=True)
class Streams:
    """A long row of tokens, read by several readers at once that go round it without end.

    The readers start at equal distances. A network that carries its state has in its memory all
    that its reader has seen; where the row begins anew, it meets the token that begins a text.

    Args:
        tokens: The row, of any unsigned type.
        window: Tokens that a reader takes at a time, on average.
        jitter: Whether windows vary in length: mostly about `window`, now and then half of it
            (Merity, Keskar & Socher 2018, https://arxiv.org/abs/1708.02182).
        name: What it is called in a message.

    Example:
        >>> row = Streams(np.arange(1, 13, dtype=np.uint8), window=3)
        >>> order = row.order(2, 0, seed=0)
        >>> [row.batch(indices).tokens.tolist() for indices in order.epoch(0)]
        [[[1, 2, 3], [7, 8, 9]], [[4, 5, 6], [10, 11, 12]]]
    """

    tokens: NDArray[Any]
    window: int
    jitter: bool = False
    name: str = "the text"

    def __len__(self) -> int:
        """Tokens."""
        return len(self.tokens)

    @property
    def lengths(self) -> None:
        """All windows of a batch are equally long."""

    def order(self, batch_size: int, epoch_examples: int, seed: int) -> Round:
        """Let so many readers go on by so many tokens in an epoch, all together."""
        readers = min(batch_size, max(1, len(self) // self.window))
        steps = max(1, (epoch_examples or len(self)) // readers)
        return Round(len(self), readers, steps, self.window, self.jitter, seed)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Window:
        """Put tokens at these places, [batch, time], and those after them, together."""
        after = (indices + 1) % len(self)
        tokens, targets = (_taken(self.tokens, places.numpy()) for places in (indices, after))
        fresh = None
        if generator is not None:
            fresh = torch.rand(len(indices), generator=generator) < FORGET
        return Window(tokens, targets, after, first=False, fresh=fresh)

    def weight(self, indices: Tensor) -> float:
        """Length of a window beside the usual one."""
        return indices.shape[1] / self.window

    def where(self, index: int) -> str:
        """Name a place."""
        return f"token {index} of {self.name}"

    def culprit(self, index: int) -> None:
        """No token is anything but finite."""


@dataclass(frozen=True)
class Round:
    """Readers that go round a row of tokens.

    Args:
        count: Tokens of the row.
        readers: How many.
        length: Tokens that each of them reads in an epoch.
        window: Tokens at a time, on average.
        jitter: Whether windows vary in length.
        seed: Of that.
    """

    count: int
    readers: int
    length: int
    window: int
    jitter: bool
    seed: int

    @property
    def steps(self) -> int:
        """Windows of an epoch."""
        return max(1, round(self.length / self.window))

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Places of each window's tokens, [readers, time]."""
        starts = torch.arange(self.readers).unsqueeze(1) * (self.count // self.readers)
        edges = self._edges(number)
        for first, last in pairwise(edges):
            steps = torch.arange(first, last) + number * self.length
            yield (starts + steps) % self.count

    def _edges(self, number: int) -> list[int]:
        """Where windows begin and end, from 0 to the epoch's length."""
        sizes = np.ones(self.steps)
        if self.jitter:
            chance = np.random.default_rng((self.seed, number))
            short = chance.random(self.steps) < SHORT_SHARE
            means = np.where(short, SHORT * self.window, self.window)
            sizes = np.maximum(chance.normal(means, JITTER), 1.0)
        ends = np.rint(np.cumsum(sizes) / sizes.sum() * self.length).astype(np.int64)
        return list(dict.fromkeys([0, *ends.tolist()]))


@dataclass(frozen=True)
class Passage:
    """A part of a row of tokens, each of which is predicted once, from all that is before it.

    It is read by several readers side by side, which begin `WARM_UP` tokens ahead of their own
    share, so that no token is predicted from nothing, but the row's first.

    Args:
        tokens: The row.
        start: Place of the first token that is predicted, at least 1.
        window: Tokens at a time.
        facts: What a judge wants to know of the text beside its tokens.
        name: What it is called in a message.

    Example:
        >>> passage = Passage(np.arange(1, 7, dtype=np.uint8), start=4, window=8)
        >>> [passage.batch(indices).targets.tolist() for indices in passage.order(1, 0, 0).epoch(0)]
        [[[0, 0, 0, 5, 6]]]
    """

    tokens: NDArray[Any]
    start: int = 1
    window: int = 256
    facts: dict[str, Any] = field(default_factory=dict)
    name: str = "the text"

    def __len__(self) -> int:
        """Tokens that are predicted."""
        return max(0, len(self.tokens) - self.start)

    @property
    def lengths(self) -> None:
        """All windows of a batch are equally long."""

    def order(self, batch_size: int, epoch_examples: int, seed: int) -> Shares:
        """Share the passage out among at most so many readers."""
        readers = min(batch_size, max(1, len(self) // (2 * WARM_UP)))
        return Shares(self.start, len(self), readers, self.window)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Window:
        """Put tokens at these places together; those below 0 are unscored (`Shares`)."""
        scored = indices >= 0
        places = indices.where(scored, -1 - indices)
        after = (places + 1).clamp(max=len(self.tokens) - 1)
        targets = _taken(self.tokens, after.numpy()).where(scored, UNSCORED)
        begin = Shares(self.start, len(self), len(indices), self.window).begins()[0]
        first = bool(places[0, 0] == begin)
        return Window(_taken(self.tokens, places.numpy()), targets, after, first)

    def weight(self, indices: Tensor) -> float:
        """Share of scored tokens."""
        return float((indices >= 0).sum()) / (len(indices) * self.window)

    def where(self, index: int) -> str:
        """Name a place."""
        return f"token {index if index >= 0 else -1 - index} of {self.name}"

    def culprit(self, index: int) -> None:
        """No token is anything but finite."""


@dataclass(frozen=True)
class Shares:
    """Readers of a passage, each with a share of it.

    Args:
        start: Place of the first token that is predicted.
        count: Tokens that are predicted.
        readers: How many.
        window: Tokens at a time.
    """

    start: int
    count: int
    readers: int
    window: int

    @property
    def steps(self) -> int:
        """Windows until all is read."""
        return -(-self._length // self.window)

    @property
    def _share(self) -> int:
        return -(-self.count // self.readers)

    @property
    def _length(self) -> int:
        """Tokens that each reader takes in."""
        return min(WARM_UP, self.start - 1 + (self.readers > 1) * WARM_UP) + self._share

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Places of each window's tokens, [readers, time]; -1 - place where nothing is scored."""
        own, begins = self._own(), self.begins()
        ends = self._ends(own)
        for first in range(0, self._length, self.window):
            places = begins + torch.arange(first, min(first + self.window, self._length))
            inside = (places >= own) & (places < ends)
            # What a reader that began at the very start reads past its share is not scored.
            yield torch.where(inside, places, -1 - places.clamp(max=self.start - 1 + self.count))

    def begins(self) -> Tensor:
        """Place of the first token that each reader takes in, [readers, 1]."""
        return (self._ends(self._own()) - self._length).clamp(min=0)

    def _own(self) -> Tensor:
        return self.start - 1 + torch.arange(self.readers).unsqueeze(1) * self._share

    def _ends(self, own: Tensor) -> Tensor:
        return (own + self._share).clamp(max=self.start - 1 + self.count)


def _taken(tokens: NDArray[Any], places: NDArray[Any]) -> Tensor:
    return torch.from_numpy(tokens[places].astype(np.int64))
