"""Losses on a layer's outputs themselves: small ones, and ones that change slowly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import InputError
from ..nn.lengths import checked_lengths

Lengths = Tensor | Sequence[int] | None


def activation_regularization(y: Tensor, alpha: float, lengths: Lengths = None) -> Tensor:
    """Penalise large outputs (AR): `alpha` times the mean of their squares.

    Merity, McCann & Socher, Revisiting Activation Regularization for Language RNNs, 2017
    (https://arxiv.org/abs/1708.01009). They take the last layer's outputs after dropout. The paper
    writes the Euclidean norm; its authors' code takes the mean square, as this does, so that
    their `alpha` of 2 means the same here.

    Args:
        y: Outputs, [batch, time, features].
        alpha: Weight of the loss.
        lengths: Steps of each sequence, [batch]; nothing when all are full. Later steps do not
            count, whatever they hold.

    Returns:
        The loss, a scalar; 0 where there is no step.

    Raises:
        InputError: `y` has other axes, or the lengths do not fit it.

    Example:
        >>> activation_regularization(torch.full((2, 5, 8), 3.0), 2.0, lengths=[5, 1]).item()
        18.0
    """
    _check(y)
    inside = None if lengths is None else _inside(checked_lengths(lengths, y), y.shape[1])
    return alpha * _mean_square(y, inside)


def temporal_activation_regularization(y: Tensor, beta: float, lengths: Lengths = None) -> Tensor:
    """Penalise outputs that change from step to step (TAR): `beta` times the mean squared change.

    Merity, McCann & Socher 2017 (https://arxiv.org/abs/1708.01009), with the mean square of their
    code, as in `activation_regularization`. They take the last layer's outputs before dropout.

    Args:
        y: Outputs, [batch, time, features].
        beta: Weight of the loss.
        lengths: Steps of each sequence, [batch]; nothing when all are full. Only changes between
            steps that both lie before the end count.

    Returns:
        The loss, a scalar; 0 where there are no two steps.

    Raises:
        InputError: `y` has other axes, or the lengths do not fit it.

    Example:
        >>> y = torch.tensor([[[0.0], [1.0], [3.0], [9.0]]])
        >>> temporal_activation_regularization(y, 1.0, lengths=[3]).item()
        2.5
    """
    _check(y)
    if lengths is None:
        return beta * _mean_square(y[:, 1:] - y[:, :-1], None)
    checked, steps = checked_lengths(lengths, y), y.shape[1]
    # Masked before the difference: 0 * nan would reach the gradients.
    known = y.masked_fill(~_inside(checked, steps), 0)
    changes = known[:, 1:] - known[:, :-1]
    return beta * _mean_square(changes, _inside(checked - 1, changes.shape[1]))


def _mean_square(values: Tensor, inside: Tensor | None) -> Tensor:
    """Mean over the steps that count, [batch, time, 1]; 0 without any."""
    if inside is None:
        return values.square().sum() / max(values.numel(), 1)
    total = values.masked_fill(~inside, 0).square().sum()
    return total / (inside.sum() * values.shape[-1]).clamp(min=1)


def _inside(lengths: Tensor, steps: int) -> Tensor:
    return (torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)).unsqueeze(-1)


def _check(y: Tensor) -> None:
    if y.dim() != 3:
        raise InputError(f"y of shape {tuple(y.shape)}: give [batch, time, features]")
