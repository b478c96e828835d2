"""A block of recurrence, windowed attention and a gated feed-forward network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from ...compiler import Cell
from ..arguments import check_sizes
from ..attention.window import WindowedAttention, WindowState
from ..inputs import check_input
from ..layers.recurrent import Recurrent
from ..lengths import checked_lengths
from ..masks import zeroed
from ..state import State

_EPS = 1e-6


class HybridState(NamedTuple):
    """What a block remembers; of constant size.

    Attributes:
        recurrent: State of the recurrent layer by name, [1, batch, hidden].
        window: The last steps that attention sees.
    """

    recurrent: State
    window: WindowState


class HybridBlock(nn.Module):
    """Recurrence for what is long ago, attention for the last steps, then a gated network.

    Each of the three reads a normalised stream and adds to it:
    `x + recurrent(norm(x))`, `x + attention(norm(x))`, `x + ffn(norm(x))`, with RMSNorm (Zhang &
    Sennrich 2019, https://arxiv.org/abs/1910.07467) and SwiGLU (Shazeer 2020,
    https://arxiv.org/abs/2002.05202): `W_o (silu(W_g x) * W_u x)`. A stream needs constant memory.

    Relatives: Griffin (De et al. 2024, https://arxiv.org/abs/2402.19427) mixes gated linear
    recurrences and local attention, two blocks to one, each followed by its own feed-forward
    network; SHA-RNN (Merity 2019, https://arxiv.org/abs/1911.11423) adds one head of attention and
    a feed-forward network to an LSTM. This block is neither.

    Args:
        cell: Equations of one step, as in `Recurrent`.
        input_size: Features of each step, and of the output.
        window: Steps that attention sees, the present one included.
        num_heads: Heads; it divides `input_size`.
        hidden_size: Units of the recurrent layer; None for as many as features.
        feedforward_size: Units of the gated network; None for 8/3 of the features, which has the
            weights of an ungated one of 4 times.
        dropout: Rate of what is dropped of each addition while training.

    Attributes:
        output_size: Features of the output, `input_size`.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> block = HybridBlock("lstm", 16, window=4, num_heads=2)
        >>> x = torch.randn(2, 9, 16)
        >>> y, state = block(x, lengths=[9, 3])
        >>> last, state = block.step(torch.randn(2, 16), state)
        >>> y.shape, last.shape, state.recurrent.c.shape
        (torch.Size([2, 9, 16]), torch.Size([2, 16]), torch.Size([1, 2, 16]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        *,
        window: int,
        num_heads: int = 1,
        hidden_size: int | None = None,
        feedforward_size: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        hidden = input_size if hidden_size is None else hidden_size
        wide = 8 * input_size // 3 if feedforward_size is None else feedforward_size
        check_sizes({"input_size": input_size, "feedforward_size": wide}, dropout)
        self.input_size = self.output_size = input_size
        self.recurrent = Recurrent(cell, input_size, hidden)
        self.mix = nn.Linear(hidden, input_size, bias=False)
        self.attention = WindowedAttention(input_size, window=window, num_heads=num_heads)
        self.gate = nn.Linear(input_size, 2 * wide, bias=False)
        self.shrink = nn.Linear(wide, input_size, bias=False)
        self.norms = nn.ModuleList(nn.RMSNorm(input_size, eps=_EPS) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        state: HybridState | None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, HybridState]:
        """Run over a whole sequence.

        Args:
            x: Input, [batch, time, input].
            state: What the steps before it left; nothing at the start.
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            Outputs, [batch, time, input], zero past a sequence's end, and the state there.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, time, input]", self.input_size)
        counts = None if lengths is None else checked_lengths(lengths, x)
        return self._run(
            zeroed(x, counts), state, lambda layer, x, own: layer(x, own, lengths=counts)
        )

    def step(self, x: Tensor, state: HybridState | None = None) -> tuple[Tensor, HybridState]:
        """Run one time step, for streams: as `forward` on the steps so far.

        Args:
            x: Input, [batch, input].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, input], and the new state, which is no larger.

        Raises:
            InputError: The input or the state has another shape.
        """
        check_input("x", x, "[batch, input]", self.input_size)
        return self._run(x, state, lambda layer, x, own: layer.step(x, own))

    def _run(
        self,
        x: Tensor,
        state: HybridState | None,
        run: Callable[[Any, Tensor, Any], tuple[Tensor, Any]],
    ) -> tuple[Tensor, HybridState]:
        before, window = (None, None) if state is None else state
        h, after = run(self.recurrent, self.norms[0](x), before)
        x = x + self.dropout(self.mix(h))
        seen, window = run(self.attention, self.norms[1](x), window)
        x = x + self.dropout(seen)
        gate, up = self.gate(self.norms[2](x)).chunk(2, -1)
        x = x + self.dropout(self.shrink(F.silu(gate) * up))
        return x, HybridState(after, window)
