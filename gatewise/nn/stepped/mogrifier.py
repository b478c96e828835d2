"""Input and state that modulate each other before a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...compiler import Cell, quiet
from ...connectivity import Dense
from ...engines import parameters, traceable
from ...errors import InputError
from ..arguments import check_sizes, checked_cell
from ..initialization.chosen import Schemes
from ..initialization.start import initialize
from ..inputs import as_sequence, layer_starts, with_batch
from ..lengths import checked_lengths
from ..masks import zeroed
from ..regularization.noise import check_one_step, drawn
from ..state import State, state_type
from ..weights import named, register
from .pointwise import Pointwise
from .unrolled import Step, over_time


class Mogrifier(nn.Module):
    """Run a cell over time whose input and last output gate each other first.

    In turn, for `rounds` rounds, the input is scaled by what the output says, `2 * sigmoid(Q h) *
    x`, and the output by what the input says, `2 * sigmoid(R x) * h`; then the cell's weights
    multiply both (Melis, Kočiský & Blunsom 2020, https://arxiv.org/abs/1909.01792). Where the
    equations use the last output unit by unit, they see it as it was.

    It is a loop in Python. What `Recurrent` says of lengths, states and initial weights holds here
    too; the matrices `q1`, `r2`, `q3`, ... start Glorot uniform, and have no biases.

    Args:
        cell: Equations of one step: a cell of `gatewise.cells`, its name, or your own, such as
            one with `gatewise.compiler.zoneout`; the paper's is `"lstm"`.
        input_size: Features of each time step.
        hidden_size: Units of each layer.
        num_layers: Layers, each fed with the outputs of the one before.
        rounds: Rounds of modulation, input first; with 0 it is `Recurrent`.
        rank: Rank of the matrices of the rounds, each a product of two; None for full ones.
        dropout: Rate of what is dropped between layers while training.
        init: How the cell's weights start, as in `Recurrent`.
        bias: Whether the gates have biases.
        device: Device of the weights.
        dtype: Type of the weights.

    Raises:
        InputError: An argument is not one of the above, or the recurrent weights do not multiply
            the cell's last output.

    Example:
        >>> import torch
        >>> layer = Mogrifier("lstm", 3, 8, rounds=4, rank=2)
        >>> y, state = layer(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> y.shape, state.c.shape
        (torch.Size([2, 5, 8]), torch.Size([1, 2, 8]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        rounds: int = 5,
        rank: int | None = None,
        dropout: float = 0.0,
        init: Schemes = "default",
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell = checked_cell(cell)
        self._prepare()
        _check_cell(self.cell)
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        check_sizes(sizes if rank is None else sizes | {"rank": rank}, dropout)
        if type(rounds) is not int or rounds < 0:
            raise InputError(f"rounds={rounds!r}: give a whole number of at least 0")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.rounds, self.rank, self.dropout = rounds, rank, dropout
        self.init, self.bias = init, bias
        self._names: list[dict[str, str]] = []
        for layer in range(num_layers):
            features = hidden_size if layer else input_size
            shapes = parameters(self.cell, Dense(), features, hidden_size, bias=bias)
            shapes |= _rounds(rounds, rank, features, hidden_size)
            self._names.append(register(self, shapes, f"{{}}_l{layer}", device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            for names in self._names:
                weights = named(self, names)
                for name in _rounds(self.rounds, self.rank, 1, 1):
                    nn.init.xavier_uniform_(weights.pop(name))
                initialize(self.cell, weights, self.hidden_size, self.init)

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
            state: Initial state, by name or in the cell's order, each part
                [num_layers, batch, hidden] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Outputs, [batch, time, hidden], zero past a sequence's end, and the state after each
            sequence's last step, by name: `state.h`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        x, batched = with_batch(x, self.get_parameter("weight_ih_l0"))
        counts = None if lengths is None else checked_lengths(lengths, x)
        states, units = self.cell.states, (self.hidden_size,)
        y, ends = zeroed(x, counts), []
        starts = layer_starts(state, states, self.num_layers, x, batched, units)
        for layer, start in enumerate(starts):
            if layer:
                y = F.dropout(y, self.dropout, self.training)
            noise = drawn(self._active, x, self.hidden_size)
            one = self._step_of(named(self, self._names[layer]))
            y, end = over_time(one, y, start, noise, counts)
            ends.append(end)
        last = (torch.stack(parts) for parts in zip(*ends, strict=True))
        if not batched:
            y, last = y[0], (part[:, 0] for part in last)
        return y, state_type(states)(*last)

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, input] or [input].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, hidden], and the new state.

        Raises:
            InputError: The layer is in training, with noise that is the same at all steps, or
                shape or type of an argument is not as above.
        """
        if self.training:
            check_one_step(self._noisy, 0.0)
        y, state = self(as_sequence(x), state)
        return y.squeeze(-2), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a copy holds."""
        super().__setstate__(state)
        self._prepare()

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        given = [self.cell.name, str(self.input_size), str(self.hidden_size)]
        usual = {"num_layers": 1, "rounds": 5, "rank": None, "dropout": 0.0, "init": "default",
                 "bias": True}  # fmt: skip
        given += [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v]
        return ", ".join(given)

    def _prepare(self) -> None:
        """Make what `torch.compile` can read but not make."""
        self._noisy = traceable(quiet(self.cell, frozenset(self.cell.draws)))
        self._quiet = traceable(quiet(self.cell))
        state_type(self.cell.states)

    @property
    def _active(self) -> Cell:
        """The equations in this mode: with the cell's noise in training only."""
        return self._noisy if self.training else self._quiet

    def _step_of(self, weights: Mapping[str, Tensor]) -> Step:
        """One time step of a layer."""
        one = Pointwise(self._active, weights, F.linear)
        sides = [_side(k) for k in range(1, self.rounds + 1)]

        def step(
            x: Tensor, state: tuple[Tensor, ...], noise: Mapping[str, Tensor]
        ) -> tuple[Tensor, ...]:
            h = state[0]
            for side in sides:
                if side[0] == "q":
                    x = 2 * torch.sigmoid(_product(h, side, weights)) * x
                else:
                    h = 2 * torch.sigmoid(_product(x, side, weights)) * h
            from_input = F.linear(x, weights["weight_ih"], weights.get("bias_ih"))
            return one(from_input, state, noise, seen=h)

        return step


def _side(k: int) -> str:
    """Name of a round's matrix, as in the paper: odd rounds scale the input, even the output."""
    return f"q{k}" if k % 2 else f"r{k}"


def _rounds(
    rounds: int, rank: int | None, input_size: int, hidden_size: int
) -> dict[str, tuple[int, ...]]:
    """Name and shape of the matrices of each round."""
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(1, rounds + 1):
        side = _side(k)
        to, of = (input_size, hidden_size) if k % 2 else (hidden_size, input_size)
        if rank is None:
            shapes[side] = (to, of)
        else:
            shapes |= {f"{side}_left": (to, rank), f"{side}_right": (rank, of)}
    return shapes


def _product(value: Tensor, side: str, weights: Mapping[str, Tensor]) -> Tensor:
    if side in weights:
        return F.linear(value, weights[side])
    return F.linear(F.linear(value, weights[f"{side}_right"]), weights[f"{side}_left"])


def _check_cell(cell: Cell) -> None:
    """Refuse a cell whose recurrent weights multiply something else than the last output."""
    if not cell.state_rows or any(stage.products for stage in cell.stages):
        raise InputError(
            f"cell={cell.name!r}: its recurrent weights do not multiply its last output as it is, "
            "so there is nothing to modulate; take a cell such as lstm or gru"
        )
