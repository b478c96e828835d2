"""Losses of sequences of tags: of whole chains, or of each tag for itself."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..nn.heads.crf import log_likelihood, viterbi


class TagLoss:
    """Negative log-likelihood per known tag, summed over the sets of tags.

    With a chain, that is of the whole path (`gatewise.nn.heads.crf`): tags that are not known are
    summed over. Without, it is cross entropy of each known tag. The score is the share of known
    tags that are right, the mean over sequences and sets.
    """

    score_name = "accuracy"

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Loss of the `Emissions` of each set, against the batch's tags."""
        losses = []
        for (scores, transitions), tags in zip(output, batch.labels, strict=True):
            known = (tags >= 0).sum().clamp(min=1)
            if transitions is None:
                flat = F.cross_entropy(
                    scores.flatten(0, 1), tags.flatten(), ignore_index=-1, reduction="sum"
                )
            else:
                flat = -log_likelihood(scores, transitions, tags, batch.lengths).sum()
            losses.append(flat / known)
        return torch.stack(losses).sum()

    def score(self, output: Any, batch: Any) -> Tensor:
        """Share of known tags that are right."""
        shares = []
        for (scores, transitions), tags in zip(output, batch.labels, strict=True):
            if transitions is None:
                path = scores.argmax(-1)
            else:
                path, _ = viterbi(scores, transitions, batch.lengths)
            known = tags >= 0
            right = (known & (path == tags)).sum(1) / known.sum(1).clamp(min=1)
            shares.append(right[known.any(1)].mean() if known.any() else right.sum())
        return torch.stack(shares).mean()
