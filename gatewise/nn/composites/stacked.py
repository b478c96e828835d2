"""Recurrent layers upon each other, with connections past them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ...compiler import Cell
from ...errors import InputError, nearest
from ..arguments import check_sizes
from ..initialization.chosen import Schemes
from ..layers.recurrent import Recurrent
from ..lengths import checked_lengths
from ..masks import zeroed
from ..packed import check_packed, through
from ..state import State, state_type

CONNECTIONS = ("plain", "residual", "highway", "skip", "dense")
"""How layers are connected besides each with the next."""

OPTIONS = (
    "connectivity", "layer_norm", "cell_clip", "zoneout", "recurrent_dropout",
    "recurrent_dropout_kind", "weight_dropout", "weight_noise", "bias", "proj_size", "memory",
)  # fmt: skip
"""Arguments of `Recurrent` that each layer may have beside those that the stack names."""


class Stacked(nn.Module):
    """Deep recurrent networks: layers of one cell, with connections past them.

    What a layer reads, and what comes out at the end:

    - `"plain"`: the layer before; the last layer.
    - `"residual"`: the layer before, to whose output its own input is added (Wu et al. 2016,
      GNMT, https://arxiv.org/abs/1609.08144, section 3.1). The first layer has this only where
      its input has as many features as its output.
    - `"highway"`: the layer before, mixed with its own input: `t * y + (1 - t) * x` with
      `t = sigmoid(W x + b)`, b at -1 in the beginning. It is the gate on layers of Srivastava,
      Greff & Schmidhuber 2015 (https://arxiv.org/abs/1505.00387), not the gate between memory
      cells of Zhang et al. 2016. The first layer has it where sizes allow.
    - `"skip"`: the layer before and the input; all layers (Graves 2013,
      https://arxiv.org/abs/1308.0850, section 2).
    - `"dense"`: the input and all layers before; the input and all layers (Godin, Dambre & De
      Neve 2017, https://arxiv.org/abs/1707.06130).

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        num_layers: Layers.
        connection: One of the five.
        bidirectional: Whether each layer reads time in both directions.
        dropout: Rate of what is dropped of a layer's input while training, but of the first's.
        layer_norm: Whether a layer's input is normalised (Ba, Kiros & Hinton 2016,
            https://arxiv.org/abs/1607.06450), but the first's. What is carried past is not.
        learn_state: Whether the initial state is learned instead of zero.
        init: How each layer's weights start, as in `Recurrent`.
        options: More arguments of each layer's `Recurrent`, by name: `connectivity`, `layer_norm`
            (that inside the recurrence), `cell_clip`, `zoneout`, `recurrent_dropout`,
            `recurrent_dropout_kind`, `weight_dropout`, `weight_noise`, `bias`, `proj_size`,
            `memory`.

    Attributes:
        output_size: Features of the output.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> deep = Stacked("lstm", 3, 8, num_layers=4, connection="skip")
        >>> y, state = deep(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> y.shape, state.c.shape
        (torch.Size([2, 5, 32]), torch.Size([4, 2, 8]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 2,
        connection: str = "plain",
        bidirectional: bool = False,
        dropout: float = 0.0,
        layer_norm: bool = False,
        learn_state: bool = False,
        init: Schemes = "default",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_sizes({"num_layers": num_layers}, dropout)
        for name in options or ():
            if name not in OPTIONS:
                raise InputError(f"options has {name!r}: {nearest(str(name), OPTIONS)}")
        if connection not in CONNECTIONS:
            raise InputError(
                f"connection={connection!r}: give one of these; "
                f"{nearest(str(connection), CONNECTIONS)}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.connection = connection
        self.bidirectional = bidirectional
        each: dict[str, Any] = {
            "bidirectional": bidirectional, "learn_state": learn_state, "init": init,
            **(options or {}),
        }  # fmt: skip
        first = Recurrent(cell, input_size, hidden_size, **each)
        self.cell = first.cell
        width = first.output_size
        sizes = [_read(connection, k, input_size, width) for k in range(num_layers)]
        deeper = [Recurrent(cell, size, hidden_size, **each) for size in sizes[1:]]
        self.layers = nn.ModuleList([first, *deeper])
        self.norms = nn.ModuleList(nn.LayerNorm(size) for size in sizes[1:] if layer_norm)
        fits = sizes.count(width) if connection == "highway" else 0
        gates = [nn.Linear(width, width) for _ in range(fits)]
        for gate in gates:
            nn.init.constant_(gate.bias, -1.0)
        self.gates = nn.ModuleList(gates)
        self.dropout = nn.Dropout(dropout)
        past = {"skip": num_layers * width, "dense": input_size + num_layers * width}
        self.output_size = past.get(connection, width)

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        given: Mapping[str, Tensor] | None = None,
    ) -> tuple[Any, State]:
        """Run over a whole sequence.

        Args:
            x: Input, [batch, time, input] or [time, input]; or packed, for packed outputs.
            state: Initial state, by name or in the cell's order, each part
                [num_layers * directions, batch, features] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`.
            given: What the cell is given at each step beside the input, as in `Recurrent`.

        Returns:
            Outputs, [batch, time, output_size], zero past a sequence's end, and the state after
            each sequence's last step, by name.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        if isinstance(x, PackedSequence):
            check_packed(lengths, given)
            return through(self, x, state)
        counts = None if lengths is None else checked_lengths(lengths, x)
        return self._run(
            zeroed(x, counts),
            state,
            lambda layer, x, own: layer(x, own, lengths=counts, given=given),
        )

    def step(
        self, x: Tensor, state: Any = None, *, given: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, input] or [input].
            state: State that the last step gave; nothing at the start.
            given: As in `forward`, of this step: [batch].

        Returns:
            Output, [batch, output_size], and the new state.

        Raises:
            InputError: The layers are bidirectional, or a shape is not as above.
        """
        return self._run(x, state, lambda layer, x, own: layer.step(x, own, given=given))

    def _run(
        self, x: Tensor, state: Any, run: Callable[[Any, Tensor, Any], tuple[Tensor, State]]
    ) -> tuple[Tensor, State]:
        source, outputs, ends = x, [], []
        for k, (layer, own) in enumerate(zip(self.layers, self._split(state), strict=True)):
            y, end = run(layer, self._between(k, x), own)
            x = self._past(k, x, y, source)
            outputs.append(y)
            ends.append(end)
        last = state_type(self.cell.states)(*map(torch.cat, zip(*ends, strict=True)))
        return torch.cat(outputs, -1) if self.connection == "skip" else x, last

    def _between(self, k: int, x: Tensor) -> Tensor:
        """What a layer reads of what has reached it."""
        if not k:
            return x
        return self.dropout(self.norms[k - 1](x) if self.norms else x)

    def _past(self, k: int, x: Tensor, y: Tensor, source: Tensor) -> Tensor:
        """What reaches the next layer: output and input of this one, and that of the stack."""
        if self.connection == "skip":
            return torch.cat([y, source], -1)
        if self.connection == "dense":
            return torch.cat([x, y], -1)
        if self.connection == "plain" or x.shape[-1] != y.shape[-1]:
            return y
        if self.connection == "residual":
            return x + y
        share = torch.sigmoid(self.gates[k - self.num_layers](x))
        return share * y + (1 - share) * x

    def _split(self, state: Any) -> list[Any]:
        """Each layer's part of a state."""
        if state is None:
            return [None] * self.num_layers
        if isinstance(state, Mapping):
            state = [state.get(name) for name in self.cell.states]
        parts = [state] if isinstance(state, Tensor) else [*state]
        rows = self.num_layers * (2 if self.bidirectional else 1)
        found = [len(part) if isinstance(part, Tensor) else None for part in parts]
        if found != [rows] * len(self.cell.states):
            raise InputError(
                f"state with {found} rows: give {', '.join(self.cell.states)}, by name or in this "
                f"order, of {rows} rows each, [num_layers * directions, batch, features]"
            )
        return list(zip(*(part.chunk(self.num_layers) for part in parts), strict=True))


def _read(connection: str, k: int, input_size: int, width: int) -> int:
    """Features that a layer reads."""
    if not k:
        return input_size
    past = {"skip": width + input_size, "dense": input_size + k * width}
    return past.get(connection, width)
