"""Causal self-attention over the last steps, for sequences and for streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError
from ..arguments import check_sizes
from ..inputs import check_input
from ..lengths import checked_lengths
from ..masks import inside, zeroed
from .heads import check_heads, join_heads, split_heads


class WindowState(NamedTuple):
    """The last steps that a window of attention has seen; of constant size.

    Attributes:
        keys: Oldest first, [batch, heads, window, features]; zero where nothing was seen yet.
        values: Like the keys.
        filled: How many of them were seen, [batch].
    """

    keys: Tensor
    values: Tensor
    filled: Tensor


class WindowedAttention(nn.Module):
    """Each step attends to itself and to the `window - 1` steps before it.

    Time and memory grow with `time * window`: queries are answered in blocks, through torch's
    `scaled_dot_product_attention` (second derivatives need its backend
    `torch.nn.attention.SDPBackend.MATH`). As in Longformer (Beltagy, Peters & Cohan 2020,
    https://arxiv.org/abs/2004.05150), here causal. It has no biases and no encoding of positions:
    put it behind a recurrent layer, whose outputs know their order.

    Args:
        input_size: Features of each step, and of the output.
        window: Steps that a step sees, itself included.
        num_heads: Heads; it divides `input_size`.

    Attributes:
        output_size: Features of the output.

    Raises:
        InputError: A size is not a whole number of at least 1, or the heads do not divide.

    Example:
        >>> import torch
        >>> attention = WindowedAttention(8, window=3, num_heads=2)
        >>> x = torch.randn(2, 5, 8)
        >>> y, state = attention(x[:, :4])
        >>> last, state = attention.step(x[:, 4], state)
        >>> torch.allclose(last, attention(x)[0][:, 4], atol=1e-6), state.keys.shape
        (True, torch.Size([2, 2, 3, 4]))
    """

    def __init__(self, input_size: int, *, window: int, num_heads: int = 1) -> None:
        super().__init__()
        check_sizes({"input_size": input_size, "window": window}, 0.0)
        check_heads(input_size, num_heads)
        self.input_size = self.output_size = input_size
        self.window = window
        self.num_heads = num_heads
        self.project = nn.Linear(input_size, 3 * input_size, bias=False)
        self.output = nn.Linear(input_size, input_size, bias=False)

    def forward(
        self,
        x: Tensor,
        state: WindowState | None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor, WindowState]:
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
        check_input("x", x, "[batch, time, input]", self.input_size, self.output.weight)
        counts = None if lengths is None else checked_lengths(lengths, x)
        before = self._initial(state, x)
        if not x.shape[1]:
            return x, before
        query, keys, values = self._projected(zeroed(x, counts))
        keys = torch.cat([before.keys, keys], 2)
        values = torch.cat([before.values, values], 2)
        y = self.output(join_heads(self._attended(query, keys, values, before.filled)))
        steps = x.shape[1] if counts is None else counts
        return zeroed(y, counts), WindowState(
            _last(keys, self.window, counts),
            _last(values, self.window, counts),
            (before.filled + steps).clamp(max=self.window),
        )

    def step(self, x: Tensor, state: WindowState | None = None) -> tuple[Tensor, WindowState]:
        """Run one time step, for streams: as `forward` on the steps so far.

        Args:
            x: Input, [batch, input].
            state: State that the last step gave; nothing at the start.

        Returns:
            Output, [batch, input], and the new state, which is no larger.

        Raises:
            InputError: The input or the state has another shape.
        """
        check_input("x", x, "[batch, input]", self.input_size, self.output.weight)
        before = self._initial(state, x)
        query, key, value = self._projected(x.unsqueeze(1))
        after = WindowState(
            torch.cat([before.keys[:, :, 1:], key], 2),
            torch.cat([before.values[:, :, 1:], value], 2),
            (before.filled + 1).clamp(max=self.window),
        )
        real = inside(after.filled, self.window).flip(1)
        heads = F.scaled_dot_product_attention(
            query, after.keys, after.values, attn_mask=real[:, None, None]
        )
        return self.output(join_heads(heads)).squeeze(1), after

    def extra_repr(self) -> str:
        """The arguments."""
        return f"{self.input_size}, window={self.window}, num_heads={self.num_heads}"

    def _projected(self, x: Tensor) -> tuple[Tensor, ...]:
        """Query, keys and values by head, [batch, heads, time, features]."""
        return tuple(split_heads(part, self.num_heads) for part in self.project(x).chunk(3, -1))

    def _attended(self, query: Tensor, keys: Tensor, values: Tensor, filled: Tensor) -> Tensor:
        """Answer queries, [batch, heads, time, features], block by block.

        Keys are those of the window before the first query, of which the last `filled` are real,
        and those of the queries' own steps.
        """
        batch, _, steps, _ = query.shape
        block, window = min(self.window, steps), self.window
        spare = -steps % block
        query, keys, values = (F.pad(part, (0, 0, 0, spare)) for part in (query, keys, values))
        # All blocks of a sequence beside each other, as a batch.
        query = query.unflatten(2, (-1, block)).transpose(1, 2).flatten(0, 1)
        keys, values = (
            part.unfold(2, window + block, block).permute(0, 2, 1, 4, 3).flatten(0, 1)
            for part in (keys, values)
        )
        place = torch.arange(window + block, device=query.device)
        ahead = place - place[:block].unsqueeze(1)
        real = torch.arange(window + steps + spare, device=query.device)
        real = (real >= (window - filled).unsqueeze(1)).unfold(1, window + block, block)
        mask = (ahead > 0) & (ahead <= window) & real.unsqueeze(2)
        heads = F.scaled_dot_product_attention(
            query, keys, values, attn_mask=mask.flatten(0, 1).unsqueeze(1)
        )
        return (
            heads.unflatten(0, (batch, (steps + spare) // block))
            .transpose(1, 2)
            .flatten(2, 3)[:, :, :steps]
        )

    def _initial(self, state: WindowState | None, x: Tensor) -> WindowState:
        shape = (x.shape[0], self.num_heads, self.window, self.input_size // self.num_heads)
        if state is None:
            filled = torch.zeros(x.shape[0], dtype=torch.int64, device=x.device)
            return WindowState(x.new_zeros(shape), x.new_zeros(shape), filled)
        if tuple(state.keys.shape) != shape:
            raise InputError(
                f"state of shape {tuple(state.keys.shape)}: give what this attention gave before "
                f"for a batch of {x.shape[0]}, of shape {shape}"
            )
        return state


def _last(x: Tensor, window: int, counts: Tensor | None) -> Tensor:
    """The window before each sequence's end, of [batch, heads, window + time, features]."""
    if counts is None:
        return x[:, :, -window:].contiguous()
    place = counts.unsqueeze(1) + torch.arange(window, device=x.device)
    return x.gather(2, place[:, None, :, None].expand(-1, x.shape[1], -1, x.shape[3]))
