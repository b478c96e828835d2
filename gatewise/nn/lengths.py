"""Sequence lengths as the layers take them: checked, and on the input's device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..engines.tracing import has_values
from ..errors import InputError

_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def checked_lengths(lengths: Tensor | Sequence[int], x: Tensor) -> Tensor:
    """Give lengths as whole numbers on the device of the input.

    Values are looked at only on the host: looking at them on an accelerator would wait for it.

    Args:
        lengths: Steps of each sequence, [batch]; 0 is legal.
        x: Input, [batch, time, input].

    Raises:
        InputError: They are not one whole number from 0 to `time` for each sequence.
    """
    batch, steps = x.shape[:2]
    given = lengths if isinstance(lengths, Tensor) else torch.tensor(lengths, dtype=torch.int64)
    if given.dtype not in _WHOLE or given.dim() != 1 or given.shape[0] != batch:
        raise InputError(
            f"lengths of shape {tuple(given.shape)} and type {given.dtype}: give one whole number "
            f"for each of the {batch} sequences of the batch"
        )
    if given.device.type == "cpu" and batch and has_values():
        least, most = (int(value) for value in given.aminmax())
        if least < 0 or most > steps:
            raise InputError(
                f"lengths run from {least} to {most}: they must lie between 0 and the {steps} "
                "time steps of the input"
            )
    return given.to(x.device, torch.int64)
