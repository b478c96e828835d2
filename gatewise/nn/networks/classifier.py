"""One vector of numbers for each sequence: read it, pool it over time, map it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from ...compiler import Cell
from ..attention.pooling import Pooling
from ..layers.given import GAP, names
from ..masks import inside
from .masked_convolution import FullyConvolutional

if TYPE_CHECKING:
    from ..layers.encoder import Encoder

Architecture = Literal["lstm", "lstm_fcn"]

UNKNOWN = 1
"""Number of a token that has no entry, in every vocabulary."""


class Reader(nn.Module):
    """Numbers with noise, or tokens as vectors: what the recurrent layer reads.

    Args:
        features: Features of each step; None for tokens.
        vocabulary: Tokens there are; None for numbers.
        embedding_size: Features of a token.
        input_noise: Standard deviation of what is added to numbers while training.
        word_dropout: Rate of tokens that are read as unknown while training (Iyyer et al. 2015,
            https://aclanthology.org/P15-1162), so that the unknown gets a vector, too.
        dropout: Rate of a token's features that are dropped while training.
    """

    def __init__(
        self,
        features: int | None,
        vocabulary: int | None,
        *,
        embedding_size: int = 128,
        input_noise: float = 0.0,
        word_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_noise, self.word_dropout = input_noise, word_dropout
        self.embedding: nn.Embedding | None = None
        self.dropout = nn.Dropout(dropout)
        if vocabulary is not None:
            self.embedding = nn.Embedding(vocabulary, embedding_size, padding_idx=0)
            nn.init.normal_(self.embedding.weight, std=0.3)
            with torch.no_grad():
                self.embedding.weight[0] = 0
        self.output_size = embedding_size if vocabulary is not None else features or 0

    def forward(self, x: Tensor) -> Tensor:
        """Read numbers [batch, time, features] or tokens [batch, time]."""
        if self.embedding is None:
            if self.training and self.input_noise:
                x = x + self.input_noise * torch.randn_like(x)
            return x
        if self.training and self.word_dropout:
            dropped = torch.rand(x.shape, device=x.device) < self.word_dropout
            x = x.masked_fill(dropped & (x > UNKNOWN), UNKNOWN)
        return self.dropout(self.embedding(x))


class SequenceNetwork(nn.Module):
    """Recurrent layers over a sequence, pooled over its true length, and a linear map.

    With `architecture="lstm_fcn"`, convolutional blocks read the input beside the recurrent
    layers, and both results are mapped together.

    Args:
        encoder: The recurrent layers.
        outputs: Numbers for each sequence.
        reader: What they read.
        pooling: How steps become one vector: "last", "mean", "max" or "attention".
        architecture: "lstm" or "lstm_fcn".
        dropout: Rate of what is dropped before the map while training.
        middle: Place of the median among the outputs, where they are quantiles; None for logits.
        skip: Whether the mean and the deviation of the input over time are mapped, too, so that
            the network begins where a linear model ends (Cheng et al. 2016, Wide & deep learning,
            https://arxiv.org/abs/1606.07792).

    Attributes:
        share: Weight of what a linear model says beside it, once it is trained: added to logits;
            mixed with the median of quantiles, which all move. It is zero until a decoder learns it
            on what is held out.

    Example:
        >>> from gatewise.data.labels.batches import LabelBatch
        >>> from gatewise.nn import Encoder
        >>> network = SequenceNetwork(Encoder(hidden_size=8), 3, Reader(2, None))
        >>> network(LabelBatch(torch.randn(4, 5, 2), torch.tensor([5, 4, 3, 1]))).shape
        torch.Size([4, 3])
    """

    share: Tensor

    def __init__(
        self,
        encoder: Encoder,
        outputs: int,
        reader: Reader,
        *,
        pooling: str = "mean",
        architecture: Architecture = "lstm",
        dropout: float = 0.0,
        middle: int | None = None,
        skip: bool = True,
    ) -> None:
        super().__init__()
        self.reader, self.middle = reader, middle
        self.register_buffer("share", torch.zeros(()))
        self.recurrent = encoder.build(reader.output_size)
        size = encoder.output_size
        self.pooling = Pooling(pooling, size, bidirectional=encoder.bidirectional)
        self.blocks: FullyConvolutional | None = None
        if architecture == "lstm_fcn":
            self.blocks = FullyConvolutional(reader.output_size)
            self.mean = Pooling("mean", self.blocks.output_size)
            size += self.blocks.output_size
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(size, outputs)
        self.skip = nn.Linear(2 * reader.output_size, outputs, bias=False) if skip else None
        self._gaps = takes_gaps(encoder.cell)

    def forward(self, batch: Any) -> Tensor:
        """Give the numbers of a batch of `gatewise.data.labels.batches`, [batch, outputs]."""
        x = self.reader(batch.x)
        found = self.head(self.dropout(self._pooled(x, batch)))
        if self.skip is not None:
            found = found + self.skip(moments(x, batch.lengths))
        if self.training or batch.wide is None:
            return found
        if self.middle is None:
            return found + self.share * batch.wide
        return found + self.share * (batch.wide - found[:, self.middle, None])

    def pooled(self, batch: Any) -> Tensor:
        """One vector for each sequence, [batch, features]."""
        return self._pooled(self.reader(batch.x), batch)

    def _pooled(self, x: Tensor, batch: Any) -> Tensor:
        lengths = batch.lengths
        given = {GAP: batch.gaps} if self._gaps and batch.gaps is not None else None
        y, _ = self.recurrent(x, lengths=lengths, given=given)
        found = self.pooling(y, lengths=lengths)
        if self.blocks is None:
            return found
        convolved = self.mean(self.blocks(x, lengths=lengths), lengths=lengths)
        return torch.cat([found, convolved], -1)


def moments(x: Tensor, lengths: Tensor) -> Tensor:
    """Mean and deviation of each feature over the real steps.

    Args:
        x: [batch, time, features].
        lengths: Steps of each, [batch].

    Returns:
        [batch, 2 * features].

    Example:
        >>> moments(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2])).tolist()
        [[2.0, 1.0]]
    """
    count = lengths.clamp(min=1).unsqueeze(-1)
    real = inside(lengths, x.shape[1]).unsqueeze(-1)
    mean = x.masked_fill(~real, 0).sum(1) / count
    apart = (x - mean.unsqueeze(1)).masked_fill(~real, 0)
    # A deviation of zero has no gradient.
    return torch.cat([mean, (apart.square().sum(1) / count + 1e-12).sqrt()], -1)


def takes_gaps(cell: str | Cell) -> bool:
    """Whether a cell's equations take the time that passed since the step before.

    Example:
        >>> takes_gaps("time_aware_lstm"), takes_gaps("lstm")
        (True, False)
    """
    from ..arguments import checked_cell

    return GAP in names(checked_cell(cell))
