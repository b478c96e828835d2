"""Masks of 0 and one other number, and dropout by them, in a fraction of the time torch takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...engines.cpu.dropout import LEVELS, can_drop, drop, stays
from ..arguments import check_rates


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
    level = _level(chance)
    if level == LEVELS:
        return like.new_full(shape, mean)
    seed, ones = _seed(), torch.ones(shape, dtype=torch.float32, device="cpu")
    if can_drop(ones) and like.dtype == torch.float32:
        return drop(ones, int(seed), level, mean / chance)
    if can_drop(ones):  # The factor would be rounded to float32.
        return drop(ones, int(seed), level, 1.0).to(like.dtype) * (mean / chance)
    return stays(shape, seed, level).to(like.dtype) * (mean / chance)


def dropped(x: Tensor, rate: float) -> Tensor:
    """Set numbers to 0 at a rate, and scale the others by `1 / (1 - rate)`.

    As `torch.nn.functional.dropout`, with masks of `mask`; nothing is kept for the backward pass.

    Args:
        x: Of any shape.
        rate: Above 0 and below 1.

    Example:
        >>> sorted(dropped(torch.ones(1000), 0.5).unique().tolist())
        [0.0, 2.0]
    """
    chance = 1 - rate
    level = _level(chance)
    if level == LEVELS or not can_drop(x):
        return x * mask(x, x.shape, chance)
    return _Dropped.apply(x, int(_seed()), level, 1 / chance)


class Dropout(nn.Dropout):
    """torch's dropout, by `dropped`."""

    def __init__(self, rate: float) -> None:
        check_rates({"rate": rate})
        super().__init__(rate)

    def forward(self, input: Tensor) -> Tensor:
        """Drop in training, and scale what stays by `1 / (1 - rate)`."""
        return dropped(input, self.p) if self.training and self.p else input


class _Dropped(torch.autograd.Function):
    """What a seed drops; of a gradient it drops the same."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, seed: int, level: int, scale: float) -> Tensor:
        ctx.how, ctx.shape = (seed, level, scale), x.shape
        return drop(x, seed, level, scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if can_drop(gradient):
            return _Dropped.apply(gradient, *ctx.how), None, None, None
        seed, level, scale = ctx.how
        kept = stays(ctx.shape, torch.tensor(seed, device="cpu"), level)
        return gradient * (kept.to(gradient.dtype) * scale), None, None, None


def _level(chance: float) -> int:
    """The nearest 65,536th, but not 0."""
    return max(1, round(chance * LEVELS))


def _seed() -> Tensor:
    """A seed from torch's generator."""
    return torch.randint(-(1 << 63), (1 << 63) - 1, (), device="cpu")
