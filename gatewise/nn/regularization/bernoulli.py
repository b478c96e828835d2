"""Masks of 0 and one other number, drawn in a third of the time that torch takes on a processor."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from ..arguments import check_rates

_LEVELS = 1 << 16


def mask(like: Tensor, shape: Sequence[int], chance: float, mean: float = 1.0) -> Tensor:
    """Draw a mask from torch's generator: 0, or else `mean / chance`.

    On a processor 16 random bits are drawn for each number, so the chance is the nearest 65,536th.

    Args:
        like: A tensor of the type and on the device of the mask.
        shape: Of the mask.
        chance: Probability of not being 0, above 0 and at most 1.
        mean: What the mask is on average, but for that rounding.

    Example:
        >>> sorted(mask(torch.zeros(1), (1000,), 0.5).unique().tolist())
        [0.0, 2.0]
    """
    if like.device.type != "cpu":
        drawn = like.new_empty(*shape).bernoulli_(chance)
        return drawn * (mean / chance)
    level = max(1, round(chance * _LEVELS))
    count = prod(shape)
    if level == _LEVELS:
        return like.new_full(shape, mean)
    bits = torch.randint(-(1 << 63), (1 << 63) - 1, (-(-count // 4),))
    kept = bits.view(torch.int16)[:count].view(*shape) < level - _LEVELS // 2
    return kept.to(like.dtype) * (mean / chance)


class Dropout(nn.Dropout):
    """torch's dropout, with masks of `mask`."""

    def __init__(self, rate: float) -> None:
        check_rates({"rate": rate})
        super().__init__(rate)

    def forward(self, input: Tensor) -> Tensor:
        """Drop in training, and scale what stays by `1 / (1 - rate)`."""
        if not self.training or not self.p:
            return input
        return input * mask(input, input.shape, 1 - self.p)
