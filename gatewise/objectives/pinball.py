"""The pinball loss of many quantiles at once, with a gradient that costs one product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def pinball(
    quantiles: Tensor, target: Tensor, weight: Tensor, levels: Sequence[float | None]
) -> Tensor:
    """Sum up `weight * max(level * u, (level - 1) * u)` for `u = target - quantile`.

    Koenker & Bassett, Regression Quantiles, 1978 (https://doi.org/10.2307/1913643). At `u = 0` the
    gradient is the mean of those on both sides.

    Args:
        quantiles: [..., levels, horizon].
        target: [..., horizon].
        weight: What each target counts, [..., horizon].
        levels: Of the quantiles, between 0 and 1; None for one that does not count.

    Example:
        >>> one = torch.ones(1)
        >>> pinball(torch.tensor([[2.0], [0.0]]), one, one, (0.1, 0.9))
        tensor(1.8000)
    """
    return _Pinball.apply(quantiles, target, weight, tuple(levels))


class _Pinball(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        quantiles: Tensor,
        target: Tensor,
        weight: Tensor,
        levels: tuple[float | None, ...],
    ) -> Tensor:
        under = target.unsqueeze(-2) - quantiles
        # max(level * u, (level - 1) * u) is |u| / 2 + (level - 1 / 2) u.
        level = under.new_tensor([(level or 0.0) - 0.5 for level in levels])
        slope = under.sign().mul_(0.5).add_(level[:, None])
        slope *= weight.unsqueeze(-2)
        for place, level in enumerate(levels):
            if level is None:
                slope[..., place, :] = 0
        ctx.save_for_backward(slope)
        return torch.dot(under.flatten(), slope.flatten())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        (slope,) = ctx.saved_tensors
        return slope * -gradients[0], None, None, None
