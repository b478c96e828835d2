"""A network that reads tokens and says which one comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..heads.softmax import AdaptiveHead, FullHead, Head
from ..regularization.bernoulli import Dropout
from ..regularization.regularizers import EmbeddingDropout, LockedDropout
from .language_spec import Regularization

if TYPE_CHECKING:
    from ..layers.encoder import Encoder

UNSCORED, UNKNOWN = 0, 1
"""Target that is not asked for, the number of padding; number of what has no entry."""


class LanguageOutput(NamedTuple):
    """What a language model says of a window.

    Attributes:
        nats: Negative log probability of each target, [batch, time].
        features: The last layer's output, [batch, time, features].
        dropped: The same after dropout.
        training: Whether noise was drawn.
    """

    nats: Tensor
    features: Tensor
    dropped: Tensor
    training: bool


class TokenEncoder(nn.Module):
    """Embedded tokens through recurrent layers, with a state that goes on.

    What is dropped is said by `Regularization`; without training, nothing is.

    Args:
        size: Tokens of the vocabulary.
        embedding_size: Features of a token.
        encoder: The recurrent layers; its `dropout` is that between layers.
        noise: What is dropped; every field is given.
        last_size: Units of the last layer; the encoder's `hidden_size` when left out.
        residual: Whether a layer's input is added to its output, where they are equally wide and
            but for the first layer.

    Attributes:
        output_size: Features of the output.

    Raises:
        InputError: The encoder reads in both directions.

    Example:
        >>> from gatewise.nn import Encoder
        >>> read = TokenEncoder(100, 8, Encoder(hidden_size=16, num_layers=2)).eval()
        >>> y, state = read(torch.zeros(2, 5, dtype=torch.int64))
        >>> y.shape, sorted(state)
        (torch.Size([2, 5, 16]), ['0.c', '0.h', '1.c', '1.h'])
    """

    def __init__(
        self,
        size: int,
        embedding_size: int,
        encoder: Encoder,
        noise: Regularization | None = None,
        last_size: int | None = None,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        if encoder.bidirectional:
            raise InputError(
                "encoder.bidirectional is True, and what comes next must not be seen: leave it at "
                "False; a second model with direction='backward' reads the other way"
            )
        noise = noise or Regularization()
        self.words = noise.words or 0.0
        self.embedding = nn.Embedding(size, embedding_size)
        self.embed = EmbeddingDropout(self.embedding, noise.embedding or 0.0)
        self.drop_input = LockedDropout(noise.input or 0.0)
        self.drop_hidden = dropout(noise.hidden or 0.0, locked=noise.locked)
        self.residual = residual
        sizes = [encoder.hidden_size] * encoder.num_layers
        sizes[-1] = last_size or sizes[-1]
        inputs = [embedding_size, *sizes[:-1]]
        self.layers = nn.ModuleList(
            replace(encoder, hidden_size=width, num_layers=1, dropout=0.0).build(before)
            for before, width in zip(inputs, sizes, strict=True)
        )
        self.output_size = sizes[-1]

    def forward(
        self,
        tokens: Tensor,
        state: Mapping[str, Tensor] | None = None,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Read tokens.

        Args:
            tokens: int64 [batch, time].
            state: What the tokens before left; None at the start.
            lengths: Tokens of each row, [batch]; None when all are full.

        Returns:
            Features, [batch, time, output_size], and the state by name.
        """
        x = self.drop_input(self.embed(self._some_unknown(tokens)))
        ends: dict[str, Tensor] = {}
        layers: list[Any] = list(self.layers)
        for k, layer in enumerate(layers):
            x = self.drop_hidden(x) if k else x
            names = layer.cell.states
            before = None if state is None else tuple(state[f"{k}.{name}"] for name in names)
            y, end = layer(x, before, lengths=lengths)
            x = x + y if self.residual and k and x.shape == y.shape else y
            ends |= {f"{k}.{name}": part for name, part in zip(names, end, strict=True)}
        return x, ends

    def groups(self) -> list[Iterable[nn.Parameter]]:
        """Weights of the embedding, and of each layer."""
        return [self.embedding.parameters(), *(layer.parameters() for layer in self.layers)]

    def _some_unknown(self, tokens: Tensor) -> Tensor:
        if not self.training or not self.words:
            return tokens
        return tokens.masked_fill(
            torch.rand(tokens.shape, device=tokens.device) < self.words, UNKNOWN
        )


def dropout(rate: float, *, locked: bool | None) -> nn.Module:
    """Drop single values, or with `locked` the same features at all steps."""
    return LockedDropout(rate) if locked else Dropout(rate)


class LanguageNetwork(nn.Module):
    """Tokens to the probability of the next one.

    Args:
        reader: Tokens to features.
        noise: What is dropped of the features.
        tied: Whether the softmax has the embedding's weights.
        cutoffs: Parts of an adaptive softmax; empty for a whole one.

    Example:
        >>> from gatewise.nn import Encoder
        >>> network = LanguageNetwork(TokenEncoder(100, 8, Encoder(hidden_size=16)), tied=True)
        >>> network.head.logits(torch.zeros(2, 5, 16)).shape
        torch.Size([2, 5, 100])
    """

    def __init__(
        self,
        reader: TokenEncoder,
        noise: Regularization | None = None,
        *,
        tied: bool = False,
        cutoffs: Sequence[int] = (),
    ) -> None:
        super().__init__()
        noise = noise or Regularization()
        rate = noise.output or 0.0
        self.reader = reader
        self.drop = dropout(rate, locked=noise.locked)
        self.head: Head = (
            AdaptiveHead(reader.output_size, reader.embedding.num_embeddings, tuple(cutoffs))
            if cutoffs
            else FullHead(reader.output_size, reader.embedding, tied=tied)
        )
        # Tied weights are those of a softmax, which has to start out unsure.
        nn.init.normal_(reader.embedding.weight, std=0.1 if tied else 0.3)

    def forward(self, batch: Any) -> LanguageOutput:
        """Read windows from nothing."""
        return self.carried(batch, None)[0]

    def carried(
        self, batch: Any, state: Mapping[str, Tensor] | None
    ) -> tuple[LanguageOutput, dict[str, Tensor]]:
        """Read windows, going on from a state.

        Args:
            batch: With `tokens` and `targets`, int64 [batch, time]; rows of `fresh`, bool [batch]
                or None, begin from nothing.
            state: What the windows before left; None at the start.
        """
        fresh = getattr(batch, "fresh", None)
        if state is not None and fresh is not None and bool(fresh.any()):
            state = {n: s.masked_fill(fresh.view(1, -1, 1), 0) for n, s in state.items()}
        features, after = self.reader(batch.tokens, state)
        dropped = self.drop(features)
        nats = self.head.nats(dropped, batch.targets)
        return LanguageOutput(nats, features, dropped, self.training), after

    def layers(self) -> list[Iterable[nn.Parameter]]:
        """Embedding, each recurrent layer, head: the groups that `gatewise.train` treats apart."""
        own = {id(w) for w in self.reader.parameters()}
        return [*self.reader.groups(), [w for w in self.head.parameters() if id(w) not in own]]
