"""How far a gradient reaches: Jacobians of a layer's step, and their product over a lag."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatewise.nn import Recurrent


def step_jacobians(layer: Recurrent, x: Tensor) -> Tensor:
    """The Jacobian of the state after each step to the state before it.

    Args:
        layer: Of one layer and one direction.
        x: Inputs of one sequence, [time, input].

    Returns:
        [time, n, n], n all numbers of the state: for an LSTM h and then c.

    Example:
        >>> layer = Recurrent("lstm", 2, 3)
        >>> step_jacobians(layer, torch.randn(5, 2)).shape
        torch.Size([5, 6, 6])
    """
    state = tuple(torch.zeros(1, layer.hidden_size, dtype=x.dtype) for _ in layer.cell.states)
    found = []
    for now in x:
        before = torch.cat([part[0] for part in state]).detach().requires_grad_()
        parts = tuple(part.unsqueeze(0) for part in before.split(layer.hidden_size))
        after = layer.step(now, parts)[1]
        flat = torch.cat([part[0] for part in after])
        units = torch.eye(len(flat), dtype=x.dtype)
        (jacobian,) = torch.autograd.grad(flat, before, units, is_grads_batched=True)
        found.append(jacobian)
        state = tuple(part.detach() for part in after)
    return torch.stack(found)


def reach(jacobians: Tensor) -> list[float]:
    """The largest singular value of the product of the last k Jacobians, for each k from 0.

    It bounds how much larger or smaller a gradient can be k steps earlier. The product is kept
    near 1 with its scale beside it, so that no lag is too long for a number.

    Example:
        >>> reach(torch.stack([0.5 * torch.eye(2)] * 3))
        [1.0, 0.5, 0.25, 0.125]
    """
    product = torch.eye(jacobians.shape[-1], dtype=jacobians.dtype)
    scale, found = 1.0, [1.0]
    for jacobian in reversed(jacobians.unbind(0)):
        product = product @ jacobian
        size = float(torch.linalg.matrix_norm(product, 2))
        found.append(scale * size)
        if size:
            product, scale = product / size, scale * size
    return found


def mean_reach(runs: Sequence[Sequence[float]]) -> list[float]:
    """The geometric mean of several runs, lag by lag.

    Example:
        >>> [round(value, 6) for value in mean_reach([[1.0, 0.1], [1.0, 0.001]])]
        [1.0, 0.01]
    """
    logs = torch.tensor(runs, dtype=torch.float64).clamp_min(1e-300).log10()
    return (10 ** logs.mean(0)).tolist()


def backward(jacobians: Tensor, gradient: Tensor) -> list[float]:
    """The norm of a loss's gradient to the state k steps before the end, relative to k = 0.

    Args:
        jacobians: Of each step, [time, n, n].
        gradient: Of the loss to the last state, [n].

    Example:
        >>> backward(torch.stack([0.5 * torch.eye(2)] * 2), torch.ones(2))
        [1.0, 0.5, 0.25]
    """
    first = gradient.norm()
    found = [1.0]
    for jacobian in reversed(jacobians.unbind(0)):
        gradient = gradient @ jacobian
        found.append(float(gradient.norm() / first))
    return found
