"""Which steps of a padded batch are real, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .lengths import checked_lengths


def all_lengths(lengths: Tensor | Sequence[int] | None, x: Tensor) -> Tensor:
    """Give checked lengths, [batch], where none are given those of whole sequences.

    Args:
        lengths: Steps of each sequence, [batch].
        x: What they are the lengths of, [batch, time, ...].

    Raises:
        InputError: They are not one whole number from 0 to `time` for each sequence.
    """
    if lengths is None:
        return torch.full(x.shape[:1], x.shape[1], device=x.device)
    return checked_lengths(lengths, x)


def inside(lengths: Tensor, steps: int) -> Tensor:
    """Mark the steps before a sequence's end.

    Args:
        lengths: Steps of each sequence, of any shape.
        steps: Steps to mark.

    Returns:
        Whether a step is real, the shape of `lengths` and one axis of `steps` more.

    Example:
        >>> inside(torch.tensor([2, 0]), 3).tolist()
        [[True, True, False], [False, False, False]]
    """
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(-1)


def zeroed(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Put zero where a sequence has ended, whatever stood there; no gradient flows there either.

    Args:
        x: [batch, time, ...].
        lengths: Steps of each sequence, [batch]; nothing to leave all as it is.
    """
    if lengths is None:
        return x
    outside = ~inside(lengths, x.shape[1])
    return x.masked_fill(outside.reshape(*outside.shape, *[1] * (x.dim() - 2)), 0)


def turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn each sequence around within its length.

    Args:
        x: [batch, time] or [batch, time, features].
        lengths: Steps of each sequence, [batch]; nothing for whole sequences.

    Example:
        >>> turned(torch.tensor([[[1], [2], [0]]]), torch.tensor([2])).flatten().tolist()
        [2, 1, 0]
    """
    if lengths is None:
        return x.flip(1)
    place = torch.arange(x.shape[1], device=x.device)
    back = lengths.unsqueeze(-1) - 1 - place
    source = torch.where(back < 0, place, back)
    return x.gather(1, source if x.dim() == 2 else source.unsqueeze(-1).expand_as(x))


def masked_softmax(scores: Tensor, real: Tensor) -> Tensor:
    """Softmax over the last axis, among what is real; zeros where nothing is.

    Scores must be finite. Neither values nor gradients are NaN where nothing is real.

    Args:
        scores: [..., time].
        real: Which of them count; broadcast against the scores.

    Example:
        >>> masked_softmax(torch.zeros(3), torch.tensor([True, True, False])).tolist()
        [0.5, 0.5, 0.0]
    """
    least = torch.finfo(scores.dtype).min
    return torch.softmax(scores.masked_fill(~real, least), -1).masked_fill(~real, 0)
