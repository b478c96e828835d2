"""A language model's encoder under a few numbers for a whole text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .bernoulli import Dropout
from .masks import inside

if TYPE_CHECKING:
    from .language import TokenEncoder

END = 3
"""Number of the token that a language model has met before each text."""


class TransferNetwork(nn.Module):
    """Read a text as a language model does, pool what it thinks, and map that to numbers.

    Howard & Ruder, Universal Language Model Fine-tuning for Text Classification, 2018
    (https://arxiv.org/abs/1801.06146): the last step, the largest and the mean values over time
    together. A trainer may thaw the layers one after another, and let lower ones learn at lower
    rates (`layers`).

    Args:
        reader: The language model's encoder.
        outputs: Numbers for each text.
        backward: Whether the language model reads from the end.
        dropout: Rate of what is dropped before the map while training.
        middle: Place of the median among the outputs, where they are quantiles; None for logits.

    Attributes:
        share: As in `SequenceNetwork`.

    Example:
        >>> from gatewise.data.label_batches import LabelBatch
        >>> from gatewise.nn import Encoder
        >>> from gatewise.nn.language import TokenEncoder
        >>> network = TransferNetwork(TokenEncoder(50, 8, Encoder(hidden_size=16)), 3)
        >>> network(LabelBatch(torch.full((4, 5), 7), torch.tensor([5, 4, 3, 1]))).shape
        torch.Size([4, 3])
    """

    share: Tensor

    def __init__(
        self,
        reader: TokenEncoder,
        outputs: int,
        *,
        backward: bool = False,
        dropout: float = 0.0,
        middle: int | None = None,
    ) -> None:
        super().__init__()
        self.reader, self.backward, self.middle = reader, backward, middle
        self.register_buffer("share", torch.zeros(()))
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(3 * reader.output_size, outputs)

    def forward(self, batch: Any) -> Tensor:
        """Give the numbers of a batch of `gatewise.data.label_batches`, [batch, outputs]."""
        found = self.head(self.dropout(self.pooled(batch)))
        if self.training or batch.wide is None:
            return found
        if self.middle is None:
            return found + self.share * batch.wide
        return found + self.share * (batch.wide - found[:, self.middle, None])

    def pooled(self, batch: Any) -> Tensor:
        """One vector for each text, [batch, features]."""
        tokens = reversed_within(batch.x, batch.lengths) if self.backward else batch.x
        tokens = torch.cat([tokens.new_full((len(tokens), 1), END), tokens], 1)
        lengths = batch.lengths + 1
        y, _ = self.reader(tokens, lengths=lengths)
        real = inside(lengths, y.shape[1]).unsqueeze(-1)
        last = y[torch.arange(len(y), device=y.device), lengths - 1]
        largest = y.masked_fill(~real, -torch.inf).amax(1)
        mean = y.masked_fill(~real, 0).sum(1) / lengths.unsqueeze(-1)
        return torch.cat([last, largest, mean], -1)

    def layers(self) -> list[Iterable[nn.Parameter]]:
        """Embedding, each recurrent layer, map: the groups that `gatewise.train` treats apart."""
        return [*self.reader.groups(), self.head.parameters()]


def reversed_within(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Turn each row around within its length; padding stays at the end.

    Example:
        >>> reversed_within(torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([3, 2])).tolist()
        [[7, 6, 5], [9, 8, 0]]
    """
    steps = torch.arange(tokens.shape[1], device=tokens.device)
    ends = lengths.unsqueeze(1)
    return tokens.gather(1, torch.where(steps < ends, ends - 1 - steps, steps))
