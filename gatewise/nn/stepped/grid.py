"""Cells along time and along depth, each with a memory of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...compiler import Cell
from ...connectivity import Dense
from ...engines import parameters, recurrence, step, traceable
from ..arguments import check_sizes, checked_cell
from ..initialization.chosen import Schemes
from ..initialization.start import initialize
from ..inputs import as_sequence, layer_starts, with_batch
from ..lengths import checked_lengths
from ..masks import zeroed
from ..state import State, state_type
from ..weights import named, register


class GridLSTM(nn.Module):
    """A grid of blocks over time and depth, with a memory along both (2-LSTM).

    A block takes a state along time and one along depth, and gives both anew. Each direction is
    a cell whose gates see the outputs of both, and which keeps its own memory:
    `h_time, c_time = cell([h_time, h_depth], c_time)` and likewise for depth (Kalchbrenner,
    Danihelka & Graves 2015, https://arxiv.org/abs/1507.01526, section 3). The input enters below:
    it is projected to the first state along depth. The output is what leaves at the top.

    Along time a layer is the recurrence of its cell with the outputs of depth below as input, so
    it runs on the engines; along depth all steps go at once.

    Args:
        input_size: Features of each time step.
        hidden_size: Units of each block and direction.
        num_layers: Blocks along depth.
        cell: Equations along time: the paper's, another cell of `gatewise.cells`, its name, or
            your own; `"lstm"` is the usual form of the paper's, with its output gate after the
            tanh, for which torch has kernels on other devices. Noise has its value of evaluation.
        depth_cell: Equations along depth; nothing for those along time. A cell without a memory,
            such as `"elman"`, is the paper's non-LSTM dimension.
        tied: Whether all layers share one set of weights.
        depth_priority: Whether depth sees what time gives in the same block instead of what it
            gave one step before (the paper's priority dimension).
        init: How weights along time start, as in `Recurrent`; the input's projection starts Glorot
            uniform.
        depth_init: How weights along depth start; nothing for those along time.
        bias: Whether the gates have biases.
        device: Device of the weights.
        dtype: Type of the weights.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> layer = GridLSTM(3, 8, num_layers=4, tied=True)
        >>> y, state = layer(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> y.shape, state.c.shape
        (torch.Size([2, 5, 8]), torch.Size([4, 2, 8]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        *,
        cell: Cell | str = "grid_lstm",
        depth_cell: Cell | str | None = None,
        tied: bool = False,
        depth_priority: bool = False,
        init: Schemes = "default",
        depth_init: Schemes | None = None,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell = checked_cell(cell)
        self.depth_cell = self.cell if depth_cell is None else checked_cell(depth_cell)
        self._prepare()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        check_sizes(sizes, 0.0)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.tied, self.depth_priority, self.bias = tied, depth_priority, bias
        self.init, self.depth_init = init, init if depth_init is None else depth_init
        register(self, {"weight_in": (len(self.depth_cell.states) * hidden_size, input_size)}, "{}",
                 device, dtype)  # fmt: skip
        # For each direction and layer: a weight's own name to its name in this module.
        self._names: dict[str, list[dict[str, str]]] = {}
        for direction, own in (("time", self.cell), ("depth", self.depth_cell)):
            shapes = parameters(own, Dense(), hidden_size, hidden_size, bias=bias)
            layers = [
                register(self, shapes, f"{direction}_{{}}_l{layer}", device, dtype)
                for layer in range(1 if tied else num_layers)
            ]
            self._names[direction] = layers * num_layers if tied else layers
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            for block in self.get_parameter("weight_in").split(self.hidden_size):
                nn.init.xavier_uniform_(block)
            for direction, own, scheme in (
                ("time", self.cell, self.init),
                ("depth", self.depth_cell, self.depth_init),
            ):
                for names in self._names[direction]:
                    initialize(own, named(self, names), self.hidden_size, scheme)

    def forward(
        self,
        x: Tensor,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, State]:
        """Run over whole sequences.

        Args:
            x: Input, [batch, time, input] or [time, input].
            state: Initial state along time, by name or in the cell's order, each part
                [num_layers, batch, hidden] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Outputs of the last layer along depth, [batch, time, hidden], zero past a sequence's
            end, and the state along time after each sequence's last step, by name: `state.h`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        weight_in = self.get_parameter("weight_in")
        x, batched = with_batch(x, weight_in)
        counts = None if lengths is None else checked_lengths(lengths, x)
        into = F.linear(zeroed(x, counts), weight_in)
        depth = into.chunk(len(self.depth_cell.states), -1)
        states, ends = self.cell.states, []
        starts = layer_starts(state, states, self.num_layers, x, batched, (self.hidden_size,))
        for layer, start in enumerate(starts):
            own = named(self, self._names["time"][layer])
            y, end = recurrence(self.cell, Dense(), depth[0], own, start, counts)
            seen = y if self.depth_priority else _one_before(start[0], y)
            depth = self._along_depth(layer, seen, depth)
            ends.append(end)
        y = zeroed(depth[0], counts)
        last = (torch.stack(parts) for parts in zip(*ends, strict=True))
        if not batched:
            y, last = y[0], (part[:, 0] for part in last)
        return y, state_type(states)(*last)

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, input] or [input].
            state: State along time that the last step gave; nothing at the start.

        Returns:
            Output, [batch, hidden], and the new state.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        y, state = self(as_sequence(x), state)
        return y.squeeze(-2), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a copy holds."""
        super().__setstate__(state)
        self._prepare()

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        given = [str(self.input_size), str(self.hidden_size), f"num_layers={self.num_layers}",
                 f"cell={self.cell.name}"]  # fmt: skip
        if self.depth_cell != self.cell:
            given.append(f"depth_cell={self.depth_cell.name}")
        usual = {"tied": False, "depth_priority": False, "init": "default",
                 "depth_init": self.init, "bias": True}  # fmt: skip
        given += [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v]
        return ", ".join(given)

    def _prepare(self) -> None:
        """Make what `torch.compile` can read but not make."""
        traceable(self.cell)
        traceable(self.depth_cell)
        state_type(self.cell.states)

    def _along_depth(
        self, layer: int, seen: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """One block up at all steps, [batch, time, hidden] each."""
        sizes = seen.shape[:2]
        flat = tuple(part.flatten(0, 1) for part in state)
        weights = named(self, self._names["depth"][layer])
        new = step(self.depth_cell, Dense(), seen.flatten(0, 1), weights, flat)
        return tuple(part.unflatten(0, sizes) for part in new)


def _one_before(start: Tensor, y: Tensor) -> Tensor:
    """Outputs one step before each step, [batch, time, hidden]."""
    return torch.cat([start.unsqueeze(1), y], 1)[:, : y.shape[1]]
