"""Whether an answer is the right one: values and gradients against float64."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from .models import Answer, Loss, Model

TOLERANCE = 1e-5
"""Greatest difference of ours, relative to the greatest number of the tensor."""

PEERS_TOLERANCE = 1e-4
"""Greatest difference of a peer's: it must do the same work, and may round as it likes."""

ROWS = 32
"""Sequences that are run at once in float64, so that large batches need little memory."""


def truth(model: Model, x: Tensor, loss: Loss) -> Answer:
    """Output and gradients of a model in float64."""
    for parameter in model.parameters.values():
        parameter.grad = None
    outputs, inputs = [], []
    parts = zip(x.split(ROWS), loss.gradient.split(ROWS), strict=True)
    for rows, gradient in parts:
        leaf = rows.detach().double().requires_grad_()
        y = model.run(leaf)
        Loss(gradient.double(), loss.last).backward(y)
        outputs.append(y.detach())
        inputs.append(leaf.grad)
    found = {name: parameter.grad for name, parameter in model.parameters.items()}
    return {"y": torch.cat(outputs), "x": torch.cat(inputs), **found}


def worst_error(answer: Answer, expected: Mapping[str, Tensor]) -> tuple[float, str]:
    """The greatest relative difference, and the name of the tensor that has it.

    Example:
        >>> one = torch.tensor([1.0, 2.0])
        >>> worst_error({"y": one}, {"y": one.double() + torch.tensor([0.0, 2.0])})
        (0.5, 'y')
    """
    errors = ((_error(answer[name], expected[name]), name) for name in answer)
    return max(errors, default=(0.0, ""))


def wrong(peer: str, answer: Answer, expected: Mapping[str, Tensor], tolerance: float) -> str:
    """Say what is wrong with an answer; empty where nothing is."""
    error, name = worst_error(answer, expected)
    if error <= tolerance:
        return ""
    return f"{peer}: {name} is off by {error:.1e} of its largest, {tolerance:g} is allowed"


def _error(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return math.inf
    difference = (found.double() - expected).abs().max().item()
    if math.isnan(difference):
        return math.inf
    largest = expected.abs().max().item()
    return difference / largest if largest else difference
