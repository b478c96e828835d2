"""Any cell over time, in stacked layers and one or both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..compiler import Cell
from ..connectivity import Dense
from ..engines import MEMORY, Call, parameters, state_sizes, step, traceable
from ..errors import InputError, nearest
from .arguments import check_rates, check_sizes, checked_cell
from .initialization import initialize
from .lengths import checked_lengths
from .noise import check_one_step, drawn, expected, regularized, weights_dropped
from .stack import MERGES, run_layers
from .state import State, state_type

if TYPE_CHECKING:
    from .stream import Stream


class Recurrent(nn.Module):
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
        zoneout: Mapping[str, float] | float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_dropout_kind: str = "semeniuta",
        weight_dropout: float = 0.0,
        bias: bool = True,
        learn_state: bool = False,
        proj_size: int = 0,
        memory: str = "keep",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell = checked_cell(cell)
        rates = {"recurrent_dropout": recurrent_dropout, "weight_dropout": weight_dropout}
        zoned = isinstance(zoneout, Mapping)
        check_rates(rates if zoned else rates | {"zoneout": zoneout})
        self.zoneout = dict(zoneout) if zoned else zoneout
        self.recurrent_dropout = recurrent_dropout
        self.recurrent_dropout_kind = recurrent_dropout_kind
        self.weight_dropout = weight_dropout
        if weight_dropout and not self.cell.state_rows:
            raise InputError(
                f"weight_dropout={weight_dropout!r}: the cell {self.cell.name} has no recurrent "
                "weights to drop; leave it at 0"
            )
        self._prepare()
        self.connectivity = Dense(proj_size)
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
        width = input_size
        for layer in range(num_layers):
            shapes = parameters(self.cell, self.connectivity, width, hidden_size, bias=bias)
            suffixes = ("", "_reverse") if bidirectional else ("",)
            named = [{name: f"{name}_l{layer}{suffix}" for name in shapes} for suffix in suffixes]
            for direction in named:
                for name, shape in shapes.items():
                    weight = torch.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(direction[name], nn.Parameter(weight))
            self._names.append(named)
            width = 2 * each if bidirectional and merge in ("concat", None) else each
        if learn_state:
            for name, size in zip(self.cell.states, self._state_sizes, strict=True):
                weight = torch.empty(self._rows, size, device=device, dtype=dtype)
                self.register_parameter(f"initial_{name}", nn.Parameter(weight))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew; a learned initial state starts at zero."""
        with torch.no_grad():
            for direction in self._directions():
                initialize(self.cell, direction, self.hidden_size)
            if self.learn_state:
                for name in self.cell.states:
                    getattr(self, f"initial_{name}").zero_()

    def forward(
        self,
        x: Tensor,
        state: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Any, State]:
        """Run over a whole sequence.

        Args:
            x: Input, [batch, time, input] or [time, input].
            state: Initial state, by name or in the cell's order, each part
                [num_layers * directions, batch, features] (without batch where `x` has none).
            lengths: Steps of each sequence, [batch], from 0 to `time`; on any device.

        Returns:
            Outputs, [batch, time, output_size], zero past a sequence's end (a pair of them with
            `merge=None`), and the state after each sequence's last step, by name: `state.h`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        x, batched = self._batched(x, 3, "[batch, time, input]")
        checked = None if lengths is None else checked_lengths(lengths, x)
        weights = self._weights()
        if self.training and self.weight_dropout:
            weights = weights_dropped(weights, self.weight_dropout)
        outputs, last = run_layers(
            self._active,
            self.connectivity,
            x,
            weights,
            self._initial(state, x, batched),
            checked,
            merge=self.merge or "concat",
            dropout=self.dropout if self.training else 0.0,
            noise=[[self._drawn(x) for _ in layer] for layer in weights],
            memory=self.memory,
        )
        if not batched:
            outputs, last = tuple(y[0] for y in outputs), tuple(s[:, 0] for s in last)
        return self._merged(outputs), self._named(last)

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, State]:
        """Run one time step, for streams: as `forward` on the steps so far, with the state kept.

        Args:
            x: Input, [batch, input] or [input].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, output_size], and the new state.

        Raises:
            InputError: The layer is bidirectional, so it needs the future; or it is in training,
                with noise that is the same at all steps.
        """
        if self.bidirectional:
            raise InputError(
                "bidirectional=True: a step cannot see the future; build the layer with "
                "bidirectional=False to stream"
            )
        if self.training:
            check_one_step(self._noisy, self.weight_dropout)
        x, batched = self._batched(x, 2, "[batch, input]")
        rows = zip(*(s.unbind(0) for s in self._initial(state, x, batched)), strict=True)
        ends = []
        for layer, ((weights,), before) in enumerate(zip(self._weights(), rows, strict=True)):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            noise = {name: value[:, 0] for name, value in self._drawn(x.unsqueeze(1)).items()}
            after = step(self._active, self.connectivity, x, weights, before, noise)
            x = after[0]
            ends.append(after)
        last = tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
        if not batched:
            x, last = x[0], tuple(s[:, 0] for s in last)
        return x, self._named(last)

    def stream(self, batch: int = 1, state: Any = None, weights: str | None = None) -> Stream:
        """Make what runs the layer step by step in microseconds and keeps its state.

        It needs llvmlite and a layer on the processor. Its weights are those of now; see `Stream`.

        Args:
            batch: Sequences side by side.
            state: Where to start, as in `forward`.
            weights: `"int8"` for weights of 8 bits, a quarter of the memory, for cells of one
                part and float32; None for the layer's own.

        Raises:
            InputError: The layer is bidirectional, or an argument is not as above.
        """
        from .stream import Source, Stream

        if self.bidirectional:
            raise InputError(
                "bidirectional=True: a step cannot see the future; build the layer with "
                "bidirectional=False to stream"
            )
        return Stream(Source(self._calls, self._start, self._named), batch, state, weights)

    def call(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Call:
        """What the first layer asks of an engine (for `gatewise.explain`)."""
        x, batched = self._batched(x, 3, "[batch, time, input]")
        checked = None if lengths is None else checked_lengths(lengths, x)
        start = tuple(s[0] for s in self._initial(None, x, batched))
        noise = expected(self._active, x, self.hidden_size)
        weights = self._weights()[0][0]
        return Call(self._active, self.connectivity, x, weights, start, checked, noise=noise)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a pickle or a copy holds."""
        super().__setstate__(state)
        self._prepare()

    def extra_repr(self) -> str:
        """The arguments that are not the defaults."""
        given = [self.cell.name, str(self.input_size), str(self.hidden_size)]
        defaults = {
            "num_layers": 1, "bidirectional": False, "merge": "concat", "dropout": 0.0,
            "zoneout": 0.0, "recurrent_dropout": 0.0, "recurrent_dropout_kind": "semeniuta",
            "weight_dropout": 0.0, "bias": True, "learn_state": False, "proj_size": 0,
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

    def _calls(self, batch: int) -> list[Call]:
        """What each layer asks of an engine for one step in evaluation, for a stream."""
        calls = []
        for (weights,) in self._weights():
            w = weights["weight_ih"]
            x = w.new_zeros(batch, 1, w.shape[1])
            calls.append(Call(self._quiet, self.connectivity, x, weights, ()))
        return calls

    def _start(self, state: Any, batch: int) -> tuple[Tensor, ...]:
        """The initial state of a stream, [num_layers, batch, features]."""
        w = getattr(self, self._names[0][0]["weight_ih"])
        return self._initial(state, w.new_zeros(batch, self.input_size), True)

    def _weights(self) -> list[list[dict[str, Tensor]]]:
        return [
            [{own: getattr(self, name) for own, name in names.items()} for names in layer]
            for layer in self._names
        ]

    def _batched(self, x: Tensor, dims: int, axes: str) -> tuple[Tensor, bool]:
        if x.dim() not in (dims, dims - 1) or x.shape[-1] != self.input_size:
            raise InputError(
                f"x of shape {tuple(x.shape)}: give {axes} with {self.input_size} features, with "
                "or without the batch"
            )
        own = getattr(self, self._names[0][0]["weight_ih"]).dtype
        if x.dtype != own and not torch.is_autocast_enabled(x.device.type):
            raise InputError(
                f"x of type {x.dtype} and weights of type {own}: write x.to({own}), or "
                f"layer.to({x.dtype})"
            )
        return (x, True) if x.dim() == dims else (x.unsqueeze(0), False)

    def _initial(self, state: Any, x: Tensor, batched: bool) -> tuple[Tensor, ...]:
        batch, names = x.shape[0], self.cell.states
        if state is None:
            if not self.learn_state:
                return tuple(x.new_zeros(self._rows, batch, size) for size in self._state_sizes)
            learned = (getattr(self, f"initial_{name}") for name in names)
            return tuple(s.unsqueeze(1).expand(-1, batch, -1) for s in learned)
        if isinstance(state, Tensor):
            state = (state,)
        parts: list[Any] = [state.get(n) for n in names] if isinstance(state, Mapping) else [*state]
        wanted = [(self._rows, batch, size) if batched else (self._rows, size)
                  for size in self._state_sizes]  # fmt: skip
        shapes = [tuple(part.shape) if isinstance(part, Tensor) else None for part in parts]
        if shapes != wanted:
            raise InputError(
                f"state of shapes {shapes}: give {', '.join(names)} of shapes {wanted}, by name or "
                "in this order"
            )
        return tuple(part if batched else part.unsqueeze(1) for part in parts)

    def _merged(self, outputs: tuple[Tensor, ...]) -> Any:
        if len(outputs) == 1:
            return outputs[0]
        return outputs if self.merge is None else MERGES[self.merge](*outputs)

    def _named(self, state: tuple[Tensor, ...]) -> State:
        return state_type(self.cell.states)(*state)
