"""A drop-in for `torch.nn.LSTM`."""

from __future__ import annotations

from typing import Any

from ... import cells
from ...engines import traceable
from .drop_in import DropIn


class LSTM(DropIn):
    """Long short-term memory, as `torch.nn.LSTM` and in its place.

    Constructor, parameters, initial weights, packed and unbatched input, projection and errors
    are torch's, and so are the numbers; a `state_dict` goes either way. Beyond it: `lengths=`
    in the call instead of packing, `torch.compile` without a graph break, `torch.export`, and
    `torch.func` transforms and higher derivatives with `gatewise.engine("reference")`. For other
    cells, states by name and a forget bias of one, see `Recurrent`.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, each fed with the outputs of the one before.
        bias: Whether there are `bias_ih` and `bias_hh`.
        batch_first: Whether input and outputs are [batch, time, .] instead of [time, batch, .].
        dropout: Rate of what is dropped between layers while training.
        bidirectional: Whether a second set of layers reads time backwards.
        proj_size: Features of the projected `h`; 0 for no projection.
        device: Device of the weights.
        dtype: Type of the weights.

    The call `layer(input, hx=None, *, lengths=None)` takes `input` as a tensor or packed,
    `hx = (h, c)`, each [num_layers * directions, batch, .], and `lengths`, [batch], the steps of
    each sequence (0 is legal): outputs past the end are zero, the final state is the one at the
    true end, and the backward direction starts there. It returns `output, (h, c)`.

    Example:
        >>> import torch
        >>> layer = LSTM(3, 8, batch_first=True)
        >>> y, (h, c) = layer(torch.randn(2, 5, 3), lengths=torch.tensor([5, 2]))
        >>> y.shape, c.shape, y[1, 2:].any().item()
        (torch.Size([2, 5, 8]), torch.Size([1, 2, 8]), False)
    """

    cell = traceable(cells.lstm)

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
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, proj_size, device, dtype,
        )  # fmt: skip
