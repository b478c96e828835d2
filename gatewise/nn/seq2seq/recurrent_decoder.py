"""A recurrent network that writes: step by step or taught, with attention to a memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ...compiler import Cell
from ...errors import InputError, nearest
from ..arguments import check_sizes
from ..attention.attention import Attention
from ..inputs import check_input
from ..layers.recurrent import Recurrent
from ..lengths import checked_lengths
from ..masks import zeroed
from .decoder_state import Decoded, DecoderState, gone_on, last_of, selected
from .initial_state import started

FEEDINGS = ("none", "output", "context")
"""What the recurrence is given besides its input."""


class RecurrentDecoder(nn.Module):
    """Recurrent layers that write a sequence, with attention to a memory.

    It goes from features to features: embed tokens before it, and project its output to tokens
    after it. Training gives it whole target sequences (`forward`), a search gives it one step at
    a time (`step`); both give the same numbers. With attention, an output is
    `tanh(W [context; h])` (Luong, Pham & Manning 2015, https://arxiv.org/abs/1508.04025,
    equation 5), without it h, the output of the last layer.

    `feeding` says what joins the input of the recurrence:

    - `"none"`: nothing; h looks at the memory. A whole sequence is then one call of the layers and
      one of the attention, no loop.
    - `"output"`: the last output; h looks at the memory (Luong's input feeding, section 3.3).
    - `"context"`: what the last h sees in the memory, which joins the output as well (Bahdanau,
      Cho & Bengio 2015, https://arxiv.org/abs/1409.0473, appendix A.2.2, whose output layer has
      maxout instead).

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each step's input.
        hidden_size: Units of each layer.
        num_layers: Layers.
        attention: What looks at the memory, for queries of `hidden_size` features; None for a
            decoder that is told all by its initial state.
        feeding: One of the three; only with attention.
        dropout: Rate of what is dropped between layers while training.
        learn_state: Whether the initial state is learned instead of zero.

    Attributes:
        output_size: Features of an output, `hidden_size`.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> from gatewise.nn import AdditiveAttention
        >>> decoder = RecurrentDecoder("gru", 6, 8, attention=AdditiveAttention(8, 4, 8))
        >>> state = decoder.start(torch.randn(2, 5, 4), lengths=[5, 3])
        >>> decoder(torch.randn(2, 7, 6), state).output.shape
        torch.Size([2, 7, 8])
        >>> output, state = decoder.step(torch.randn(2, 6), state)
        >>> output.shape, state.weights.shape
        (torch.Size([2, 8]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        attention: Attention | None = None,
        feeding: str = "none",
        dropout: float = 0.0,
        learn_state: bool = False,
    ) -> None:
        super().__init__()
        check_sizes({"input_size": input_size, "hidden_size": hidden_size}, dropout)
        if feeding not in FEEDINGS:
            raise InputError(
                f"feeding={feeding!r}: give one of these; {nearest(str(feeding), FEEDINGS)}"
            )
        if attention is None and feeding != "none":
            raise InputError(
                f"feeding={feeding!r} without attention: give attention=, or feeding='none'"
            )
        if attention is not None and attention.query_size != hidden_size:
            raise InputError(
                f"attention for queries of {attention.query_size} features: build it for the "
                f"decoder's hidden_size, {hidden_size}"
            )
        self.input_size = input_size
        self.output_size = hidden_size
        self.attention = attention
        self.feeding = feeding
        seen = 0 if attention is None else attention.output_size
        fed = {"none": 0, "output": hidden_size, "context": seen}[feeding]
        self.recurrent = Recurrent(
            cell, input_size + fed, hidden_size, num_layers=num_layers, dropout=dropout,
            learn_state=learn_state,
        )  # fmt: skip
        self.combine = None if attention is None else nn.Linear(seen + hidden_size, hidden_size)

    def start(
        self,
        memory: Tensor,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        state: Mapping[str, Tensor] | None = None,
    ) -> DecoderState:
        """Where a decoder begins.

        Args:
            memory: What is attended to, [batch, time, features]; without attention its batch is
                all that counts.
            lengths: Steps of each memory, [batch], from 0 to `time`.
            state: Initial states of the layers by name, [num_layers, batch, features]; one that is
                not named is zero, or learned.

        Raises:
            InputError: A shape or a name is not as above.
        """
        recurrent = started(self.recurrent, memory, state)
        steps, prepared = 0, None
        if self.attention is not None:
            steps, prepared = memory.shape[1], self.attention.prepare(memory, lengths=lengths)
        return DecoderState(
            recurrent,
            memory.new_zeros(len(memory), self.output_size),
            memory.new_zeros(len(memory), steps),
            torch.zeros(len(memory), dtype=torch.int64, device=memory.device),
            prepared,
        )

    def step(self, x: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Write one step.

        Args:
            x: Input, [batch, input].
            state: What `start`, the last step or a whole sequence gave.

        Returns:
            Output, [batch, output_size], and the new state; `state.weights` says where it looked.

        Raises:
            InputError: The input has another shape.
        """
        check_input("x", x, "[batch, input]", self.input_size)
        context, weights = None, state.weights
        if self.feeding == "context":
            context, weights = self._look(state.recurrent[0][-1], state)
            x = torch.cat([x, context], -1)
        elif self.feeding == "output":
            x = torch.cat([x, state.output], -1)
        h, recurrent = self.recurrent.step(x, state.recurrent)
        if self.attention is not None and context is None:
            context, weights = self._look(h, state)
        output = self._output(h, context)
        return output, DecoderState(recurrent, output, weights, state.at + 1, state.memory)

    def forward(
        self,
        x: Tensor,
        state: DecoderState,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> Decoded:
        """Write a whole sequence whose inputs are known (teacher forcing).

        Args:
            x: Inputs, [batch, steps, input].
            state: What `start`, a step or a whole sequence gave.
            lengths: Steps of each sequence of inputs, [batch], from 0 to `steps`.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, steps, input]", self.input_size)
        counts = None if lengths is None else checked_lengths(lengths, x)
        if self.at_once:
            return self._whole(x, state, counts)
        outputs, weights = [], []
        for t, now in enumerate(zeroed(x, counts).unbind(1)):
            _, after = self.step(now, state)
            state = after if counts is None else gone_on(counts > t, after, state)
            outputs.append(state.output)
            weights.append(state.weights)
        return Decoded(
            zeroed(_in_time(outputs, state.output), counts),
            zeroed(_in_time(weights, state.weights), counts),
            state,
        )

    @property
    def at_once(self) -> bool:
        """Whether a whole sequence is one call, as no step needs what the one before has seen."""
        return self.feeding == "none"

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """The state of these rows, for a search that drops, doubles or reorders.

        Args:
            state: Of any batch.
            rows: Places in that batch, int64, repeats allowed.
        """
        return selected(state, rows)

    def _whole(self, x: Tensor, state: DecoderState, counts: Tensor | None) -> Decoded:
        h, recurrent = self.recurrent(x, state.recurrent, lengths=counts)
        context, weights = None, h.new_zeros(*h.shape[:2], 0)
        if self.attention is not None:
            context, weights = self._look(h, state)
        output = zeroed(self._output(h, context), counts)
        weights = zeroed(weights, counts)
        steps = torch.full_like(state.at, x.shape[1]) if counts is None else counts
        after = DecoderState(
            recurrent,
            last_of(output, state.output, steps),
            last_of(weights, state.weights, steps),
            state.at + steps,
            state.memory,
        )
        return Decoded(output, weights, after)

    def _look(self, query: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        assert self.attention is not None
        assert state.memory is not None
        return self.attention.attend(query, state.memory, at=state.at)

    def _output(self, h: Tensor, context: Tensor | None) -> Tensor:
        if self.combine is None or context is None:
            return h
        return torch.tanh(self.combine(torch.cat([context, h], -1)))


def _in_time(steps: list[Tensor], like: Tensor) -> Tensor:
    """[batch, steps, ...] of what each step gave, also of none."""
    return torch.stack(steps, 1) if steps else like.unsqueeze(1)[:, :0]
