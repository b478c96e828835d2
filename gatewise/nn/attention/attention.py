"""Attention of a recurrent network: a query reads a memory of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...errors import InputError, nearest
from ..arguments import check_sizes
from ..inputs import check_input
from ..masks import all_lengths, inside, masked_softmax, zeroed


class Prepared(NamedTuple):
    """A memory that is ready to be read any number of times; batch is the first axis of all.

    Attributes:
        keys: What queries are compared with.
        values: What contexts are made of.
        real: Which steps there are, [batch, time].
    """

    keys: Tensor
    values: Tensor
    real: Tensor


class Attention(nn.Module):
    """What all attention does: a query looks at a memory and gets a weighted mean of it.

    The memory, the outputs of an encoder, is prepared once and then read at each step of a
    decoder. Steps past a memory's length have no influence, whatever they hold; a memory of
    length 0 gives a context of zeros and weights of zeros.

    An attention of your own says how a query is compared with keys in `scores`, and, where keys
    are not the memory itself, how they are made in `keys`.

    Args:
        query_size: Features of a query.
        memory_size: Features of each step of the memory.

    Attributes:
        output_size: Features of a context.

    Raises:
        InputError: A size is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> class Cosine(Attention):
        ...     def scores(self, query, keys):
        ...         return torch.cosine_similarity(query.unsqueeze(2), keys.unsqueeze(1), -1)
        >>> context, weights = Cosine(4, 4)(torch.randn(2, 4), torch.randn(2, 5, 4), lengths=[5, 1])
        >>> context.shape, weights[1].tolist()
        (torch.Size([2, 4]), [1.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        check_sizes({"query_size": query_size, "memory_size": memory_size}, 0.0)
        self.query_size = query_size
        self.memory_size = memory_size
        self.output_size = memory_size

    def forward(
        self, query: Tensor, memory: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read a memory: `attend` to what `prepare` makes of it.

        Args:
            query: [batch, query_size], or several at once, [batch, steps, query_size].
            memory: [batch, time, memory_size].
            lengths: Steps of each memory, [batch], from 0 to `time`.

        Returns:
            The context, [batch, (steps,) output_size], and the weights that made it, [batch,
            (steps,) time].

        Raises:
            InputError: A shape is not as above.
        """
        return self.attend(query, self.prepare(memory, lengths=lengths))

    def prepare(self, memory: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Prepared:
        """Do once what does not depend on the query.

        Args:
            memory: [batch, time, memory_size].
            lengths: Steps of each memory, [batch], from 0 to `time`.

        Raises:
            InputError: A shape is not as above.
        """
        weight = next(self.parameters(), None)
        check_input("memory", memory, "[batch, time, features]", self.memory_size, weight)
        if lengths is None:
            real = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        else:
            counts = all_lengths(lengths, memory)
            memory, real = zeroed(memory, counts), inside(counts, memory.shape[1])
        return Prepared(self.keys(memory), self.values(memory), real)

    def attend(
        self, query: Tensor, prepared: Prepared, *, at: Tensor | int = 0
    ) -> tuple[Tensor, Tensor]:
        """Read a prepared memory.

        Args:
            query: [batch, query_size], or several at once, [batch, steps, query_size]; finite.
            prepared: What `prepare` gave.
            at: Steps that came before the first query, for all or [batch]. Only monotonic local
                attention looks at it.

        Returns:
            As `forward`.

        Raises:
            InputError: The query has another shape or batch.
        """
        many = self._many(query, prepared)
        context, weights = self._read(many, prepared, at)
        return (context, weights) if many is query else (context.squeeze(1), weights.squeeze(1))

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with, of a memory that is zero past its end."""
        return memory

    def values(self, memory: Tensor) -> Tensor:
        """What contexts are made of."""
        return memory

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Compare each query, [batch, steps, .], with each key: [batch, steps, time]."""
        raise NotImplementedError(f"{type(self).__name__} says no scores")

    def _read(self, query: Tensor, prepared: Prepared, at: Tensor | int) -> tuple[Tensor, Tensor]:
        weights = masked_softmax(self.scores(query, prepared.keys), prepared.real.unsqueeze(1))
        return weights @ prepared.values, weights

    def _many(self, query: Tensor, prepared: Prepared) -> Tensor:
        """Queries with an axis of steps."""
        axes = "[batch, query]" if query.dim() == 2 else "[batch, steps, query]"
        check_input("query", query, axes, self.query_size, prepared.values)
        batch = prepared.real.shape[0]
        if query.shape[0] != batch:
            raise InputError(
                f"query of shape {tuple(query.shape)}: give one for each of the {batch} memories"
            )
        return query.unsqueeze(1) if query.dim() == 2 else query


class AdditiveAttention(Attention):
    """Attention whose scores are a small network of query and key.

    `v . tanh(W query + U memory + b)`: Bahdanau, Cho & Bengio, Neural Machine Translation by
    Jointly Learning to Align and Translate, 2015 (https://arxiv.org/abs/1409.0473), appendix
    A.1.2. It holds [batch, steps, time, hidden_size] numbers while all steps of a decoder are
    read at once.

    Args:
        query_size: Features of a query.
        memory_size: Features of each step of the memory.
        hidden_size: Units of the network.

    Raises:
        InputError: A size is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> attention = AdditiveAttention(4, 6, 8)
        >>> memory = attention.prepare(torch.randn(2, 5, 6), lengths=[5, 3])
        >>> context, weights = attention.attend(torch.randn(2, 4), memory)
        >>> context.shape, weights.shape
        (torch.Size([2, 6]), torch.Size([2, 5]))
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__(query_size, memory_size)
        check_sizes({"hidden_size": hidden_size}, 0.0)
        self.query = nn.Linear(query_size, hidden_size)
        self.key = nn.Linear(memory_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """`U memory`."""
        return self.key(memory)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """`v . tanh(W query + key + b)`."""
        hidden = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))
        return self.score(hidden).squeeze(-1)


SCORES = ("dot", "general", "concat")
"""How multiplicative attention compares."""


class MultiplicativeAttention(Attention):
    """Global attention with one of three scores.

    Luong, Pham & Manning, Effective Approaches to Attention-based Neural Machine Translation,
    2015 (https://arxiv.org/abs/1508.04025), section 3.1. With memory `m` and query `q`:
    `"dot"` is `q . m`; `"general"` is `q . W m`; `"concat"` is `v . tanh(W [q; m])`, with as many
    units as the query has features.

    Args:
        query_size: Features of a query.
        memory_size: Features of each step of the memory; those of the query for `"dot"`.
        score: One of the three.

    Raises:
        InputError: A size is not a whole number of at least 1, there is no such score, or `"dot"`
            is to compare unequal sizes.

    Example:
        >>> import torch
        >>> attention = MultiplicativeAttention(4, 6, score="general")
        >>> context, weights = attention(torch.randn(2, 3, 4), torch.randn(2, 5, 6))
        >>> context.shape, weights.shape
        (torch.Size([2, 3, 6]), torch.Size([2, 3, 5]))
    """

    def __init__(self, query_size: int, memory_size: int, *, score: str = "general") -> None:
        super().__init__(query_size, memory_size)
        if score not in SCORES:
            raise InputError(f"score={score!r}: give one of these; {nearest(str(score), SCORES)}")
        if score == "dot" and query_size != memory_size:
            raise InputError(
                f"score='dot' with query_size={query_size} and memory_size={memory_size}: give "
                "equal sizes, or score='general'"
            )
        self.score = score
        if score != "dot":
            self.key = nn.Linear(memory_size, query_size, bias=False)
        if score == "concat":
            self.query = nn.Linear(query_size, query_size, bias=False)
            self.vector = nn.Linear(query_size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """The memory, or what the weights make of it."""
        return memory if self.score == "dot" else self.key(memory)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """The score of the name."""
        if self.score != "concat":
            return query @ keys.transpose(1, 2)
        hidden = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))
        return self.vector(hidden).squeeze(-1)
