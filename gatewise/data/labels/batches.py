"""Sequences with one answer each, as batches with padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from ..sequences.sequences import Sequences

MISSING = -1
"""Label of a sequence whose class was never seen in training."""


@dataclass(frozen=True)
class LabelBatch:
    """Sequences with padding.

    Args:
        x: Numbers, float32 [batch, time, features], or tokens, int64 [batch, time]; zero beyond
            the end.
        lengths: Steps of each, int64 [batch].
        labels: Class, int64 [batch], `MISSING` for one that is unknown; or number, float32
            [batch]; None where there are none.
        gaps: Time since the step before, in units of the usual gap, float32 [batch, time].
        wide: What a linear model says, float32 [batch, outputs].
    """

    x: Tensor
    lengths: Tensor
    labels: Tensor | None = None
    gaps: Tensor | None = None
    wide: Tensor | None = None


class LabelSet:
    """A `Dataset` of sequences that lie end to end in one tensor.

    Args:
        parts: float32 [steps, features] or int64 [steps] each.
        names: What each is called in messages.
        labels: int64 or float32 [sequences], or None.
        gaps: float32 [steps] each, or None.
        columns: Names of the features.
        source: What they were read from, for answers in its form.
        wide: What a linear model says of each, float32 [sequences, outputs], or None.
    """

    def __init__(
        self,
        parts: Sequence[np.ndarray],
        names: Sequence[str],
        labels: Tensor | None = None,
        gaps: Sequence[np.ndarray] | None = None,
        columns: Sequence[str] = (),
        source: Sequences | None = None,
        wide: Tensor | None = None,
    ) -> None:
        self.source, self.wide = source, wide
        self.names, self.labels, self.columns = tuple(names), labels, tuple(columns)
        self._lengths = torch.tensor([len(p) for p in parts], dtype=torch.int64)
        self._starts = self._lengths.cumsum(0) - self._lengths
        self.flat = torch.from_numpy(np.concatenate(parts)) if parts else torch.empty(0)
        self.gaps = torch.from_numpy(np.concatenate(gaps)) if gaps else None

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.names)

    @property
    def lengths(self) -> Tensor:
        """Steps of each sequence, int64 [sequences]."""
        return self._lengths

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> LabelBatch:
        """Put sequences together, padded with zeros to the longest."""
        lengths = self._lengths[indices]
        steps = int(lengths.max()) if len(indices) else 0
        at = torch.arange(steps)
        outside = at >= lengths.unsqueeze(1)
        places = (self._starts[indices].unsqueeze(1) + at).masked_fill_(outside, 0)
        x = self.flat[places]
        x.masked_fill_(outside.unsqueeze(-1) if x.dim() == 3 else outside, 0)
        gaps = None
        if self.gaps is not None:
            gaps = self.gaps[places].masked_fill_(outside, 0)
        labels = None if self.labels is None else self.labels[indices]
        wide = None if self.wide is None else self.wide[indices]
        return LabelBatch(x, lengths, labels, gaps, wide)

    def part(self, index: int) -> Tensor:
        """One sequence's own steps."""
        start = int(self._starts[index])
        return self.flat[start : start + int(self._lengths[index])]

    def where(self, index: int) -> str:
        """Name a sequence for a message."""
        return self.names[index]

    def culprit(self, index: int) -> str | None:
        """Say which channel and step of a sequence is not finite, if any."""
        part = self.part(index)
        if part.dtype != torch.float32:
            return None
        bad = (~part.isfinite()).nonzero()
        if not len(bad):
            return None
        step, column = bad[0].tolist()
        return f"channel {self.columns[column]!r} at step {step}"
