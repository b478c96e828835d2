"""AdamW without what torch's own brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from . import many
from .optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

EPSILON = 1e-8


class AdamW(Optimizer):
    """Adam with decoupled decay of matrices (Loshchilov & Hutter 2019).

    The arithmetic is torch's fused kernel, https://arxiv.org/abs/1711.05101. The class around
    it is ours because the first `torch.optim.Optimizer` of a process imports torch's compiler,
    which takes seconds, and because a step of a small network is mostly the cost of calls.

    Args:
        weights: What is trained; biases and other vectors do not decay.
        betas: Decay rates of the two moments.
        weight_decay: Share of a matrix, times the learning rate, that a step takes away.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimizer = AdamW([weight], betas=(0.9, 0.99), weight_decay=0.01)
        >>> weight.sum().backward()
        >>> optimizer.step(0.25)
        >>> weight.item()
        0.75
    """

    def __init__(
        self, weights: Sequence[nn.Parameter], *, betas: tuple[float, float], weight_decay: float
    ) -> None:
        super().__init__(weights, weight_decay)
        self.betas = betas
        self._first = [torch.zeros_like(w) for w in self.weights]
        self._second = [torch.zeros_like(w) for w in self.weights]
        # One number each, side by side so that one operation counts them all.
        device = self.weights[0].device if self.weights else None
        self._count = torch.zeros(len(self.weights), device=device)
        self._steps = self._count.unbind()

    def step(self, lr: float, shares: Sequence[float] | None = None) -> None:
        """Move the weights that have a gradient, each at its share of the rate."""
        moved = [weight.grad is not None for weight in self.weights]
        self._count.add_(1.0 if all(moved) else torch.tensor(moved).to(self._count))
        for decay, share, places in self._alike(shares):
            many.adamw_(
                [self.weights[k].detach() for k in places],
                [g for k in places if (g := self.weights[k].grad) is not None],
                [self._first[k] for k in places],
                [self._second[k] for k in places],
                [self._steps[k] for k in places],
                lr=lr * share,
                betas=self.betas,
                decay=decay,
                epsilon=EPSILON,
            )

    def _kept(self) -> Mapping[str, Sequence[Tensor]]:
        return {"first": self._first, "second": self._second, "steps": self._steps}
