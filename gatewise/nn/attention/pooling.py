"""From outputs at all steps to one vector for each sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...errors import InputError, nearest
from ..arguments import check_sizes
from ..inputs import check_input
from ..masks import all_lengths, inside, masked_softmax, zeroed

POOLINGS = ("last", "mean", "max", "attention")
"""How a sequence becomes one vector."""


class AttentionPooling(nn.Module):
    """A weighted mean of all steps, with weights that a learned query gives.

    `softmax(u . tanh(W x + b))` over time: Yang et al., Hierarchical Attention Networks for
    Document Classification, 2016 (https://aclanthology.org/N16-1174), equations 5 to 7.

    Args:
        input_size: Features of each step, and of the result.
        hidden_size: Units of the comparison; None for as many as features.

    Attributes:
        output_size: Features of the result.

    Raises:
        InputError: A size is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> pooled, weights = AttentionPooling(6)(torch.randn(2, 5, 6), lengths=[5, 1])
        >>> pooled.shape, weights[1].tolist()
        (torch.Size([2, 6]), [1.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, input_size: int, hidden_size: int | None = None) -> None:
        super().__init__()
        hidden_size = input_size if hidden_size is None else hidden_size
        check_sizes({"input_size": input_size, "hidden_size": hidden_size}, 0.0)
        self.input_size = self.output_size = input_size
        self.hidden = nn.Linear(input_size, hidden_size)
        self.query = nn.Linear(hidden_size, 1, bias=False)

    def forward(
        self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Pool over time.

        Args:
            x: [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            [batch, input], zero for a sequence of no steps, and the weights, [batch, time].

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, time, input]", self.input_size, self.query.weight)
        counts = all_lengths(lengths, x)
        x = zeroed(x, counts)
        scores = self.query(torch.tanh(self.hidden(x))).squeeze(-1)
        weights = masked_softmax(scores, inside(counts, x.shape[1]))
        return (weights.unsqueeze(1) @ x).squeeze(1), weights


class Pooling(nn.Module):
    """One vector for each sequence, by one of four names; zero for a sequence of no steps.

    `"last"` takes the last real step, `"mean"` and `"max"` go over all real steps feature by
    feature, `"attention"` is `AttentionPooling`, without its weights.

    Args:
        kind: One of the four.
        input_size: Features of each step, and of the result.
        bidirectional: Whether the second half of the features comes from a layer that reads time
            backwards and so ends at the first step: `"last"` then takes it from there.

    Attributes:
        output_size: Features of the result.

    Raises:
        InputError: There is no such name, the size is not a whole number of at least 1, or
            the features have no halves.

    Example:
        >>> import torch
        >>> x = torch.tensor([[[1.0], [5.0], [3.0]], [[2.0], [7.0], [9.0]]])
        >>> [Pooling(kind, 1)(x, lengths=[3, 1]).flatten().tolist() for kind in POOLINGS[:3]]
        [[3.0, 2.0], [3.0, 2.0], [5.0, 2.0]]
    """

    def __init__(self, kind: str, input_size: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        check_sizes({"input_size": input_size}, 0.0)
        if kind not in POOLINGS:
            raise InputError(f"kind={kind!r}: give one of these; {nearest(str(kind), POOLINGS)}")
        if bidirectional and input_size % 2:
            raise InputError(
                f"input_size={input_size} with bidirectional=True: give the features of both "
                "directions, an even number"
            )
        self.kind = kind
        self.input_size = self.output_size = input_size
        self.bidirectional = bidirectional
        self.attention = AttentionPooling(input_size) if kind == "attention" else None

    def forward(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Pool over time.

        Args:
            x: [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            [batch, input].

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        if self.attention is not None:
            return self.attention(x, lengths=lengths)[0]
        check_input("x", x, "[batch, time, input]", self.input_size)
        counts = all_lengths(lengths, x)
        x = zeroed(x, counts)
        if self.kind == "mean" or not x.shape[1]:
            return x.sum(1) / counts.clamp(min=1).unsqueeze(1)
        if self.kind == "max":
            return _largest(x, counts)
        last = x[torch.arange(len(x), device=x.device), (counts - 1).clamp(min=0)]
        if not self.bidirectional:
            return last
        half = self.input_size // 2
        return torch.cat([last[:, :half], x[:, 0, half:]], -1)

    def extra_repr(self) -> str:
        """The arguments."""
        both = ", bidirectional=True" if self.bidirectional else ""
        return f"{self.kind!r}, {self.input_size}{both}"


def _largest(x: Tensor, counts: Tensor) -> Tensor:
    outside = ~inside(counts, x.shape[1]).unsqueeze(-1)
    largest = x.masked_fill(outside, -torch.inf).amax(1)
    return largest.masked_fill((counts == 0).unsqueeze(1), 0)
