"""Examples of a tagger: sequences of tokens, and what each token looks like, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..text.vocabulary import PAD, UNKNOWN

if TYPE_CHECKING:
    from .tagged import Tagged


@dataclass(frozen=True)
class TagBatch:
    """Padded sequences of one batch.

    Attributes:
        lengths: Tokens of each sequence, int64 [batch].
        words: Number of each token, int64 [batch, time]; None without tokens.
        forms: Which of the batch's forms each token is, int64 [batch, time].
        characters: Characters of each form, int64 [forms, letters], `PAD` beyond its end.
        looks: Numbers of what each form looks like, int64 [forms, looks], `PAD` for nothing.
        values: Channels, float32 [batch, time, channels]; None without.
        labels: Number of each tag, int64 [batch, time], -1 where it is not known, one tensor for
            each set of tags; empty where none are known.
        pretrained: Number of each token in a language model's vocabulary, int64 [batch, time];
            None without a language model.
    """

    lengths: Tensor
    words: Tensor | None = None
    forms: Tensor | None = None
    characters: Tensor | None = None
    looks: Tensor | None = None
    values: Tensor | None = None
    labels: tuple[Tensor, ...] = ()
    pretrained: Tensor | None = None


@dataclass(frozen=True)
class Forms:
    """The different tokens of a data set.

    Attributes:
        words: Number of each in the vocabulary of words, int64 [forms].
        characters: int64 [forms, letters], `PAD` beyond the end; None where tokens are letters.
        looks: int64 [forms, looks], `PAD` for nothing; None where tokens are letters.
        pretrained: Number of each in a language model's vocabulary, int64 [forms]; None without.
    """

    words: Tensor
    characters: Tensor | None = None
    looks: Tensor | None = None
    pretrained: Tensor | None = None


@dataclass(frozen=True)
class Hidden:
    """What is hidden of tokens while training.

    Attributes:
        forget: Probability of each word of the vocabulary to be taken for unknown, [words].
        replace: Probability of a token to be replaced.
        pool: Forms to draw a replacement from, as often as they are to be drawn, int64
            [1, draws] where they are the same for every token, else [forms, draws].
    """

    forget: Tensor
    replace: float
    pool: Tensor


@dataclass(frozen=True)
class TagExamples:
    """Sequences to learn from, to be judged on, or to be answered.

    Attributes:
        tagged: What was read.
        forms: The different tokens; None without tokens.
        places: Which form each token is, for each sequence, int64 [time].
        values: Channels of each sequence, float32 [time, channels].
        labels: For each set of tags, the numbers of each sequence's, int64 [time].
        hidden: What is hidden while training.
    """

    tagged: Tagged
    forms: Forms | None
    places: tuple[Tensor, ...] | None
    values: tuple[Tensor, ...] | None
    labels: tuple[tuple[Tensor, ...], ...] = ()
    hidden: Hidden | None = None

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.tagged)

    @property
    def lengths(self) -> Tensor:
        """Tokens of each sequence."""
        return torch.from_numpy(self.tagged.lengths)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> TagBatch:
        """Pad sequences to the longest of them; with a generator, hide what is to be hidden."""
        chosen = indices.tolist()
        lengths = self.lengths[indices]
        values = None if self.values is None else _padded([self.values[i] for i in chosen], 0.0)
        labels = tuple(_padded([of[i] for i in chosen], -1) for of in self.labels)
        if self.forms is None or self.places is None:
            return TagBatch(lengths, values=values, labels=labels)
        places = _padded([self.places[i] for i in chosen], 0)
        hidden = self.hidden if generator is not None else None
        if hidden is not None and hidden.replace:
            other = torch.rand(places.shape, generator=generator) < hidden.replace
            drawn = torch.randint(hidden.pool.shape[1], places.shape, generator=generator)
            rows = places if len(hidden.pool) > 1 else torch.zeros_like(places)
            places = torch.where(other, hidden.pool[rows, drawn], places)
        words = self.forms.words[places]
        if hidden is not None:
            unknown = torch.rand(words.shape, generator=generator) < hidden.forget[words]
            words = words.masked_fill(unknown, UNKNOWN)
        real = torch.arange(words.shape[1]) < lengths.unsqueeze(1)
        words = words.masked_fill(~real, PAD)
        known = self.forms.pretrained
        if known is not None:
            known = known[places].masked_fill(~real, PAD)
        if self.forms.looks is None and self.forms.characters is None:
            return TagBatch(lengths, words, values=values, labels=labels, pretrained=known)
        used, forms = places.unique(return_inverse=True)
        return TagBatch(
            lengths,
            words,
            forms,
            _cut(self.forms.characters, used),
            None if self.forms.looks is None else self.forms.looks[used],
            values,
            labels,
            known,
        )

    def take(self, indices: Sequence[int]) -> TagExamples:
        """Give some of the sequences, in this order."""

        def of(part: tuple | None) -> Any:
            return None if part is None else tuple(part[i] for i in indices)

        return replace(
            self,
            tagged=self.tagged.take(indices),
            places=of(self.places),
            values=of(self.values),
            labels=tuple(of(part) for part in self.labels),
        )

    def where(self, index: int) -> str:
        """Name a sequence."""
        return f"sequence {self.tagged.names[index]!r}"

    def culprit(self, index: int) -> str | None:
        """Say which channel and step holds a value that is not finite."""
        if self.values is None:
            return None
        bad = (~self.values[index].isfinite()).nonzero()
        if not len(bad):
            return None
        step, channel = bad[0].tolist()
        return f"channel {self.tagged.channels[channel]!r}, step {step}"


def _padded(parts: list[Tensor], value: float) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=value)


def _cut(characters: Tensor | None, used: Tensor) -> Tensor | None:
    """Characters of the forms in use, no wider than the longest of these."""
    if characters is None:
        return None
    chosen = characters[used]
    return chosen[:, : max(1, int((chosen != PAD).sum(1).max()))]


def numbered(tags: list[tuple[str | None, ...]], names: list[str]) -> tuple[Tensor, ...]:
    """Numbers of tags, -1 for what is not known or not among the names."""
    numbers = {name: k for k, name in enumerate(names)}
    return tuple(
        torch.from_numpy(np.array([-1 if t is None else numbers.get(t, -1) for t in of], np.int64))
        for of in tags
    )
