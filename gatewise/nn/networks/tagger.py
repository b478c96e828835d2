"""The network of a tagger: what a token looks like, then what stands around it, then its tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention.pooling import Pooling
from ..heads.crf import CRF, Transitions
from ..layers.recurrent import Recurrent
from ..regularization.regularizers import LockedDropout
from .transfer import TokenReaders

if TYPE_CHECKING:
    from ..layers.encoder import Encoder
    from .language import TokenEncoder
    from .token_features import TokenFeatures

CHARACTER_SIZE = 24


class Emissions(NamedTuple):
    """What the network says about one set of tags.

    Attributes:
        scores: Of each tag at each step, [batch, time, tags].
        transitions: Of the chain; None where each token is judged for itself.
    """

    scores: Tensor
    transitions: Transitions | None


@dataclass(frozen=True)
class TaggerSizes:
    """What there is to be seen.

    Attributes:
        words: Entries of the vocabulary of tokens; 0 without tokens.
        characters: Entries of that of characters; 0 where none are read.
        looks: Entries of that of casing and affixes; 0 where none are looked up.
        channels: Numbers beside each token.
        tags: Tags of each set.
    """

    words: int
    characters: int
    looks: int
    channels: int
    tags: tuple[int, ...]


class TaggerNetwork(nn.Module):
    """Words, their characters and looks, a recurrent encoder, and scores for each set of tags.

    Lample et al. 2016 (https://arxiv.org/abs/1603.01360) and Ma & Hovy 2016
    (https://arxiv.org/abs/1603.01354) put a word's characters beside its vector and a chain of
    tags on top. The looks of a word also score its tags directly, as a linear model would.

    Args:
        encoder: The recurrent layers over the sequence.
        features: What is seen of a token.
        sizes: What there is to be seen.
        links: For each set of tags which may follow which; None for no chain.
        readers: Language models' encoders, and whether each reads from the end.
    """

    def __init__(
        self,
        encoder: Encoder,
        features: TokenFeatures,
        sizes: TaggerSizes,
        links: Sequence[Transitions | None],
        readers: Sequence[tuple[TokenEncoder, bool]] = (),
    ) -> None:
        super().__init__()
        size = features.size or (96 if sizes.characters or sizes.looks else 32)
        self.sizes = sizes
        self.words = nn.Embedding(sizes.words, size, padding_idx=0) if sizes.words else None
        self.characters = CharacterReader(sizes.characters, features) if sizes.characters else None
        self.looks = LooksTable(sizes.looks, size, sum(sizes.tags)) if sizes.looks else None
        self.channels = nn.Linear(sizes.channels, size) if sizes.channels else None
        seen = size * sum(part is not None for part in (self.words, self.looks, self.channels))
        seen += self.characters.output_size if self.characters is not None else 0
        self.pretrained = TokenReaders(readers) if readers else None
        seen += self.pretrained.output_size if self.pretrained is not None else 0
        self.before, self.after = LockedDropout(features.dropout), LockedDropout(features.dropout)
        self.encoder = encoder.build(seen)
        self.scores = nn.Linear(encoder.output_size, sum(sizes.tags))
        self.chains = nn.ModuleList(
            nn.Identity() if allowed is None else CRF(tags, allowed)
            for tags, allowed in zip(sizes.tags, links, strict=True)
        )
        if self.words is not None:
            nn.init.normal_(self.words.weight, std=0.3)

    def forward(self, batch: Any) -> tuple[Emissions, ...]:
        """Score the tags of a `TagBatch`.

        Returns:
            One for each set of tags.
        """
        parts, direct = [], None
        if self.words is not None:
            parts.append(self.words(batch.words))
        if self.characters is not None:
            parts.append(self.characters(batch.characters)[batch.forms])
        if self.looks is not None:
            vectors, direct = self.looks(batch.looks)
            parts.append(vectors[batch.forms])
        if self.channels is not None:
            parts.append(self.channels(batch.values))
        if self.pretrained is not None:
            parts.append(self.pretrained(batch.pretrained, batch.lengths))
        x = self.before(torch.cat(parts, -1))
        outputs, _ = self.encoder(x, lengths=batch.lengths)
        scores = self.scores(self.after(outputs))
        if direct is not None:
            scores = scores + direct[batch.forms]
        chains = [chain() if isinstance(chain, CRF) else None for chain in self.chains]
        split = scores.split(self.sizes.tags, -1)
        return tuple(Emissions(*pair) for pair in zip(split, chains, strict=True))

    def layers(self) -> list[Iterable[nn.Parameter]]:
        """Language models from below, looks of a token, each recurrent layer, scores of tags.

        The groups that `gatewise.train` treats apart.
        """
        below = [] if self.pretrained is None else self.pretrained.groups()
        parts = (self.words, self.characters, self.looks, self.channels)
        looks = [weight for part in parts if part is not None for weight in part.parameters()]
        recurrent: list[list[nn.Parameter]] = [[] for _ in range(self.encoder.num_layers)]
        for name, weight in self.encoder.named_parameters():
            layer = name.removesuffix("_reverse").rpartition("_l")[2]
            recurrent[int(layer) if layer.isdecimal() else 0].append(weight)
        tags = [*self.scores.parameters(), *self.chains.parameters()]
        return [*below, looks, *recurrent, tags]


class LooksTable(nn.Module):
    """Casing and affixes: the sum of their vectors, and what they say of tags by themselves.

    Args:
        looks: Entries; 0 is for nothing.
        size: Numbers of a vector.
        tags: Tags of all sets together.
    """

    def __init__(self, looks: int, size: int, tags: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(looks, size, mode="sum", padding_idx=0)
        self.direct = nn.EmbeddingBag(looks, tags, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.15)
        nn.init.zeros_(self.direct.weight)

    def forward(self, looks: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors, [forms, size], and scores, [forms, tags], of int64 [forms, looks]."""
        return self.table(looks), self.direct(looks)


class CharacterReader(nn.Module):
    """A vector of a word from its characters, by a bidirectional LSTM or by a convolution.

    Args:
        characters: Entries; 0 is for what is beyond the end.
        features: What reads them, and how many units of it.

    Attributes:
        output_size: Numbers of the vector.
    """

    def __init__(self, characters: int, features: TokenFeatures) -> None:
        super().__init__()
        units = features.character_size
        self.output_size = 2 * units
        self.table = nn.Embedding(characters, CHARACTER_SIZE, padding_idx=0)
        self.drop = nn.Dropout(0.1)
        self.recurrent = self.convolution = None
        if features.characters == "lstm":
            self.recurrent = Recurrent("lstm", CHARACTER_SIZE, units, bidirectional=True)
            self.pool = Pooling("last", self.output_size, bidirectional=True)
        else:
            self.convolution = nn.Conv1d(CHARACTER_SIZE, self.output_size, 3, padding=1)

    def forward(self, characters: Tensor) -> Tensor:
        """Read words, [words, output_size] from int64 [words, letters]."""
        real = characters != 0
        x = self.drop(self.table(characters))
        if self.recurrent is not None:
            lengths = real.sum(1)
            return self.pool(self.recurrent(x, lengths=lengths)[0], lengths=lengths)
        assert self.convolution is not None
        found = F.relu(self.convolution(x.transpose(1, 2)))
        return found.masked_fill(~real.unsqueeze(1), 0).amax(2)


def combine(outputs: Sequence[tuple[Emissions, ...]]) -> tuple[Emissions, ...]:
    """Average the members of an ensemble: their scores, and those of their chains."""
    combined = []
    for of_set in zip(*outputs, strict=True):
        scores = torch.stack([one.scores for one in of_set]).mean(0)
        chains = [one.transitions for one in of_set if one.transitions is not None]
        transitions = None
        if chains:
            transitions = Transitions(*(torch.stack(p).mean(0) for p in zip(*chains, strict=True)))
        combined.append(Emissions(scores, transitions))
    return tuple(combined)
