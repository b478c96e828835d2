"""A drop-in for `torch.nn.GRU`."""

from __future__ import annotations

from typing import Any

from ... import cells
from ...engines import traceable
from .drop_in import DropIn


class GRU(DropIn):
    """Gated recurrent unit, as `torch.nn.GRU` and in its place.

    What `LSTM` says of itself holds here too, without a projection.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, each fed with the outputs of the one before.
        bias: Whether there are `bias_ih` and `bias_hh`.
        batch_first: Whether input and outputs are [batch, time, .] instead of [time, batch, .].
        dropout: Rate of what is dropped between layers while training.
        bidirectional: Whether a second set of layers reads time backwards.
        proj_size: Only 0; it keeps torch's order of arguments.
        device: Device of the weights.
        dtype: Type of the weights.

    The call `layer(input, hx=None, *, lengths=None)` takes and returns the state as one tensor,
    [num_layers * directions, batch, hidden].

    Example:
        >>> import torch
        >>> y, h = GRU(3, 8)(torch.randn(5, 2, 3), lengths=[5, 0])
        >>> y.shape, h[0, 1].any().item()
        (torch.Size([5, 2, 8]), False)
    """

    cell = traceable(cells.gru)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if proj_size:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip
