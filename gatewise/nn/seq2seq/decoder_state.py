"""Where a decoder stands, and what it makes of a sequence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..attention.attention import Prepared
from ..state import State


class DecoderState(NamedTuple):
    """Where a decoder stands.

    Attributes:
        recurrent: State of the layers by name, [num_layers, batch, features].
        output: The last output, [batch, output_size]; zero at the start.
        weights: Where the last step looked, [batch, time]; zero at the start, and
            [batch, 0] without attention.
        at: Steps so far, [batch].
        memory: What is attended to; None without attention.
    """

    recurrent: State
    output: Tensor
    weights: Tensor
    at: Tensor
    memory: Prepared | None


class Decoded(NamedTuple):
    """What a decoder makes of a whole sequence.

    Attributes:
        output: [batch, steps, output_size], zero past a sequence's end.
        weights: Where each step looked, [batch, steps, time], zero past a sequence's end;
            [batch, steps, 0] without attention.
        state: Where each sequence has ended.
    """

    output: Tensor
    weights: Tensor
    state: DecoderState


def selected(state: DecoderState, rows: Tensor) -> DecoderState:
    """The state of these rows of the batch, in this order, repeats allowed."""
    memory = state.memory
    return DecoderState(
        _like(state.recurrent, (part.index_select(1, rows) for part in state.recurrent)),
        state.output.index_select(0, rows),
        state.weights.index_select(0, rows),
        state.at.index_select(0, rows),
        None if memory is None else Prepared(*(part.index_select(0, rows) for part in memory)),
    )


def gone_on(going: Tensor, after: DecoderState, before: DecoderState) -> DecoderState:
    """The state after a step for sequences that go on, [batch], and before it for the others."""
    column = going.unsqueeze(-1)
    pairs = zip(after.recurrent, before.recurrent, strict=True)
    return DecoderState(
        _like(before.recurrent, (torch.where(column, new, old) for new, old in pairs)),
        torch.where(column, after.output, before.output),
        torch.where(column, after.weights, before.weights),
        torch.where(going, after.at, before.at),
        _memory_of(going, after.memory, before.memory),
    )


def last_of(x: Tensor, before: Tensor, steps: Tensor) -> Tensor:
    """The last real step of each sequence; what was before it, where there is none.

    Args:
        x: [batch, time, features].
        before: [batch, features].
        steps: Steps of each sequence, [batch].
    """
    x = torch.cat([before.unsqueeze(1), x], 1)
    return x[torch.arange(len(x), device=x.device), steps]


def _memory_of(going: Tensor, after: Prepared | None, before: Prepared | None) -> Prepared | None:
    if after is None or before is None or after.keys is before.keys:
        return before
    return before._replace(keys=torch.where(going.view(-1, 1, 1), after.keys, before.keys))


def _like(state: State, parts: Iterable[Tensor]) -> State:
    kind: Any = type(state)
    return kind(*parts)
