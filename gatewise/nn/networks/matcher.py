"""Which reply fits a conversation: scores of all candidates at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.encoder import Encoder
from ..state import State
from .turn_reader import TurnReader

SHAPES = 7
"""Shapes of words (`gatewise.data.dialogue.word_forms`), that of padding included."""

START_SCALE = 5.0
"""Weight of the cosine before training."""

START_SHARED = (1.0, 8.0, 2.0, 3.0)
"""Weights of what a reply shares with the last turn, by words and by pieces, and with the turns
before it: those of a regression without a network (docs/log.md), for sharing words is trusted from
the start."""


class Asked(NamedTuple):
    """A conversation as replies are matched with it.

    Attributes:
        query: [batch, size], of length 1.
        state: Where the conversation is.
    """

    query: Tensor
    state: State


class Matcher(nn.Module):
    """Two readers that meet: the conversation and the reply, each to a vector, and their cosine.

    The dual encoder of Lowe et al. 2015 (https://aclanthology.org/W15-4640), with one reader for
    both sides. To the cosine comes what the reply shares with the last turn and with those before
    it (TF-IDF cosines of words and of their pieces) and how good a reply is whatever was said, each
    with a learned weight. Words are read as forms and shapes only, so names are matched by what is
    shared, and ways of asking and answering by the recurrent layers.

    Args:
        encoder: Layers of the reader.
        forms: Different forms of words.
        embedding: Features of a form.
        size: Features of the vectors that meet.
        dropout: Rate of what is dropped.

    Example:
        >>> matcher = Matcher(Encoder(hidden_size=8), forms=9, embedding=6, size=4, dropout=0.1)
        >>> words = torch.ones(3, 4, dtype=torch.long)
        >>> vectors = matcher.read(words, words, torch.tensor([4, 2, 3]))
        >>> asked = matcher.ask(vectors[:1].unsqueeze(1), torch.zeros(1, 1), torch.tensor([1]))
        >>> matcher(asked.query, vectors, torch.zeros(1, 3, 4)).shape
        torch.Size([1, 3])
    """

    def __init__(
        self, encoder: Encoder, forms: int, *, embedding: int, size: int, dropout: float
    ) -> None:
        super().__init__()
        self.forms = nn.Embedding(forms, embedding, padding_idx=0)
        self.shapes = nn.Embedding(SHAPES, embedding, padding_idx=0)
        self.reader = TurnReader(encoder, embedding, dropout)
        vector = self.reader.vector_size
        self.question = nn.Linear(vector + self.reader.output_size, size)
        self.answer = nn.Linear(vector, size)
        self.prior = nn.Linear(vector, 1)
        self.scale = nn.Parameter(torch.tensor(START_SCALE))
        # What softplus makes the weights of.
        self.shared = nn.Parameter(torch.tensor(START_SHARED).expm1().log())

    def read(self, forms: Tensor, shapes: Tensor, lengths: Tensor) -> Tensor:
        """Vectors of turns, [turns, vector], from their words, int64 [turns, words]."""
        return self.reader(self.forms(forms) + self.shapes(shapes), lengths).vectors

    def ask(
        self, vectors: Tensor, mine: Tensor, lengths: Tensor, state: State | None = None
    ) -> Asked:
        """Go on with conversations: arguments as `TurnReader.follow`."""
        output, state = self.reader.follow(vectors, mine, lengths, state)
        last = vectors[torch.arange(len(vectors), device=vectors.device), lengths - 1]
        query = self.question(torch.cat([last, output], -1))
        return Asked(functional.normalize(query, dim=-1), state)

    def forward(
        self, query: Tensor, replies: Tensor, overlap: Tensor, trust: Tensor | None = None
    ) -> Tensor:
        """Score replies; the softmax over them is the chance of each to be the right one.

        Trained to tell the right reply from others, the score is the pointwise mutual information
        of conversation and reply, but for a constant (van den Oord, Li & Vinyals 2018,
        https://arxiv.org/abs/1807.03748, section 2.3).

        Args:
            query: What `ask` gave, [batch, size].
            replies: What `read` gave, [candidates, vector].
            overlap: What they share, [batch, candidates, 4].
            trust: How much what was learned by reading counts for each conversation beside what
                is shared, from 0 to 1, [batch]; 1 when left out.

        Returns:
            [batch, candidates].
        """
        meet = query @ functional.normalize(self.answer(replies), dim=-1).T
        shared = (functional.softplus(self.shared) * overlap).sum(-1)
        read = self.scale * meet + self.prior(replies).squeeze(-1)
        return shared + (read if trust is None else trust.unsqueeze(-1) * read)


class Matchers(nn.Module):
    """Several matchers that learn apart and judge together, by the mean of their scores.

    What a matcher learns of little data beyond words in common is much noise, which differs from
    one to the next. Arguments are those of a matcher; what is given and returned has the members
    in front: vectors [members, turns, vector], queries [members, batch, size].

    Args:
        members: The matchers.

    Example:
        >>> members = [Matcher(Encoder(hidden_size=8), 9, embedding=6, size=4, dropout=0.1)] * 2
        >>> words = torch.ones(3, 4, dtype=torch.long)
        >>> Matchers(members).read(words, words, torch.tensor([4, 2, 3])).shape
        torch.Size([2, 3, 32])
    """

    def __init__(self, members: Sequence[Matcher]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def read(self, forms: Tensor, shapes: Tensor, lengths: Tensor) -> Tensor:
        """Vectors of turns: `Matcher.read`."""
        return torch.stack([member.read(forms, shapes, lengths) for member in self._each()])

    def ask(
        self, vectors: Tensor, mine: Tensor, lengths: Tensor, states: Sequence[State] | None = None
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Go on with conversations, [members, batch, turns, vector]: `Matcher.ask`.

        Returns:
            Queries, and the states to go on from.
        """
        asked = [
            member.ask(own, mine, lengths, states[place] if states else None)
            for place, (member, own) in enumerate(zip(self._each(), vectors, strict=True))
        ]
        return torch.stack([a.query for a in asked]), tuple(a.state for a in asked)

    def forward(
        self, queries: Tensor, replies: Tensor, overlap: Tensor, trust: Tensor | None = None
    ) -> Tensor:
        """Scores, [members, batch, candidates]: `Matcher.forward`."""
        parts = zip(self._each(), queries, replies, strict=True)
        return torch.stack([member(query, own, overlap, trust) for member, query, own in parts])

    def _each(self) -> Iterator[Matcher]:
        return (cast("Matcher", member) for member in self.members)
