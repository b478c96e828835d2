"""A layer that reads time from the last step to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..nn import Recurrent
from ..nn.lengths import checked_lengths
from ..nn.state import State


class Backward(nn.Module):
    """Run a layer of one direction backwards in time, as Keras and ONNX can.

    Each sequence is read from its own end, and outputs stand at the steps that they belong to: the
    last one that was computed is the first in time. The state is the one after the first step.

    Args:
        layer: The layer that reads; its weights are used, not copied.

    Raises:
        InputError: The layer has both directions already.

    Example:
        >>> import torch
        >>> layer = Backward(Recurrent("lstm", 3, 4))
        >>> y, state = layer(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> torch.equal(y[:, 0], state.h[0])
        True
    """

    def __init__(self, layer: Recurrent) -> None:
        super().__init__()
        if layer.bidirectional:
            raise InputError(
                "layer has both directions: give one with bidirectional=False to read backwards"
            )
        self.layer = layer

    def forward(
        self,
        x: Tensor,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, State]:
        """Run over a whole sequence; arguments and results are those of `Recurrent`."""
        if lengths is None:
            y, last = self.layer(x.flip(-2), state)
            return y.flip(-2), last
        ends = checked_lengths(lengths, x if x.dim() == 3 else x.unsqueeze(0))
        order = _mirrored(ends, x)
        y, last = self.layer(x.gather(-2, order.expand_as(x)), state, lengths=ends)
        return y.gather(-2, order.expand_as(y)), last


def _mirrored(ends: Tensor, x: Tensor) -> Tensor:
    """The step to look at for each step, [..., time, 1]: mirrored up to the end, then in place."""
    steps = torch.arange(x.shape[-2], device=x.device)
    ends = ends.unsqueeze(1)
    order = torch.where(steps < ends, ends - 1 - steps, steps)
    return order.reshape(*x.shape[:-1], 1)
