"""Several networks of different seeds that answer as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .randomness import derive, isolated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


def mean(outputs: Sequence[Tensor]) -> Tensor:
    """Average the members' outputs."""
    return torch.stack(list(outputs)).mean(0)


class Ensemble(nn.Module):
    """Networks that are trained one after another and whose outputs are combined.

    The trainer trains member k as it would train a network alone with `seed + k`; what is
    judged, calibrated, saved and asked afterwards is the ensemble.

    Args:
        members: The networks, alike in their inputs and outputs.
        combine: One output from the members' outputs; their mean by default, which suits a
            tensor of values, logits or quantiles.

    Example:
        >>> pair = Ensemble.of(lambda: nn.Linear(3, 1), 2, seed=0)
        >>> pair(torch.zeros(5, 3)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self, members: Sequence[nn.Module], combine: Callable[[Sequence[Any]], Any] = mean
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.combine = combine

    @classmethod
    def of(
        cls,
        build: Callable[[], nn.Module],
        count: int,
        *,
        seed: int,
        combine: Callable[[Sequence[Any]], Any] = mean,
    ) -> nn.Module:
        """Build members whose first weights are those of single networks of seeds that follow.

        Args:
            build: Makes one network.
            count: How many; 1 gives the network itself, in no ensemble.
            seed: Of the first.
            combine: One output from the members' outputs.
        """
        members = []
        for k in range(count):
            with isolated(derive(seed + k, "weights")):
                members.append(build())
        return members[0] if count == 1 else cls(members, combine)

    def forward(self, batch: Any) -> Any:
        """Combine the members' outputs for a batch."""
        return self.combine([member(batch) for member in self.members])

    def start(self, batch: Any) -> tuple[Any, ...]:
        """Each member's state before the first step, for members that can be stepped."""
        return tuple(member.start(batch) for member in self._steppable())

    def step(self, token: Tensor, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Step each member on the same token, and combine what they say about the next."""
        pairs = [m.step(token, s) for m, s in zip(self._steppable(), state, strict=True)]
        outputs, states = zip(*pairs, strict=True)
        return self.combine(outputs), states

    def select(self, state: tuple[Any, ...], rows: Tensor) -> tuple[Any, ...]:
        """Each member's state of these rows, in this order."""
        return tuple(m.select(s, rows) for m, s in zip(self._steppable(), state, strict=True))

    def _steppable(self) -> Sequence[Any]:
        return list(self.members)
