"""The network of a dialogue: it scores replies that are given, and writes others."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention.attention import MultiplicativeAttention
from ..layers.encoder import Encoder
from ..masks import inside
from ..regularization.regularizers import LockedDropout
from ..seq2seq.decoder_state import DecoderState
from ..seq2seq.initial_state import InitialState
from ..seq2seq.recurrent_decoder import RecurrentDecoder
from ..state import State
from .matcher import Matcher, Matchers
from .turn_reader import TurnReader


class DialogueOutput(NamedTuple):
    """What the network makes of a batch whose replies are known.

    Attributes:
        scores: Of each candidate for each conversation, [matchers, batch, candidates].
        logits: Of every token of the replies, one after the other, [tokens, vocabulary].
    """

    scores: Tensor
    logits: Tensor


class Conversation(NamedTuple):
    """Where conversations are: all that is known of what was said, in constant memory.

    Attributes:
        query: What replies are matched with, [matchers, batch, size].
        matching: States of the readers that match.
        writing: State of the reader that writes.
        start: Where the decoder begins.
    """

    query: Tensor
    matching: tuple[State, ...]
    writing: State
    start: DecoderState


class DialogueNetwork(nn.Module):
    """Matchers and a writer, each with a hierarchical reader of its own.

    The writer is the hierarchical encoder-decoder of Serban et al. 2016
    (https://arxiv.org/abs/1507.04808) with attention to the words of the last turn (Luong, Pham
    & Manning 2015, https://arxiv.org/abs/1508.04025) and tied output (Press & Wolf 2017,
    https://arxiv.org/abs/1608.05859); the matchers are dual encoders (`Matcher`), smaller, for
    they have to judge what was never seen. It can be stepped by a search
    (`gatewise.decoders.contract.Steppable`).

    Args:
        encoder: Layers of the writer.
        tokens: Size of its vocabulary.
        forms: Different forms of words of the matchers.
        embedding: Features of a token.
        matching: Units of a matcher's layers.
        matchers: How many there are.
        dropout: Rates of what is dropped in the writer and in the matchers.

    Example:
        >>> network = DialogueNetwork(Encoder(hidden_size=8), tokens=12, forms=9, embedding=6)
        >>> sum(weight.numel() for weight in network.matchers.parameters()) > 0
        True
    """

    def __init__(
        self,
        encoder: Encoder,
        tokens: int,
        forms: int,
        *,
        embedding: int = 128,
        matching: int = 48,
        matchers: int = 4,
        dropout: tuple[float, float] = (0.3, 0.5),
    ) -> None:
        super().__init__()
        own = Encoder(cell=encoder.cell, hidden_size=matching, dropout=0.0)
        self.matchers = Matchers(
            [
                Matcher(own, forms, embedding=64, size=64, dropout=dropout[1])
                for _ in range(matchers)
            ]
        )
        self.tokens = nn.Embedding(tokens, embedding)
        nn.init.normal_(self.tokens.weight, std=embedding**-0.5)
        self.reader = TurnReader(encoder, embedding, dropout[0])
        units, memory = encoder.hidden_size, self.reader.words.output_size
        self.decoder = RecurrentDecoder(
            encoder.cell,
            embedding,
            units,
            num_layers=encoder.num_layers,
            attention=MultiplicativeAttention(units, memory),
            dropout=encoder.dropout,
        )
        self.initial = InitialState(self.reader.output_size, self.decoder.recurrent)
        self.drop = LockedDropout(dropout[0])
        self.narrow = nn.Linear(units, embedding)
        self.bias = nn.Parameter(torch.zeros(tokens))

    def forward(self, batch: Any) -> DialogueOutput:
        """Score the replies of a batch, and write them token by token.

        Args:
            batch: A `gatewise.data.dialogue.sets.DialogueBatch` with replies.
        """
        vectors, query, _ = self._matched(batch, None)
        scores = self.matchers(query, vectors[:, batch.replies], batch.overlap)
        _, start = self._written(batch, None)
        decoded = self.decoder(self.drop(self.tokens(batch.given)), start)
        real = inside(batch.answer_lengths, batch.given.shape[1])
        return DialogueOutput(scores, self.logits(self.drop(decoded.output)[real]))

    def hear(self, batch: Any, before: Conversation | None = None) -> Conversation:
        """Go on with conversations by the turns of a batch.

        Args:
            batch: A `DialogueBatch`; its replies are not looked at.
            before: Where the conversations were; None at their beginning.
        """
        _, query, matching = self._matched(batch, before.matching if before else None)
        writing, start = self._written(batch, before.writing if before else None)
        return Conversation(query, matching, writing, start)

    def match(self, batch: Any, query: Tensor, trust: Tensor | None = None) -> Tensor:
        """Score the candidates of a batch for conversations that were heard.

        Args:
            batch: Has `turns`, `replies` and `overlap` [batch, candidates, 4].
            query: `Conversation.query`, [matchers, batch, size].
            trust: As of `Matcher.forward`, [batch].

        Returns:
            The mean over the matchers, [batch, candidates].
        """
        turns = batch.turns
        vectors = self.matchers.read(turns.forms, turns.shapes, turns.words)
        return self.matchers(query, vectors[:, batch.replies], batch.overlap, trust).mean(0)

    def likelihood(
        self, start: DecoderState, given: Tensor, answers: Tensor, lengths: Tensor
    ) -> Tensor:
        """Mean logarithm of the probability of each reply's tokens, [batch].

        Args:
            start: Where replies begin.
            given: Tokens one step late, [batch, steps].
            answers: Tokens with the end, [batch, steps].
            lengths: Tokens of each, [batch].
        """
        decoded = self.decoder(self.drop(self.tokens(given)), start)
        chances = self.logits(decoded.output).log_softmax(-1)
        each = chances.gather(-1, answers.unsqueeze(-1)).squeeze(-1)
        return (each * inside(lengths, given.shape[1])).sum(1) / lengths

    def start(self, batch: Any) -> DecoderState:
        """Where replies begin: of a `DialogueBatch`, or of a `Conversation` as its `where`."""
        where = getattr(batch, "where", None)
        return where.start if where is not None else self._written(batch, None)[1]

    def step(self, token: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Take one token per row, [rows]; logits of the next, [rows, vocabulary], and the state."""
        output, state = self.decoder.step(self.drop(self.tokens(token).unsqueeze(1))[:, 0], state)
        return self.logits(output), state

    def select(self, state: DecoderState, rows: Tensor) -> DecoderState:
        """The state of these rows, in this order, repeats allowed."""
        return self.decoder.select(state, rows)

    def looked(self, state: DecoderState) -> Tensor:
        """Where the last step looked in the last turn, [rows, words]."""
        return state.weights

    def logits(self, output: Tensor) -> Tensor:
        """Of the decoder's outputs, [..., units], those of tokens, [..., vocabulary]."""
        return functional.linear(self.narrow(output), self.tokens.weight, self.bias)

    def _matched(
        self, batch: Any, states: tuple[State, ...] | None
    ) -> tuple[Tensor, Tensor, tuple[State, ...]]:
        turns = batch.turns
        vectors = self.matchers.read(turns.forms, turns.shapes, turns.words)
        heard = vectors[:, batch.context]
        return vectors, *self.matchers.ask(heard, batch.mine, batch.context_lengths, states)

    def _written(self, batch: Any, state: State | None) -> tuple[State, DecoderState]:
        tokens, counts = batch.turns.tokens[: batch.heard], batch.turns.lengths[: batch.heard]
        read = self.reader(self.tokens(tokens), counts)
        vectors = read.vectors[batch.context]
        output, state = self.reader.follow(vectors, batch.mine, batch.context_lengths, state)
        rows = torch.arange(len(output), device=output.device)
        last = batch.context[rows, batch.context_lengths - 1]
        memory, start = read.memory[last], self.initial(output)
        return state, self.decoder.start(memory, lengths=counts[last], state=start)
