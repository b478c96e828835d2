"""Pairs of token sequences as batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.utils.rnn import pad_sequence

from ..text.vocabulary import END, PAD, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from .lines import PairLines


@dataclass(frozen=True)
class SentenceBatch:
    """Sources, and targets where they are known; all end with END.

    Args:
        source: int64 [batch, time], padded with PAD.
        source_lengths: int64 [batch].
        given: The target one step late, START first, int64 [batch, steps]; no steps without one.
        target_lengths: int64 [batch].
        answers: The targets' tokens, one sentence after another, int64 [tokens].
        limits: Tokens that a translation may have, END included, int64 [batch].
    """

    source: Tensor
    source_lengths: Tensor
    given: Tensor
    target_lengths: Tensor
    answers: Tensor
    limits: Tensor


class Sentences:
    """Token sequences that are asked for by index.

    Args:
        pairs: The texts that they were made of.
        sources: Tokens of each source, END last.
        targets: Tokens of each target, END last; None where they are not known.
        limits: Tokens that a translation may have.
    """

    def __init__(
        self,
        pairs: PairLines,
        sources: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]] | None,
        limits: Sequence[int],
    ) -> None:
        self.pairs = pairs
        self._sources = [torch.tensor(tokens, dtype=torch.int64) for tokens in sources]
        self._targets = None
        if targets is not None:
            self._targets = [torch.tensor(tokens, dtype=torch.int64) for tokens in targets]
        self._limits = torch.tensor(limits, dtype=torch.int64)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._sources)

    @property
    def lengths(self) -> Tensor | None:
        """Tokens of both sides together."""
        if not len(self):
            return None
        sides = [self._sources] if self._targets is None else [self._sources, self._targets]
        return torch.tensor([[len(tokens) for tokens in side] for side in sides]).sum(0)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> SentenceBatch:
        """Put pairs together; nothing is random."""
        chosen = indices.tolist()
        sources = [self._sources[i] for i in chosen]
        targets: list[Any] = []
        if self._targets is not None:
            targets = [self._targets[i] for i in chosen]
        start, lengths = torch.tensor([START]), _lengths(targets)
        given = torch.empty(len(chosen), 0, dtype=torch.int64)
        if targets:
            given = pad_sequence([torch.cat([start, t[:-1]]) for t in targets], True, PAD)
        return SentenceBatch(
            pad_sequence(sources, True, PAD),
            _lengths(sources),
            given,
            lengths if targets else torch.zeros(len(chosen), dtype=torch.int64),
            torch.cat(targets) if targets else torch.empty(0, dtype=torch.int64),
            self._limits[indices],
        )

    def where(self, index: int) -> str:
        """Name a pair."""
        return self.pairs.said(index)

    def culprit(self, index: int) -> str | None:
        """Tokens are always finite."""
        return None


def ended(tokens: Sequence[int]) -> list[int]:
    """Put END behind tokens."""
    return [*tokens, END]


def _lengths(sequences: Sequence[Tensor]) -> Tensor:
    return torch.tensor([len(tokens) for tokens in sequences], dtype=torch.int64)
