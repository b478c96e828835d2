"""What is timed: a model's forward pass, and its forward and backward pass, always alike."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

Answer = dict[str, Tensor]
"""Output `y`, and gradients by the name of what they belong to."""


class Trial(Protocol):
    """One peer's call, and what it comes to."""

    def __call__(self) -> object:
        """Do what is timed."""
        ...

    def answer(self) -> Answer:
        """Do it once more and give what is compared."""
        ...


@dataclass(frozen=True)
class Model:
    """Something that turns input into output, [batch, time, .].

    Attributes:
        run: The forward pass.
        parameters: What has a gradient beside the input, by torch's name in its LSTM.
    """

    run: Callable[[Tensor], Tensor]
    parameters: Mapping[str, Tensor]


@dataclass(frozen=True)
class Loss:
    """The gradient with which the backward pass begins.

    Attributes:
        gradient: Of the output's shape, without time where the loss is on the last step only.
        last: Whether it is.
    """

    gradient: Tensor
    last: bool

    def backward(self, y: Tensor) -> None:
        """Run backward from a model's output."""
        (y[:, -1] if self.last else y).backward(self.gradient)


class Inference:
    """A forward pass without gradients."""

    def __init__(self, model: Model, x: Tensor) -> None:
        self.model, self.x = model, x

    def __call__(self) -> Tensor:
        """Do what is timed."""
        with torch.no_grad():
            return self.model.run(self.x)

    def answer(self) -> Answer:
        """Give what is compared."""
        return {"y": self()}


class Training:
    """Old gradients dropped, a forward pass, and a backward pass to input and weights."""

    def __init__(self, model: Model, x: Tensor, loss: Loss) -> None:
        self.model, self.loss = model, loss
        self.x = x.detach().requires_grad_()

    def __call__(self) -> Tensor:
        """Do what is timed."""
        self.x.grad = None
        for parameter in self.model.parameters.values():
            parameter.grad = None
        y = self.model.run(self.x)
        self.loss.backward(y)
        return y

    def answer(self) -> Answer:
        """Give what is compared."""
        y = self().detach()
        leaves = {"x": self.x, **self.model.parameters}
        missing = torch.tensor(float("nan"))
        found = {n: missing if leaf.grad is None else leaf.grad for n, leaf in leaves.items()}
        return {"y": y, **found}


def of_layer(layer: nn.Module) -> Model:
    """A torch or Gatewise layer that takes the batch first."""
    return Model(lambda x: layer(x)[0], dict(layer.named_parameters()))


def in_double(layer: nn.Module) -> nn.Module:
    """A copy in float64."""
    return copy.deepcopy(layer).double()


def losses(batch: int, time: int, features: int) -> dict[str, Loss]:
    """A loss on all steps and one on the last step, drawn from torch's generator."""
    return {
        "all steps": Loss(torch.randn(batch, time, features), last=False),
        "last step": Loss(torch.randn(batch, features), last=True),
    }
