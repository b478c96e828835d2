"""Dynamic evaluation: a network goes on learning from what it has just been judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..data.contract import Ordered
from ..errors import InputError
from .carry import Reader

if TYPE_CHECKING:
    from torch import nn

    from ..data.contract import Dataset
    from ..objectives.contract import Objective

_SMALLEST = 1e-8


@dataclass(frozen=True)
class Dynamic:
    """How weights follow the text: Krause et al. 2018, https://arxiv.org/abs/1709.07432.

    After each window the weights take a step down its gradient, each divided by the root of its
    mean square so far, and a step back to what was learned in training.

    Args:
        lr: Size of the step.
        decay: Share of the way back that is taken after each window.

    Raises:
        InputError: A number is out of its range.
    """

    lr: float = 2e-4
    decay: float = 2e-3

    def __post_init__(self) -> None:
        if not self.lr > 0 or not 0 <= self.decay < 1:
            raise InputError(f"{self}: give an lr above 0 and a decay from 0 to below 1")


def evaluate_dynamically(
    network: nn.Module, objective: Objective, dataset: Dataset, dynamic: Dynamic
) -> float:
    """Go through a stream once, learning from each window after it has been judged.

    Args:
        network: Its weights are put back afterwards; it is left in evaluation mode.
        objective: Gives the loss.
        dataset: An `Ordered` one, which is read by one reader: what others read is the future.
        dynamic: How the weights follow.

    Returns:
        The mean loss.

    Raises:
        InputError: The dataset is no stream.
    """
    if not isinstance(dataset, Ordered):
        raise InputError("dynamic evaluation follows a stream, and these examples are none")
    network.eval()
    weights = [w for w in network.parameters() if w.requires_grad]
    learned = [w.detach().clone() for w in weights]
    squares = [torch.zeros_like(w) for w in weights]
    ask, total, count = Reader(network, dataset), 0.0, 0.0
    try:
        for step, indices in enumerate(dataset.order(1, 0, 0).epoch(0), 1):
            batch, weight = dataset.batch(indices), dataset.weight(indices)
            with torch.enable_grad():
                loss = objective(ask(batch), batch)
                total += loss.item() * weight
                count += weight
                grads = torch.autograd.grad(loss, weights) if weight else None
            if grads is not None:
                _follow(weights, list(grads), learned, squares, dynamic, step)
    finally:
        with torch.no_grad():
            for w, before in zip(weights, learned, strict=True):
                w.copy_(before)
    return total / count


@torch.no_grad()
def _follow(
    weights: list[nn.Parameter],
    grads: list[torch.Tensor],
    learned: list[torch.Tensor],
    squares: list[torch.Tensor],
    dynamic: Dynamic,
    step: int,
) -> None:
    for w, g, before, square in zip(weights, grads, learned, squares, strict=True):
        square.lerp_(g.square(), 1.0 / step)
        w.lerp_(before, dynamic.decay)
        w.sub_(dynamic.lr * g / (square.sqrt() + _SMALLEST))
