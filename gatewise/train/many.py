"""One call for many tensors: a step of a small network is mostly the cost of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# What torch's own optimizers are built on; named here only.
_torch = torch.ops.aten


def lerp_(ends: Sequence[Tensor], towards: Sequence[Tensor], weight: float) -> None:
    """Move each of `ends` towards its partner by a share of the way, in place."""
    _torch._foreach_lerp_(ends, towards, weight)


def copy_(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy each source into its target."""
    _torch._foreach_copy_(targets, sources)


def scale_(tensors: Sequence[Tensor], factor: float) -> None:
    """Multiply each tensor, in place."""
    _torch._foreach_mul_(tensors, factor)


def add_(targets: Sequence[Tensor], sources: Sequence[Tensor], factor: float) -> None:
    """Add each source, times a factor, to its target, in place."""
    _torch._foreach_add_(targets, sources, alpha=factor)


def norm(tensors: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of all elements of all tensors, a scalar.

    Example:
        >>> norm([torch.tensor([3.0]), torch.tensor([[4.0]])])
        tensor(5.)
    """
    return torch.linalg.vector_norm(torch.stack(_torch._foreach_norm(tensors)))


def adamw_(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first: Sequence[Tensor],
    second: Sequence[Tensor],
    steps: Sequence[Tensor],
    *,
    lr: float,
    betas: tuple[float, float],
    decay: float,
    epsilon: float,
) -> None:
    """Take a step of AdamW with each weight, the one that `steps` says: its moments move, too."""
    _torch._fused_adamw_(
        weights,
        gradients,
        first,
        second,
        [],
        steps,
        lr=lr,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=decay,
        eps=epsilon,
        amsgrad=False,
        maximize=False,
    )
