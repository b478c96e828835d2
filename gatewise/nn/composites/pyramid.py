"""Recurrent layers that shorten time, for long inputs such as speech."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...compiler import Cell
from ..arguments import check_sizes
from ..inputs import check_input
from ..layers.recurrent import Recurrent
from ..lengths import checked_lengths
from ..state import State, state_type


class PyramidRecurrent(nn.Module):
    """Layers of which each reads the outputs of the one before in groups, `factor` times fewer.

    The listener of Chan et al., Listen, Attend and Spell, 2016
    (https://arxiv.org/abs/1508.01211), section 3.1: the first layer reads the input step by step,
    each further one pairs of outputs side by side, so that three of them make time 8 times
    shorter. A last group that is not full is filled up with zeros, so lengths are rounded up: of 5
    steps a layer makes 3, of 1 it makes 1, of 0 none.

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, the first included; the paper has 4.
        factor: Steps of a layer in one step of the next.
        bidirectional: Whether each layer reads time in both directions.
        dropout: Rate of what is dropped between layers while training.

    Attributes:
        output_size: Features of the output.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> listener = PyramidRecurrent("lstm", 40, 16, num_layers=3)
        >>> y, state = listener(torch.randn(2, 100, 40), lengths=[100, 33])
        >>> y.shape, listener.output_lengths([100, 33]).tolist()
        (torch.Size([2, 25, 32]), [25, 9])
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 4,
        factor: int = 2,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes({"num_layers": num_layers, "factor": factor}, dropout)
        first = Recurrent(cell, input_size, hidden_size, bidirectional=bidirectional)
        deeper = [
            Recurrent(
                first.cell, factor * first.output_size, hidden_size, bidirectional=bidirectional
            )
            for _ in range(num_layers - 1)
        ]
        self.layers = nn.ModuleList([first, *deeper])
        self.dropout = nn.Dropout(dropout)
        self.cell = first.cell
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.factor = factor
        self.bidirectional = bidirectional
        self.output_size = first.output_size

    def forward(
        self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, State]:
        """Run over a whole sequence.

        Args:
            x: Input, [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Outputs, [batch, shorter time, output_size], zero past a sequence's end, which
            `output_lengths` tells, and the state of all layers after each sequence's last step, by
            name, [num_layers * directions, batch, features].

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, time, input]", self.input_size)
        counts = None if lengths is None else checked_lengths(lengths, x)
        ends = []
        for k, layer in enumerate(self.layers):
            if k:
                x = self._grouped(self.dropout(x))
                counts = None if counts is None else self._shorter(counts)
            x, end = layer(x, lengths=counts)
            ends.append(end)
        return x, state_type(self.cell.states)(*map(torch.cat, zip(*ends, strict=True)))

    def output_lengths(self, lengths: Tensor | Sequence[int]) -> Tensor:
        """Steps of the outputs for inputs of these lengths."""
        counts = torch.as_tensor(lengths)
        for _ in range(self.num_layers - 1):
            counts = self._shorter(counts)
        return counts

    def _shorter(self, counts: Tensor) -> Tensor:
        return (counts + self.factor - 1) // self.factor

    def _grouped(self, x: Tensor) -> Tensor:
        """[batch, time, features] to [batch, time / factor, factor * features]."""
        x = F.pad(x, (0, 0, 0, -x.shape[1] % self.factor))
        return x.unflatten(1, (-1, self.factor)).flatten(2)
