"""Turns to vectors, and a conversation to a state that is carried on."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..layers.encoder import Encoder
from ..masks import inside, zeroed
from ..regularization.regularizers import LockedDropout
from ..state import State


class Read(NamedTuple):
    """What a reader makes of turns.

    Attributes:
        vectors: One of each turn, [turns, vector_size].
        memory: One of each word, [turns, words, 2 * units].
    """

    vectors: Tensor
    memory: Tensor


class TurnReader(nn.Module):
    """Recurrent layers over the words of a turn, and others over the turns of a conversation.

    The hierarchical encoder of Serban et al. 2016 (https://arxiv.org/abs/1507.04808): words are
    read in both directions, turns in one, so that what was said is a state of constant size, and
    the next turn costs the same however long the conversation is. A turn's vector is the mean and
    the maximum of its words' outputs; with it goes who said it.

    Args:
        encoder: Layers at both levels; `bidirectional` is not looked at.
        input_size: Features of a word.
        dropout: Rate of what is dropped from words, vectors and the conversation's output.

    Attributes:
        vector_size: Features of a turn.
        output_size: Features of a conversation so far.

    Example:
        >>> reader = TurnReader(Encoder(hidden_size=8), 5, 0.1)
        >>> read = reader(torch.randn(3, 4, 5), torch.tensor([4, 2, 1]))
        >>> vectors = read.vectors[torch.tensor([[0, 1], [2, 0]])]
        >>> output, state = reader.follow(vectors, torch.zeros(2, 2), torch.tensor([2, 1]))
        >>> output.shape, state.h.shape
        (torch.Size([2, 8]), torch.Size([1, 2, 8]))
    """

    def __init__(self, encoder: Encoder, input_size: int, dropout: float) -> None:
        super().__init__()
        self.words = replace(encoder, bidirectional=True).build(input_size)
        self.vector_size = 2 * self.words.output_size
        self.turns = replace(encoder, bidirectional=False).build(self.vector_size + 1)
        self.output_size = self.turns.output_size
        self.drop_words = LockedDropout(dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, words: Tensor, lengths: Tensor) -> Read:
        """Read turns, each by itself.

        Args:
            words: [turns, words, input_size].
            lengths: Words of each turn, [turns]; a turn of none is a vector of zeros.
        """
        memory, _ = self.words(self.drop_words(words), lengths=lengths)
        real = inside(lengths, words.shape[1]).unsqueeze(-1)
        count = lengths.clamp(min=1).unsqueeze(-1)
        mean = memory.sum(1) / count
        most = memory.masked_fill(~real, -torch.inf).amax(1) if words.shape[1] else mean
        most = most.masked_fill(lengths.unsqueeze(-1) == 0, 0.0)
        return Read(self.drop(torch.cat([most, mean], -1)), memory)

    def follow(
        self, vectors: Tensor, mine: Tensor, lengths: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Go on with conversations by some turns.

        Args:
            vectors: [batch, turns, vector_size].
            mine: 1 for turns of the one who replies, [batch, turns].
            lengths: Turns of each conversation, [batch], at least one.
            state: Where the conversations were.

        Returns:
            What the last turn left, [batch, output_size], and the state to go on from.
        """
        x = zeroed(torch.cat([vectors, mine.unsqueeze(-1)], -1), lengths)
        y, after = self.turns(x, state, lengths=lengths)
        last = y[torch.arange(len(y), device=y.device), lengths - 1]
        return self.drop(last), after
