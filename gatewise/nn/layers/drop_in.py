"""What the drop-ins for torch's layers share: torch's constructor, weights and call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ...compiler import Cell
from ...connectivity import Dense
from ...engines import Call, may_be_native, whole_stack
from ...errors import InputError
from ..lengths import checked_lengths
from ..streams.streaming import Streaming
from .stack import run_layers

States = tuple[Tensor, ...]


class DropIn(Streaming, torch.nn.RNNBase):
    """A layer with the constructor, the parameters and the call of torch's.

    torch's `RNNBase` names and holds the weights and checks what it is given. The layer runs
    through the operator; a call of all its layers that the native engine serves goes to torch's
    kernel at once, so that it gives and costs what torch's own layer does.
    """

    cell: Cell
    memory = "keep"
    """What is kept for gradients; set it to `"recompute"` to keep the outputs alone."""

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Any = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Any, Any]:
        """Run the layer; see the class for shapes."""
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise InputError("lengths are given and the input is packed: give one of the two")
            return self._forward_packed(input, hx)
        x, batched = self._batched(input)
        state = self._initial(x, hx, batched)
        y, last = self._run(x, state, lengths)
        if not batched:
            y, last = y.squeeze(self._batch_axis), tuple(s.squeeze(1) for s in last)
        return y, self._as_torch(last)

    def call(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Call:
        """What the first layer asks of an engine (for `gatewise.explain`)."""
        x, batched = self._batched(x)
        state = self._initial(x, None, batched)
        x = self._batch_first(x)
        checked = None if lengths is None else checked_lengths(lengths, x)
        return self._call(x, state, checked)

    def _run(
        self, x: Tensor, state: States, lengths: Tensor | Sequence[int] | None
    ) -> tuple[Tensor, States]:
        """Run batched, padded input in the layout of the caller."""
        if lengths is None and may_be_native(x):
            kernel = whole_stack(self._call(self._batch_first(x), state, None))
            if kernel is not None:
                shape = (*self._stack_shape(), self.batch_first)
                y, *last = kernel(x, self._as_torch(state), self._weight_list(), *shape)
                return y, tuple(last)
        x = self._batch_first(x)
        checked = None if lengths is None else checked_lengths(lengths, x)
        y, last = self._run_layers(x, state, checked)
        return self._batch_first(y), last

    def _run_layers(
        self, x: Tensor, state: States, lengths: Tensor | None
    ) -> tuple[Tensor, States]:
        directions = 2 if self.bidirectional else 1
        named = [self._named(k) for k in range(len(self._all_weights))]
        outputs, last = run_layers(
            self.cell,
            Dense(self.proj_size),
            x,
            [named[k : k + directions] for k in range(0, len(named), directions)],
            state,
            lengths,
            dropout=self.dropout if self.training else 0.0,
            memory=self.memory,
        )
        forward, *backward = outputs
        return (torch.cat(outputs, -1) if backward else forward), last

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, sizes = packed.data, packed.batch_sizes
        batch = int(sizes[0])
        self.check_input(data, sizes)
        if hx is None:
            state = self._zeros(data, batch)
        else:
            state = _permuted(self._as_tuple(hx), packed.sorted_indices)
            self._check_state(state, batch)
        kernel = whole_stack(self._call(data.unsqueeze(0), state, None))
        if kernel is not None:
            shape = self._stack_shape()
            y, *rest = kernel(data, sizes, self._as_torch(state), self._weight_list(), *shape)
            last = tuple(rest)
        else:
            x, lengths = pad_packed_sequence(PackedSequence(data, sizes), batch_first=True)
            padded, last = self._run_layers(x, state, lengths.to(x.device))
            y = pack_padded_sequence(padded, lengths, batch_first=True).data
        order = packed.unsorted_indices
        out = PackedSequence(y, sizes, packed.sorted_indices, order)
        return out, self._as_torch(_permuted(last, order))

    @property
    def _batch_axis(self) -> int:
        return 0 if self.batch_first else 1

    def _batched(self, input: Tensor) -> tuple[Tensor, bool]:
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{self.mode}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched = input.dim() == 3
        return (input if batched else input.unsqueeze(self._batch_axis)), batched

    def _batch_first(self, x: Tensor) -> Tensor:
        """Swap batch and time where the caller's layout is time first; its own inverse."""
        return x if self.batch_first else x.transpose(0, 1)

    def _initial(self, x: Tensor, hx: Any, batched: bool) -> States:
        """Give the initial state, checked as torch checks it, [layers * directions, batch, .]."""
        self.check_input(x, None)
        batch, steps = x.shape[self._batch_axis], x.shape[1 - self._batch_axis]
        if not steps:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if hx is None:
            return self._zeros(x, batch)
        state = self._as_tuple(hx)
        wanted = 3 if batched else 2
        if any(s.dim() != wanted for s in state):
            names, given = "hx", f"{state[0].dim()}-D tensor"
            if len(state) > 1:
                names, given = "hx and cx", f"({', '.join(f'{s.dim()}-D' for s in state)}) tensors"
            kind = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(
                f"For {kind} input, {names} should also be {wanted}-D but got {given}"
            )
        state = state if batched else tuple(s.unsqueeze(1) for s in state)
        self._check_state(state, batch)
        return state

    def _zeros(self, x: Tensor, batch: int) -> States:
        return tuple(x.new_zeros(size) for size in self._state_sizes(batch))

    def _check_state(self, state: States, batch: int) -> None:
        for k, (given, size) in enumerate(zip(state, self._state_sizes(batch), strict=True)):
            name = "hidden" if len(state) == 1 else f"hidden[{k}]"
            self.check_hidden_size(given, size, f"Expected {name} size {{}}, got {{}}")

    def _state_sizes(self, batch: int) -> list[tuple[int, int, int]]:
        rows = len(self._all_weights)
        others = len(self.cell.states) - 1
        return [
            (rows, batch, self.proj_size or self.hidden_size),
            *[(rows, batch, self.hidden_size)] * others,
        ]

    def _as_tuple(self, hx: Any) -> States:
        return (hx,) if len(self.cell.states) == 1 else tuple(hx)

    def _as_torch(self, state: States) -> Any:
        return state[0] if len(self.cell.states) == 1 else state

    def _stack_shape(self) -> tuple[bool, int, float, bool, bool]:
        return self.bias, self.num_layers, self.dropout, self.training, self.bidirectional

    def _weight_list(self) -> list[Tensor]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def _named(self, row: int) -> dict[str, Tensor]:
        """One layer's weights in one direction, by their name without the layer."""
        return {name[: name.rindex("_l")]: getattr(self, name) for name in self._all_weights[row]}

    def _calls(self, batch: int) -> list[Call]:
        """See `Streaming`."""
        calls = []
        for k in range(len(self._all_weights)):
            weights = self._named(k)
            w = weights["weight_ih"]
            x = w.new_zeros(batch, 1, w.shape[1])
            calls.append(Call(self.cell, Dense(self.proj_size), x, weights, ()))
        return calls

    def _start(self, state: Any, batch: int) -> States:
        """See `Streaming`."""
        shape = (batch, 1) if self.batch_first else (1, batch)
        x = self._weight_list()[0].new_zeros(*shape, self.input_size)
        return self._initial(x, state, True)

    def _given_state(self, state: States) -> Any:
        """See `Streaming`."""
        return self._as_torch(state)

    def _call(self, x: Tensor, state: States, lengths: Tensor | None) -> Call:
        first = tuple(s[0] for s in state)
        return Call(self.cell, Dense(self.proj_size), x, self._named(0), first, lengths)


def _permuted(state: States, order: Tensor | None) -> States:
    return state if order is None else tuple(s.index_select(1, order) for s in state)
