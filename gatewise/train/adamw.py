"""AdamW without what torch's own brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from . import many

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

EPSILON = 1e-8


class AdamW:
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
        self.weights = list(weights)
        self.betas = betas
        self._decays = [weight_decay if w.ndim >= 2 else 0.0 for w in self.weights]
        self._first = [torch.zeros_like(w) for w in self.weights]
        self._second = [torch.zeros_like(w) for w in self.weights]
        self._steps = [torch.zeros((), device=w.device) for w in self.weights]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    def gradients(self) -> list[Tensor]:
        """The gradients that there are."""
        return [w.grad for w in self.weights if w.grad is not None]

    def step(self, lr: float) -> None:
        """Move the weights that have a gradient."""
        for decay in dict.fromkeys(self._decays):
            moved = [
                (w.detach(), w.grad, first, second, steps)
                for w, d, first, second, steps in zip(
                    self.weights, self._decays, self._first, self._second, self._steps, strict=True
                )
                if d == decay and w.grad is not None
            ]
            if moved:
                parts = map(list, zip(*moved, strict=True))
                many.adamw_(*parts, lr=lr, betas=self.betas, decay=decay, epsilon=EPSILON)

    def state(self) -> dict[str, Tensor]:
        """Moments and counts of steps, by the weight's place."""
        held = {"first": self._first, "second": self._second, "steps": self._steps}
        return {f"{k}.{name}": t for name, of in held.items() for k, t in enumerate(of)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
