"""A language model's encoder under a few numbers for a whole text, or for each of its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..masks import inside, turned
from ..regularization.bernoulli import Dropout

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
        >>> from gatewise.data.labels.batches import LabelBatch
        >>> from gatewise.nn import Encoder
        >>> from gatewise.nn.networks.language import TokenEncoder
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
        """Give the numbers of a batch of `gatewise.data.labels.batches`, [batch, outputs]."""
        found = self.head(self.dropout(self.pooled(batch)))
        if self.training or batch.wide is None:
            return found
        if self.middle is None:
            return found + self.share * batch.wide
        return found + self.share * (batch.wide - found[:, self.middle, None])

    def pooled(self, batch: Any) -> Tensor:
        """One vector for each text, [batch, features]."""
        tokens = turned(batch.x, batch.lengths) if self.backward else batch.x
        lengths = batch.lengths + 1
        y, _ = self.reader(begun(tokens), lengths=lengths)
        real = inside(lengths, y.shape[1]).unsqueeze(-1)
        last = y[torch.arange(len(y), device=y.device), lengths - 1]
        largest = y.masked_fill(~real, -torch.inf).amax(1)
        mean = y.masked_fill(~real, 0).sum(1) / lengths.unsqueeze(-1)
        return torch.cat([last, largest, mean], -1)

    def layers(self) -> list[Iterable[nn.Parameter]]:
        """Embedding, each recurrent layer, map: the groups that `gatewise.train` treats apart."""
        return [*self.reader.groups(), self.head.parameters()]


class TokenReaders(nn.Module):
    """What language models make of each token: its vector, and what they think once they read it.

    Peters et al., Semi-supervised sequence tagging with bidirectional language models, 2017
    (https://arxiv.org/abs/1705.00108), and Deep contextualized word representations, 2018
    (https://arxiv.org/abs/1802.05365).

    Args:
        readers: The models' encoders, and whether each reads from the end.

    Attributes:
        output_size: Features of a token, those of all models together.

    Example:
        >>> from gatewise.nn import Encoder
        >>> from gatewise.nn.networks.language import TokenEncoder
        >>> readers = TokenReaders([(TokenEncoder(50, 8, Encoder(hidden_size=16)), False)])
        >>> readers(torch.full((4, 5), 7), torch.tensor([5, 4, 3, 1])).shape
        torch.Size([4, 5, 24])
    """

    def __init__(self, readers: Sequence[tuple[TokenEncoder, bool]]) -> None:
        super().__init__()
        self.readers = nn.ModuleList(reader for reader, _ in readers)
        self.backward = [backward for _, backward in readers]
        self.output_size = sum(
            reader.embedding.embedding_dim + reader.output_size for reader, _ in readers
        )

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Read tokens, float [batch, time, output_size] from int64 [batch, time]."""
        found = []
        readers: list[Any] = list(self.readers)
        for reader, backward in zip(readers, self.backward, strict=True):
            read = turned(tokens, lengths) if backward else tokens
            y, _ = reader(begun(read), lengths=lengths + 1)
            y = y[:, 1:]
            found += [reader.embedding(tokens), turned(y, lengths) if backward else y]
        return torch.cat(found, -1)

    def groups(self) -> list[Iterable[nn.Parameter]]:
        """Weights from the lowest up, where the models' highest layers are beside each other."""
        readers: list[Any] = list(self.readers)
        from_above = zip_longest(*(reversed(reader.groups()) for reader in readers), fillvalue=())
        return [chain.from_iterable(group) for group in reversed([*from_above])]


def begun(tokens: Tensor) -> Tensor:
    """Put the token in front that a language model has met before each text."""
    return torch.cat([tokens.new_full((len(tokens), 1), END), tokens], 1)
