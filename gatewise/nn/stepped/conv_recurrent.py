"""Any cell over time on maps: convolutions in the place of the matrix products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
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
from ..inputs import check_type, layer_starts
from ..lengths import checked_lengths
from ..masks import zeroed
from ..regularization.noise import check_noise, check_one_step, drawn, regularized, weights_dropped
from ..state import State, state_type
from ..weights import named, register
from .convolution import by_axis, convolution
from .pointwise import Pointwise
from .unrolled import over_time


class ConvRecurrent(nn.Module):
    """Run a cell over sequences of maps: ConvLSTM, ConvGRU, or the same of any cell.

    Gates receive convolutions of the input and of the last output instead of matrix products
    (Shi et al. 2015, https://arxiv.org/abs/1506.04214). With `"lstm"` it is what Keras calls
    ConvLSTM; the paper's equations, where gates also see the memory, are `"peephole_lstm"`. The
    state's convolution keeps the size of the map: beyond the map are zeros.

    It is a loop in Python: the input's convolution is done for all steps at once, the state's
    step by step. What `Recurrent` says of lengths, states and initial weights holds here too.

    Args:
        cell: Equations of one step: a cell of `gatewise.cells`, its name, or your own.
        input_channels: Channels of each map of the input.
        hidden_channels: Channels of the state of each layer.
        kernel_size: Places that the input's convolution covers, by axis of space or one number.
        dims: Axes of space, 1 to 3; nothing for as many as `kernel_size` has, or 2.
        num_layers: Layers, each fed with the outputs of the one before; those after the first
            keep the size of the map and have stride and dilation 1.
        stride: Stride of the input's convolution, by axis or one number; the state is as large as
            its result.
        padding: Zeros around the input, by axis or one number; `"same"` for a result of
            `ceil(size / stride)`, `"valid"` for none.
        dilation: Dilation of the input's convolution, by axis or one number.
        recurrent_kernel_size: Places that the state's convolution covers; nothing for
            `kernel_size`.
        spatial_size: Size of the input's maps, by axis, to give the cell's own weights (peepholes)
            a number for each channel and place, as in the paper. Without it they have one for
            each channel, and maps may be of any size.
        dropout: Rate of what is dropped between layers while training.
        zoneout: As in `Recurrent`; drawn for each channel and place.
        recurrent_dropout: As in `Recurrent`; drawn for each channel and place.
        recurrent_dropout_kind: As in `Recurrent`.
        weight_dropout: Rate of the entries of `weight_hh` that are dropped while training, the
            same ones at all steps.
        init: How weights start, as in `Recurrent`; `"identity"` is one at the middle of a kernel.
        bias: Whether the gates have biases.
        device: Device of the weights.
        dtype: Type of the weights.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> layer = ConvRecurrent("peephole_lstm", 3, 8, kernel_size=(5, 5))
        >>> y, state = layer(torch.randn(2, 6, 3, 16, 12), lengths=[6, 4])
        >>> y.shape, state.c.shape
        (torch.Size([2, 6, 8, 16, 12]), torch.Size([1, 2, 8, 16, 12]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_channels: int,
        hidden_channels: int,
        kernel_size: int | Sequence[int],
        *,
        dims: int | None = None,
        num_layers: int = 1,
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = "same",
        dilation: int | Sequence[int] = 1,
        recurrent_kernel_size: int | Sequence[int] | None = None,
        spatial_size: Sequence[int] | None = None,
        dropout: float = 0.0,
        zoneout: Mapping[str, float] | float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_dropout_kind: str = "semeniuta",
        weight_dropout: float = 0.0,
        init: Schemes = "default",
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell = checked_cell(cell)
        self.zoneout = dict(zoneout) if isinstance(zoneout, Mapping) else zoneout
        self.recurrent_dropout = recurrent_dropout
        self.recurrent_dropout_kind = recurrent_dropout_kind
        self.weight_dropout = weight_dropout
        self.dropout, self.init = dropout, init
        check_noise(self.cell, zoneout, recurrent_dropout, weight_dropout)
        self._prepare()
        sizes = {"input_channels": input_channels, "hidden_channels": hidden_channels,
                 "num_layers": num_layers}  # fmt: skip
        check_sizes(sizes, dropout)
        self.input_channels, self.hidden_channels = input_channels, hidden_channels
        self.num_layers, self.bias = num_layers, bias
        self.dims = _dims(dims, kernel_size)
        self.kernel_size = by_axis("kernel_size", kernel_size, self.dims)
        own = self.kernel_size if recurrent_kernel_size is None else recurrent_kernel_size
        self.recurrent_kernel_size = by_axis("recurrent_kernel_size", own, self.dims)
        self._first = convolution(self.kernel_size, stride, padding, dilation)
        self._later = convolution(self.kernel_size)
        self._recurrent = convolution(self.recurrent_kernel_size)
        self.spatial_size = self._checked_space(spatial_size)
        self._names = [
            register(self, self._shapes(layer), f"{{}}_l{layer}", device, dtype)
            for layer in range(num_layers)
        ]
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        with torch.no_grad():
            for names in self._names:
                initialize(self.cell, named(self, names), self.hidden_channels, self.init)

    def forward(
        self,
        x: Tensor,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, State]:
        """Run over whole sequences.

        Args:
            x: Input, [batch, time, channels, *space] or [time, channels, *space].
            state: Initial state, by name or in the cell's order, each part
                [num_layers, batch, channels, *space] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Outputs, [batch, time, hidden_channels, *space], zero past a sequence's end, and the
            state after each sequence's last step, by name: `state.h`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        x, batched = self._batched(x)
        counts = None if lengths is None else checked_lengths(lengths, x)
        states = self.cell.states
        units = (self.hidden_channels, *self._first.places(x.shape[3:]))
        starts = layer_starts(state, states, self.num_layers, x, batched, units)
        # Units last in memory too: so products come out as the equations read them.
        y, ends = zeroed(x, counts).movedim(2, -1).contiguous(), []
        for layer, start in enumerate(starts):
            start = tuple(part.movedim(1, -1).contiguous() for part in start)
            weights = named(self, self._names[layer])
            if self.training and self.weight_dropout:
                ((weights,),) = weights_dropped(((weights,),), self.weight_dropout)
            if layer:
                y = F.dropout(y, self.dropout, self.training)
            gates = self._from_input(layer, y, weights)
            step = Pointwise(self._active, self._units_last(weights), self._recurrent)
            y, end = over_time(step, gates, start, self._drawn(x, start[0]), counts)
            ends.append(end)
        last = (torch.stack(parts).movedim(-1, 2) for parts in zip(*ends, strict=True))
        y = y.movedim(-1, 2)
        if not batched:
            y, last = y[0], (part[:, 0] for part in last)
        return y, state_type(states)(*last)

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, channels, *space] or [channels, *space].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, hidden_channels, *space], and the new state.

        Raises:
            InputError: The layer is in training, with noise that is the same at all steps, or
                shape or type of an argument is not as above.
        """
        if self.training:
            check_one_step(self._noisy, self.weight_dropout)
        time = x.dim() - self.dims - 1
        if time not in (0, 1):
            raise InputError(
                f"x of shape {tuple(x.shape)}: give one step, [batch, channels, *space] with "
                f"{self.dims} axes of space, with or without the batch"
            )
        y, state = self(x.unsqueeze(time), state)
        return y.squeeze(time), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a copy holds."""
        super().__setstate__(state)
        self._prepare()

    def extra_repr(self) -> str:
        """What it was built with, the defaults of rates left out."""
        first = self._first
        given = [self.cell.name, str(self.input_channels), str(self.hidden_channels),
                 f"kernel_size={self.kernel_size}"]  # fmt: skip
        usual = {
            "num_layers": 1, "recurrent_kernel_size": self.kernel_size, "spatial_size": None,
            "dropout": 0.0, "zoneout": 0.0, "recurrent_dropout": 0.0,
            "recurrent_dropout_kind": "semeniuta", "weight_dropout": 0.0, "init": "default",
            "bias": True,
        }  # fmt: skip
        given += [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v]
        if first != self._later:
            given += [f"stride={first.stride}", f"padding={first.padding}",
                      f"dilation={first.dilation}"]  # fmt: skip
        return ", ".join(given)

    def _prepare(self) -> None:
        """Make what `torch.compile` can read but not make."""
        pair = regularized(
            self.cell, self.zoneout, self.recurrent_dropout, self.recurrent_dropout_kind
        )
        # Of noise only what is drawn; what is given from outside has the value in the equations.
        self._noisy, self._quiet = (traceable(quiet(each, frozenset(each.draws))) for each in pair)
        state_type(self.cell.states)

    @property
    def _active(self) -> Cell:
        """The equations in this mode: with noise in training, without it in evaluation."""
        return self._noisy if self.training else self._quiet

    def _checked_space(self, size: Sequence[int] | None) -> tuple[int, ...] | None:
        if size is None:
            return None
        if not self.cell.weights:
            raise InputError(
                f"spatial_size={size!r}: the cell {self.cell.name} has no weights of its own to "
                "give one for each place; leave it out, or take peephole_lstm"
            )
        return by_axis("spatial_size", size, self.dims)

    def _shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of each weight of a layer."""
        channels = self.hidden_channels if layer else self.input_channels
        shapes = parameters(self.cell, Dense(), channels, self.hidden_channels, bias=self.bias)
        place = () if self.spatial_size is None else self._first.places(self.spatial_size)
        ends = {"weight_ih": self.kernel_size, "weight_hh": self.recurrent_kernel_size}
        ends |= dict.fromkeys(self.cell.weights, place)
        return {name: (*shape, *ends.get(name, ())) for name, shape in shapes.items()}

    def _units_last(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same weights with channels as the last axis of those that multiply unit by unit."""
        own = {name: weights[name].movedim(0, -1) for name in self.cell.weights}
        return {**weights, **own}

    def _from_input(self, layer: int, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The input's half of all gates at all steps, [batch, time, *space, rows]."""
        convolve = self._later if layer else self._first
        rows = convolve(x.flatten(0, 1), weights["weight_ih"], weights.get("bias_ih"))
        return rows.contiguous().unflatten(0, x.shape[:2])

    def _drawn(self, x: Tensor, h: Tensor) -> dict[str, Tensor]:
        """Noise for one layer, [batch, time, *space, channels]; none in evaluation."""
        units = h.shape[1:]
        noise = drawn(self._active, x, prod(units))
        return {name: value.unflatten(-1, units) for name, value in noise.items()}

    def _batched(self, x: Tensor) -> tuple[Tensor, bool]:
        batch = x.dim() - self.dims - 2
        if batch not in (0, 1) or x.shape[batch + 1] != self.input_channels:
            raise InputError(
                f"x of shape {tuple(x.shape)}: give [batch, time, channels, *space] with "
                f"{self.input_channels} channels and {self.dims} axes of space, with or without "
                "the batch"
            )
        if self.spatial_size is not None and tuple(x.shape[batch + 2 :]) != self.spatial_size:
            raise InputError(
                f"x with the space {tuple(x.shape[batch + 2 :])}: the layer was built with "
                f"spatial_size={self.spatial_size}; give that, or build it without"
            )
        check_type(x, self.get_parameter("weight_ih_l0"))
        return (x, True) if batch else (x.unsqueeze(0), False)


def _dims(dims: int | None, kernel_size: int | Sequence[int]) -> int:
    """Count the axes of space."""
    if dims is None:
        dims = len(kernel_size) if isinstance(kernel_size, Sequence) else 2
    if type(dims) is not int or dims not in (1, 2, 3):
        raise InputError(f"dims={dims!r}: give 1, 2 or 3 axes of space")
    return dims
