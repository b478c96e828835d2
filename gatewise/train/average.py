"""A moving average of the weights."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn


class Average:
    """Exponential moving average of a network's weights (Polyak & Juditsky 1992).

    It follows quickly at first, as `min(decay, (1 + n) / (10 + n))` after n updates, so that
    the first random weights leave no trace. With a decay of 0 it is the weights themselves.

    Args:
        network: Whose weights are averaged.
        decay: Share of the average that an update keeps.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(1, 1)
        >>> average = Average(layer, 0.9)
        >>> _ = torch.nn.init.ones_(layer.weight)
        >>> for _ in range(300):
        ...     average.update()
        >>> with average.applied():
        ...     print(round(layer.weight.item(), 6))
        1.0
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        named = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self.decay = decay
        self.updates = 0
        self._names = list(named)
        self._weights = [p.detach() for p in named.values()]
        self._means = [p.clone() for p in self._weights] if decay else self._weights

    def update(self) -> None:
        """Take in the weights as they are now."""
        self.updates += 1
        if self.decay:
            keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
            many.lerp_(self._means, self._weights, 1.0 - keep)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average in the network's place, and the weights back afterwards."""
        if not self.decay:
            yield
            return
        kept = [w.clone() for w in self._weights]
        many.copy_(self._weights, self._means)
        try:
            yield
        finally:
            many.copy_(self._weights, kept)

    def state(self) -> dict[str, Tensor]:
        """The average by name of the weight."""
        return dict(zip(self._names, self._means, strict=True)) if self.decay else {}

    def restore(self, updates: int, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave after so many updates."""
        self.updates = updates
        if self.decay:
            for name, mean in zip(self._names, self._means, strict=True):
                mean.copy_(state[name])
