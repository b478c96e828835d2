"""The network of a translator: tokens in, tokens out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention.attention import AdditiveAttention, Attention, MultiplicativeAttention
from ..layers.encoder import Encoder
from ..layers.recurrent import Recurrent
from ..masks import inside
from ..regularization.regularizers import LockedDropout
from ..seq2seq.coverage import CoverageDecoder
from ..seq2seq.decoder_state import DecoderState
from ..seq2seq.encoder_decoder import EncoderDecoder
from ..seq2seq.recurrent_decoder import RecurrentDecoder
from ..seq2seq.sampled_inputs import SampledInputs
from ..state import State
from .writer import Writer


class Translated(NamedTuple):
    """What the network makes of a batch whose targets are known.

    Attributes:
        logits: Of every real target token, one sentence after another, [tokens, vocabulary].
        weights: Where each step looked, [batch, steps, time]; [batch, steps, 0] without attention.
    """

    logits: Tensor
    weights: Tensor


class Writing(NamedTuple):
    """Where the network stands within its translations.

    Attributes:
        decoder: State of the decoder that looks at the source.
        above: State of the layer above the attention; None where there is none.
    """

    decoder: DecoderState
    above: State | None


class TranslationNetwork(nn.Module):
    """Embeddings, an encoder, a decoder with attention, and logits of target tokens.

    Sutskever, Vinyals & Le 2014 (https://arxiv.org/abs/1409.3215); Bahdanau, Cho & Bengio 2015
    (https://arxiv.org/abs/1409.0473); Luong, Pham & Manning 2015
    (https://arxiv.org/abs/1508.04025). With `feeding="layer"` the bottom layer of the decoder
    looks at the source and the layer above it sees what was found, as in Wu et al. 2016
    (https://arxiv.org/abs/1609.08144), so that no step waits for the attention of the one before.
    Tied output: Press & Wolf 2017 (https://arxiv.org/abs/1608.05859).

    It can be stepped by a search (`gatewise.decoders.contract.Steppable`).

    Args:
        encoder: Layers that read the source; the decoder has their cell, and as many units as they
            have outputs.
        writer: How the target is written.
        source_size: Tokens of the source's vocabulary.
        target_size: Tokens of the target's vocabulary; None where both share one, and one
            embedding.
        sampling_steps: Steps of training over which the writer's share of guesses is reached.

    Example:
        >>> writer = Writer(embedding=8)
        >>> network = TranslationNetwork(Encoder(hidden_size=4, bidirectional=True), writer, 10, 12)
        >>> class Batch(NamedTuple):
        ...     source: Tensor
        ...     source_lengths: Tensor
        ...     given: Tensor
        ...     target_lengths: Tensor
        >>> lengths = torch.tensor([3, 2])
        >>> tokens = torch.ones(2, 3, dtype=torch.long)
        >>> network(Batch(tokens, lengths, tokens, lengths)).logits.shape
        torch.Size([5, 12])
    """

    def __init__(
        self,
        encoder: Encoder,
        writer: Writer,
        source_size: int,
        target_size: int | None,
        *,
        sampling_steps: int = 1,
    ) -> None:
        super().__init__()
        self.writer = writer
        size = writer.embedding
        self.source = _embedding(source_size, size)
        self.target = None if target_size is None else _embedding(target_size, size)
        reader = encoder.build(size)
        units = encoder.output_size
        self.sequence = EncoderDecoder(reader, _decoder(encoder, writer, units))
        last = size if writer.tied else units
        self.above = Recurrent(encoder.cell, units, last) if writer.feeding == "layer" else None
        self.drop = LockedDropout(writer.dropout)
        self.narrow = nn.Linear(units, last) if last != units else None
        count = source_size if target_size is None else target_size
        self.bias = nn.Parameter(torch.zeros(count))
        self.weight = None if writer.tied else nn.Parameter(torch.empty(count, last))
        if self.weight is not None:
            nn.init.normal_(self.weight, std=last**-0.5)
        self.sampled = None
        if writer.sampling:
            self.sampled = SampledInputs(writer.sampling, sampling_steps)

    def forward(self, batch: Any) -> Translated:
        """Read the sources and write the targets that are known.

        Args:
            batch: Has `source` [batch, time], `source_lengths`, `given` [batch, steps], the target
                one step late, and `target_lengths`.
        """
        state = self.start(batch)
        real = inside(batch.target_lengths, batch.given.shape[1])
        if self.sampled is not None and self.training:
            return self._guessing(batch.given, state, real)
        decoded = self.sequence.decoder(self._targets(batch.given), state.decoder)
        output = self._narrowed(decoded.output)
        if self.above is not None:
            output = output + self.above(self.drop(decoded.output))[0]
        return Translated(self.logits(self.drop(output)[real]), decoded.weights)

    def start(self, batch: Any) -> Writing:
        """Read the sources; where their translations begin."""
        vectors = self.drop(self.source(batch.source))
        state = self.sequence.start(vectors, lengths=batch.source_lengths)
        above = None
        if self.above is not None:
            # No steps: the state in which a layer starts.
            above = self.above(vectors.new_zeros(len(vectors), 0, self.above.input_size))[1]
        return Writing(state, above)

    def step(self, token: Tensor, state: Writing) -> tuple[Tensor, Writing]:
        """Take one token per row, [rows]; logits of the next, [rows, vocabulary], and the state."""
        vector = self._targets(token.unsqueeze(1)).squeeze(1)
        seen, decoder = self.sequence.step(vector, state.decoder)
        output, above = self._narrowed(seen), state.above
        if self.above is not None and above is not None:
            more, above = self.above.step(seen, above)
            output = output + more
        return self.logits(output), Writing(decoder, above)

    def select(self, state: Writing, rows: Tensor) -> Writing:
        """The state of these rows, in this order, repeats allowed."""
        above: Any = state.above
        if above is not None:
            above = type(above)(*(part.index_select(1, rows) for part in above))
        return Writing(self.sequence.select(state.decoder, rows), above)

    def looked(self, state: Writing) -> Tensor:
        """Where the last step looked in the source, [rows, time]; [rows, 0] without attention."""
        return state.decoder.weights

    def logits(self, output: Tensor) -> Tensor:
        """Of outputs, those of tokens, [..., vocabulary]."""
        weight = self._written.weight if self.weight is None else self.weight
        return functional.linear(output, weight, self.bias)

    def _narrowed(self, output: Tensor) -> Tensor:
        """As many features as a tied output's weights have."""
        return output if self.narrow is None else self.narrow(output)

    @property
    def _written(self) -> nn.Embedding:
        return self.source if self.target is None else self.target

    def _targets(self, tokens: Tensor) -> Tensor:
        return self.drop(self._written(tokens))

    def _guessing(self, given: Tensor, state: Writing, real: Tensor) -> Translated:
        """Step by step, some inputs being what the step before found most likely."""
        assert self.sampled is not None
        self.sampled.count()
        token, logits, weights = given[:, 0], [], []
        for t in range(given.shape[1]):
            found, state = self.step(token, state)
            logits.append(found)
            weights.append(self.looked(state))
            if t + 1 < given.shape[1]:
                token = self.sampled(given[:, t + 1], found)
        return Translated(torch.stack(logits, 1)[real], torch.stack(weights, 1))


def joined(outputs: Sequence[Any]) -> Any:
    """What several networks say, as one: the mean of their probabilities, as logits."""
    if isinstance(outputs[0], Translated):
        weights = torch.stack([output.weights for output in outputs]).mean(0)
        return Translated(joined([output.logits for output in outputs]), weights)
    return torch.stack([o.log_softmax(-1) for o in outputs]).logsumexp(0)


def _embedding(tokens: int, size: int) -> nn.Embedding:
    embedding = nn.Embedding(tokens, size)
    nn.init.normal_(embedding.weight, std=size**-0.5)
    return embedding


def _decoder(encoder: Encoder, writer: Writer, units: int) -> RecurrentDecoder:
    attention: Attention | None = None
    if writer.attention == "additive":
        attention = AdditiveAttention(units, units, units)
    elif writer.attention == "multiplicative":
        attention = MultiplicativeAttention(units, units)
    feeding = writer.feeding if writer.feeding in ("output", "context") else "none"
    kind: Any = CoverageDecoder if writer.covers else RecurrentDecoder
    return kind(
        encoder.cell,
        writer.embedding,
        units,
        num_layers=encoder.num_layers,
        attention=attention,
        feeding=feeding,
        dropout=encoder.dropout,
    )
