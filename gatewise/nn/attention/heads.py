"""Scaled dot-product attention with several heads."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError
from ..arguments import check_sizes
from ..masks import masked_softmax
from .attention import Attention, Prepared


class MultiHeadAttention(Attention):
    """Attention with several heads, each comparing in its own projection.

    Vaswani et al., Attention Is All You Need, 2017 (https://arxiv.org/abs/1706.03762), section
    3.2.2, with no biases. Where the weights are not wanted, `context` leaves the work to torch's
    `scaled_dot_product_attention`, which need not hold them (second derivatives need its backend
    `torch.nn.attention.SDPBackend.MATH`, or `attend`).

    Args:
        query_size: Features of a query.
        memory_size: Features of each step of the memory.
        hidden_size: Features of all heads together, and of a context.
        num_heads: Heads; it divides `hidden_size`.

    Raises:
        InputError: A size is not a whole number of at least 1, or the heads do not divide.

    Example:
        >>> import torch
        >>> attention = MultiHeadAttention(8, 8, 16, 4)
        >>> y = torch.randn(2, 5, 8)
        >>> context, weights = attention(y, y, lengths=[5, 2])
        >>> context.shape, weights.shape
        (torch.Size([2, 5, 16]), torch.Size([2, 5, 5]))
        >>> torch.allclose(attention.context(y, attention.prepare(y, lengths=[5, 2])), context)
        True
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int, num_heads: int) -> None:
        super().__init__(query_size, memory_size)
        check_heads(hidden_size, num_heads)
        self.output_size = hidden_size
        self.num_heads = num_heads
        self.query = nn.Linear(query_size, hidden_size, bias=False)
        self.key = nn.Linear(memory_size, hidden_size, bias=False)
        self.value = nn.Linear(memory_size, hidden_size, bias=False)
        self.output = nn.Linear(hidden_size, hidden_size, bias=False)

    def context(self, query: Tensor, prepared: Prepared) -> Tensor:
        """As `attend`, the context alone: faster, and in less memory.

        Args:
            query: [batch, query_size] or [batch, steps, query_size].
            prepared: What `prepare` gave.

        Raises:
            InputError: The query has another shape or batch.
        """
        many = self._many(query, prepared)
        # Where nothing is real, the mean of all values is taken: they are zero.
        seen = prepared.real | ~prepared.real.any(1, keepdim=True)
        heads = F.scaled_dot_product_attention(
            split_heads(self.query(many), self.num_heads),
            prepared.keys,
            prepared.values,
            attn_mask=seen[:, None, None],
        )
        context = self.output(join_heads(heads))
        return context if many is query else context.squeeze(1)

    def keys(self, memory: Tensor) -> Tensor:
        """The keys of each head, [batch, heads, time, features]."""
        return split_heads(self.key(memory), self.num_heads)

    def values(self, memory: Tensor) -> Tensor:
        """The values of each head, [batch, heads, time, features]."""
        return split_heads(self.value(memory), self.num_heads)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Scaled products by head, [batch, heads, steps, time]."""
        heads = split_heads(self.query(query), self.num_heads)
        return heads @ keys.transpose(2, 3) / heads.shape[-1] ** 0.5

    def _read(self, query: Tensor, prepared: Prepared, at: Tensor | int) -> tuple[Tensor, Tensor]:
        """Contexts, and the mean of the heads' weights."""
        weights = masked_softmax(self.scores(query, prepared.keys), prepared.real[:, None, None])
        return self.output(join_heads(weights @ prepared.values)), weights.mean(1)


def check_heads(hidden_size: int, num_heads: int) -> None:
    """Refuse heads that do not share the features evenly.

    Raises:
        InputError: A size is not a whole number of at least 1, or the heads do not divide.
    """
    check_sizes({"hidden_size": hidden_size, "num_heads": num_heads}, 0.0)
    if hidden_size % num_heads:
        raise InputError(
            f"num_heads={num_heads}: give a number that divides the {hidden_size} features"
        )


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """[batch, time, features] to [batch, heads, time, features of a head]."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Undo `split_heads`."""
    return x.transpose(1, 2).flatten(2)
