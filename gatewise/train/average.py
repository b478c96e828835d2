"""A moving average of the weights."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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

    @property
    def differs(self) -> bool:
        """Whether the average is anything else than the weights."""
        return self.decay > 0

    def update(self) -> None:
        """Take in the weights as they are now."""
        self.updates += 1
        if self.differs:
            many.lerp_(self._means, self._weights, 1.0 - self._keep())

    def heard(self, values: Sequence[float]) -> None:
        """Take note of the held-out figures so far, lower is better."""

    def _keep(self) -> float:
        return min(self.decay, (1 + self.updates) / (10 + self.updates))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average in the network's place, and the weights back afterwards."""
        if not self.differs:
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
        return dict(zip(self._names, self._means, strict=True)) if self.differs else {}

    def restore(self, updates: int, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave after so many updates."""
        self.updates = updates
        if self.differs:
            for name, mean in zip(self._names, self._means, strict=True):
                mean.copy_(state[name])


NONMONOTONE = 5
"""Looks at the held-out part that have to be in vain before weights are averaged."""


class TriggeredAverage(Average):
    """Mean of all weights since the held-out loss stopped falling.

    With plain gradient descent this is NT-ASGD (Merity, Keskar & Socher 2018,
    https://arxiv.org/abs/1708.02182): the mean begins when a figure is worse than the best of those
    at least `NONMONOTONE` looks ago. Until then the weights stand for themselves.

    Args:
        network: Whose weights are averaged.

    Example:
        >>> import torch
        >>> average = TriggeredAverage(torch.nn.Linear(1, 1))
        >>> average.heard([3.0, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5])
        >>> average.differs
        False
        >>> average.heard([3.0, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6])
        >>> average.differs
        True
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network, 0.0)

    @property
    def differs(self) -> bool:
        """Whether averaging has begun."""
        return self._means is not self._weights

    def heard(self, values: Sequence[float]) -> None:
        """Begin where the last figure is worse than one of those long ago."""
        *before, last = values
        long_ago = before[:-NONMONOTONE]
        if not self.differs and long_ago and last > min(long_ago):
            self.updates = 0
            self._means = [w.clone() for w in self._weights]

    def _keep(self) -> float:
        return 1.0 - 1.0 / self.updates

    def restore(self, updates: int, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave after so many updates; nothing where it had not begun."""
        if state:
            self._means = [w.clone() for w in self._weights]
        super().restore(updates, state)
