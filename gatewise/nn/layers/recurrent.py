"""Any cell over time, in stacked layers and one or both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ...compiler import Cell
from ...connectivity import Connectivity, Dense
from ...engines import MEMORY, Call, parameters, state_sizes, step, traceable
from ...errors import InputError, nearest
from ..arguments import called, check_deviation, check_sizes, checked_cell
from ..initialization.chosen import Schemes
from ..initialization.start import initialize
from ..inputs import check_one_way, checked_state, with_batch
from ..lengths import checked_lengths
from ..packed import check_packed, through
from ..regularization.noise import (
    check_noise,
    check_one_step,
    drawn,
    expected,
    regularized,
    weights_dropped,
)
from ..regularization.regularizers import weight_noise as noisy_weights
from ..state import State, state_type
from ..streams.streaming import Streaming
from ..weights import named, register
from .equations import connected, equations
from .given import by_direction, checked_given
from .stack import MERGES, run_layers


class Recurrent(Streaming, nn.Module):
    """Run a cell over time, in stacked layers and one or both directions.

    Sequences of different lengths share a batch without packing: steps beyond a sequence's
    length leave its state unchanged and give zero output, and the backward direction starts at
    its true end. Parameters have torch's names, so the `state_dict` of an lstm, gru or elman
    loads into torch's layer and back.

    Recurrent weights start orthogonal gate by gate (Saxe, McClelland & Ganguli 2014,
    https://arxiv.org/abs/1312.6120), input weights after Glorot & Bengio 2010
    (https://proceedings.mlr.press/v9/glorot10a.html), biases as the cell says: the LSTM's forget
    gate at 1 in total.

    Args:
        cell: Equations of one step: a cell of `gatewise.cells`, its name, or your own.
        input_size: Features of each time step.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, each fed with the outputs of the one before.
        bidirectional: Whether a second set of layers reads time backwards.
        merge: How the two directions' outputs become one: `"concat"`, `"sum"`, `"mul"`, `"mean"`;
            with None the last layer gives the pair, and layers between concatenate.
        dropout: Rate of what is dropped between layers while training.
        connectivity: How the last state reaches the gates: a value of `gatewise.connectivity`, or
            text such as `"heads:4"` or `"low_rank:16"`; `"diagonal"` for one number a unit and
            gate (Li et al. 2018, https://arxiv.org/abs/1803.04831).
        layer_norm: Placement of layer norm inside the recurrence, of
            `gatewise.compiler.layer_norm`: `"ba"` or `"stored"`. Its shifts are the gates' biases.
        cell_clip: Limit of the memory `c` on both sides (Sak, Senior & Beaufays 2014,
            https://arxiv.org/abs/1402.1128).
        zoneout: Rate at which units keep their old state while training, by state; one number is
            for the memory `c` alone, or for the output of a cell without it. Evaluation takes the
            expectation (Krueger et al. 2017, https://arxiv.org/abs/1606.01305, who find 0.5 for
            `c` and 0.05 for `h`).
        recurrent_dropout: Rate of what is dropped inside the recurrence while training.
        recurrent_dropout_kind: `"semeniuta"` drops the candidate at each step (Semeniuta et al.
            2016, https://arxiv.org/abs/1603.05118), `"gal"` what the recurrent weights multiply,
            the same units at all steps (Gal & Ghahramani 2016, https://arxiv.org/abs/1512.05287).
        weight_dropout: Rate of the entries of `weight_hh` that are dropped while training, the
            same ones at all steps (Merity et al. 2018, https://arxiv.org/abs/1708.02182).
        weight_noise: Standard deviation of what is added to all weights while training, once a
            call (Graves, Mohamed & Hinton 2013, https://arxiv.org/abs/1303.5778, who take 0.075).
        init: How weights start, a scheme of `gatewise.nn.initialize`: a name such as `"uniform"`,
            or names and numbers by what they start, `{"weight_hh": "identity", "bias.f": 2.0}`.
        bias: Whether the gates have biases.
        learn_state: Whether the initial state is learned instead of zero.
        proj_size: Features of the projected output; 0 for no projection.
        memory: What training keeps of a forward pass: `"keep"`, the gates; `"recompute"`, the
            outputs and the state now and then, less memory for more time.
        device: Device of the weights.
        dtype: Type of the weights.

    Attributes:
        output_size: Features of the output (of each output, with `merge=None`).

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> layer = Recurrent("peephole_lstm", 3, 8, bidirectional=True)
        >>> y, state = layer(torch.randn(2, 5, 3), lengths=[5, 2])
        >>> y.shape, state.c.shape
        (torch.Size([2, 5, 16]), torch.Size([2, 2, 8]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        merge: str | None = "concat",
        dropout: float = 0.0,
        connectivity: Connectivity | str = "dense",
        layer_norm: str | None = None,
        cell_clip: float | None = None,
        zoneout: Mapping[str, float] | float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_dropout_kind: str = "semeniuta",
        weight_dropout: float = 0.0,
        weight_noise: float = 0.0,
        init: Schemes = "default",
        bias: bool = True,
        learn_state: bool = False,
        proj_size: int = 0,
        memory: str = "keep",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        base = checked_cell(cell)
        self.cell = equations(base, layer_norm, cell_clip, connectivity)
        self.connectivity = connected(connectivity, proj_size)
        self.layer_norm, self.cell_clip, self.init = layer_norm, cell_clip, init
        self._written = base.name, connectivity
        check_noise(self.cell, zoneout, recurrent_dropout, weight_dropout)
        self.zoneout = dict(zoneout) if isinstance(zoneout, Mapping) else zoneout
        self.recurrent_dropout = recurrent_dropout
        self.recurrent_dropout_kind = recurrent_dropout_kind
        self.weight_dropout, self.weight_noise = weight_dropout, weight_noise
        check_deviation("weight_noise", weight_noise)
        self._prepare()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        check_sizes(sizes, dropout)
        if merge is not None and merge not in MERGES:
            raise InputError(
                f"merge={merge!r}: give None or one of these; {nearest(merge, MERGES)}"
            )
        if memory not in MEMORY:
            raise InputError(f"memory={memory!r}: give one of these; {nearest(memory, MEMORY)}")
        self.memory = memory
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.merge = merge
        self.dropout = dropout
        self.bias = bias
        self.learn_state = learn_state
        self.proj_size = proj_size
        self._state_sizes = state_sizes(self._noisy, self.connectivity, hidden_size)
        each = self._state_sizes[0]
        self.output_size = 2 * each if bidirectional and merge == "concat" else each
        # For each layer and direction: a weight's own name to its name in this module.
        self._names: list[list[dict[str, str]]] = []
        width, biased = input_size, bias and layer_norm is None
        for layer in range(num_layers):
            with called("connectivity", connectivity):
                shapes = parameters(self.cell, self.connectivity, width, hidden_size, bias=biased)
            suffixes = ("", "_reverse") if bidirectional else ("",)
            self._names.append([
                register(self, shapes, f"{{}}_l{layer}{suffix}", device, dtype)
                for suffix in suffixes
            ])  # fmt: skip
            width = 2 * each if bidirectional and merge in ("concat", None) else each
        if learn_state:
            for name, size in zip(self.cell.states, self._state_sizes, strict=True):
                weight = torch.empty(self._rows, size, device=device, dtype=dtype)
                self.register_parameter(f"initial_{name}", nn.Parameter(weight))
        constants = self.connectivity.constants(len(self.cell.state_rows), hidden_size)
        self._constants = tuple(constants)
        for name, value in constants.items():
            self.register_buffer(name, value.to(device), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew; a learned initial state starts at zero."""
        with torch.no_grad():
            with called("init", self.init):
                for direction in self._directions():
                    initialize(self.cell, direction, self.hidden_size, self.init, self.connectivity)
            if self.learn_state:
                for name in self.cell.states:
                    getattr(self, f"initial_{name}").zero_()

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
            x: Input, [batch, time, input] or [time, input]; or packed, without lengths and given,
                for outputs that are packed likewise.
            state: Initial state, by name or in the cell's order, each part
                [num_layers * directions, batch, features] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`; on any device.
            given: What the cell's equations are given at each step beside the input, by name,
                [batch, time] (without batch where `x` has none): `dt`, the time since the step
                before, for `"phased_lstm"` and `"time_aware_lstm"`. No gradient flows to it.

        Returns:
            Outputs, [batch, time, output_size], zero past a sequence's end (a pair of them with
            `merge=None`), and the state after each sequence's last step, by name: `state.h`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        if isinstance(x, PackedSequence):
            check_packed(lengths, given)
            return through(self, x, state)
        x, batched = self._batched(x, "[batch, time, input]")
        checked = None if lengths is None else checked_lengths(lengths, x)
        weights = self._in_use()
        outside = checked_given(self._active, given, x, batched)
        outputs, last = run_layers(
            self._active,
            self.connectivity.expanded,
            x,
            weights,
            self._initial(state, x, batched),
            checked,
            merge=self.merge or "concat",
            dropout=self.dropout if self.training else 0.0,
            noise=[
                [
                    self._drawn(x) | self._outside(outside, checked, bool(reverse))
                    for reverse, _ in enumerate(layer)
                ]
                for layer in weights
            ],
            memory=self.memory,
        )
        if not batched:
            outputs, last = tuple(y[0] for y in outputs), tuple(s[:, 0] for s in last)
        return self._merged(outputs), self._named(last)

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
            InputError: The layer is bidirectional, so it needs the future; or it is in training,
                with noise that is the same at all steps.
        """
        check_one_way(self.bidirectional)
        if self.training:
            check_one_step(self._noisy, self.weight_dropout, self.weight_noise)
        x, batched = self._batched(x, "[batch, input]")
        outside = checked_given(self._active, given, x, batched)
        rows = zip(*(s.unbind(0) for s in self._initial(state, x, batched)), strict=True)
        ends = []
        for layer, ((weights,), before) in enumerate(zip(self._in_use(), rows, strict=True)):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            noise = {name: value[:, 0] for name, value in self._drawn(x.unsqueeze(1)).items()}
            noise |= {n: v.unsqueeze(-1).expand(-1, self.hidden_size) for n, v in outside.items()}
            after = step(self._active, self.connectivity.expanded, x, weights, before, noise)
            x = after[0]
            ends.append(after)
        last = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
        if not batched:
            x, last = x[0], tuple(s[:, 0] for s in last)
        return x, self._named(last)

    def call(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Call:
        """What the first layer asks of an engine (for `gatewise.explain`)."""
        x, batched = self._batched(x, "[batch, time, input]")
        checked = None if lengths is None else checked_lengths(lengths, x)
        start = tuple(s[0] for s in self._initial(None, x, batched))
        noise = expected(self._active, x, self.hidden_size)
        weights = self._in_use()[0][0]
        dense = self.connectivity.expanded
        return Call(self._active, dense, x, weights, start, checked, noise=noise)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a copy holds."""
        super().__setstate__(state)
        self._prepare()

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        name, connectivity = self._written
        given = [name, str(self.input_size), str(self.hidden_size)]
        given += [] if connectivity == "dense" else [f"connectivity={connectivity!r}"]
        defaults = {
            "num_layers": 1, "bidirectional": False, "merge": "concat", "dropout": 0.0,
            "layer_norm": None, "cell_clip": None, "zoneout": 0.0, "recurrent_dropout": 0.0,
            "recurrent_dropout_kind": "semeniuta", "weight_dropout": 0.0, "weight_noise": 0.0,
            "init": "default", "bias": True, "learn_state": False, "proj_size": 0,
            "memory": "keep",
        }  # fmt: skip
        given += [f"{k}={getattr(self, k)!r}" for k, v in defaults.items() if getattr(self, k) != v]
        return ", ".join(given)

    def _prepare(self) -> None:
        """Make what `torch.compile` can read but not make."""
        self._noisy, self._quiet = map(
            traceable,
            regularized(
                self.cell, self.zoneout, self.recurrent_dropout, self.recurrent_dropout_kind
            ),
        )
        state_type(self.cell.states)

    @property
    def _active(self) -> Cell:
        """The equations in this mode: with noise in training, without it in evaluation."""
        return self._noisy if self.training else self._quiet

    @property
    def _rows(self) -> int:
        return self.num_layers * (2 if self.bidirectional else 1)

    def _directions(self) -> list[dict[str, Tensor]]:
        return [direction for layer in self._weights() for direction in layer]

    def _drawn(self, x: Tensor) -> dict[str, Tensor]:
        """Noise for one layer in one direction, [batch, time, hidden]; none in evaluation."""
        return drawn(self._active, x, self.hidden_size)

    def _outside(
        self, given: Mapping[str, Tensor], lengths: Tensor | None, reverse: bool
    ) -> dict[str, Tensor]:
        return by_direction(given, self.cell, self.hidden_size, lengths, reverse) if given else {}

    def _calls(self, batch: int) -> list[Call]:
        """See `Streaming`."""
        calls = []
        for (weights,) in self._expanded():
            w = weights["weight_ih"]
            x = w.new_zeros(batch, 1, w.shape[1])
            calls.append(Call(self._quiet, self.connectivity.expanded, x, weights, ()))
        return calls

    def _start(self, state: Any, batch: int) -> tuple[Tensor, ...]:
        """See `Streaming`."""
        w = getattr(self, self._names[0][0]["weight_ih"])
        return self._initial(state, w.new_zeros(batch, self.input_size), True)

    def _given_state(self, state: tuple[Tensor, ...]) -> State:
        """See `Streaming`."""
        return self._named(state)

    def _weights(self) -> list[list[dict[str, Tensor]]]:
        """The parameters of each layer and direction, by their own names."""
        return [[named(self, names) for names in layer] for layer in self._names]

    def _expanded(self) -> list[list[dict[str, Tensor]]]:
        """The weights as engines take them."""
        weights = self._weights()
        if isinstance(self.connectivity, Dense):
            return weights
        blocks = len(self.cell.state_rows)
        constants = {name: getattr(self, name) for name in self._constants}
        return [
            [self.connectivity.expand(own | constants, blocks, self.hidden_size) for own in layer]
            for layer in weights
        ]

    def _in_use(self) -> list[list[dict[str, Tensor]]]:
        """The weights as engines take them in this mode."""
        weights = self._expanded()
        if self.training and self.weight_noise:
            weights = [
                [noisy_weights(own, self.weight_noise) for own in layer] for layer in weights
            ]
        if self.training and self.weight_dropout:
            weights = weights_dropped(weights, self.weight_dropout)
        return weights

    def _batched(self, x: Tensor, axes: str) -> tuple[Tensor, bool]:
        return with_batch(x, getattr(self, self._names[0][0]["weight_ih"]), axes)

    def _initial(self, state: Any, x: Tensor, batched: bool) -> tuple[Tensor, ...]:
        batch, names = x.shape[0], self.cell.states
        if state is None:
            if not self.learn_state:
                return tuple(x.new_zeros(self._rows, batch, size) for size in self._state_sizes)
            learned = (getattr(self, f"initial_{name}") for name in names)
            return tuple(s.unsqueeze(1).expand(-1, batch, -1) for s in learned)
        shapes = [(self._rows, batch, size) for size in self._state_sizes]
        return checked_state(state, names, shapes, batched)

    def _merged(self, outputs: tuple[Tensor, ...]) -> Any:
        if len(outputs) == 1:
            return outputs[0]
        return outputs if self.merge is None else MERGES[self.merge](*outputs)

    def _named(self, state: tuple[Tensor, ...]) -> State:
        return state_type(self.cell.states)(*state)
