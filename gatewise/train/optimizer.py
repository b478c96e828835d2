"""What moves the weights: the part that all rules share, and the plain rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from . import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn


class Optimizer(ABC):
    """Weights, their gradients, and what is kept for each of them between steps.

    Args:
        weights: What is trained; biases and other vectors do not decay.
        weight_decay: Share of a matrix, times the learning rate, that a step takes away.
    """

    def __init__(self, weights: Sequence[nn.Parameter], weight_decay: float) -> None:
        self.weights = list(weights)
        self._decays = [weight_decay if w.ndim >= 2 else 0.0 for w in self.weights]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    def gradients(self) -> list[Tensor]:
        """The gradients that there are."""
        return [w.grad for w in self.weights if w.grad is not None]

    def freeze(self, shares: Sequence[float]) -> None:
        """Forget the gradients of weights whose share of the learning rate is 0."""
        for weight, share in zip(self.weights, shares, strict=True):
            if not share:
                weight.grad = None

    @abstractmethod
    def step(self, lr: float, shares: Sequence[float] | None = None) -> None:
        """Move the weights that have a gradient, each at its share of the rate."""

    def state(self) -> dict[str, Tensor]:
        """What is kept between steps, by name and the weight's place."""
        return {f"{k}.{name}": t for name, of in self._kept().items() for k, t in enumerate(of)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])

    def _kept(self) -> Mapping[str, Sequence[Tensor]]:
        return {}

    def _alike(self, shares: Sequence[float] | None) -> Iterator[tuple[float, float, list[int]]]:
        """Places of weights with a gradient that share decay and share of the rate."""
        held: dict[tuple[float, float], list[int]] = {}
        for k, (weight, decay) in enumerate(zip(self.weights, self._decays, strict=True)):
            if weight.grad is not None:
                held.setdefault((decay, 1.0 if shares is None else shares[k]), []).append(k)
        yield from ((decay, share, places) for (decay, share), places in held.items())


class SGD(Optimizer):
    """Plain gradient descent.

    Args:
        weights: As in `Optimizer`.
        weight_decay: As in `Optimizer`.

    Example:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimizer = SGD([weight], weight_decay=0.0)
        >>> weight.sum().backward()
        >>> optimizer.step(0.25)
        >>> weight.item()
        0.75
    """

    def step(self, lr: float, shares: Sequence[float] | None = None) -> None:
        """Move the weights that have a gradient, each at its share of the rate."""
        for decay, share, places in self._alike(shares):
            weights = [self.weights[k].detach() for k in places]
            gradients = [g for k in places if (g := self.weights[k].grad) is not None]
            if decay:
                many.scale_(weights, 1.0 - lr * share * decay)
            many.add_(weights, gradients, -lr * share)
