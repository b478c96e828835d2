"""Losses of one answer per sequence: a class, or a number by its quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class LabelLoss:
    """Cross entropy, with weights of classes and smoothed labels; judged by accuracy.

    Label smoothing is Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7.

    Args:
        weights: What an example of each class counts, [classes], on average 1 over the examples;
            None for the same.
        smoothing: Share of the truth that is spread evenly over all classes.

    Example:
        >>> from types import SimpleNamespace
        >>> batch = SimpleNamespace(labels=torch.tensor([0, 1]))
        >>> output = torch.tensor([[9.0, 0.0], [1.0, 0.0]])
        >>> LabelLoss().score(output, batch)
        tensor(0.5000)
    """

    score_name = "accuracy"

    def __init__(self, weights: Sequence[float] | None = None, smoothing: float = 0.0) -> None:
        self.weights = None if weights is None else torch.tensor(weights)
        self.smoothing = smoothing

    def __call__(self, output: Tensor, batch: Any) -> Tensor:
        """Mean loss of logits [batch, classes]; an unknown class counts nothing."""
        labels = _labels(batch)
        losses = F.cross_entropy(
            output, labels.clamp(min=0), reduction="none", label_smoothing=self.smoothing
        )
        known = labels >= 0
        if self.weights is not None:
            losses = losses * self.weights.to(losses)[labels.clamp(min=0)]
        return losses.masked_fill(~known, 0).sum() / known.sum().clamp(min=1)

    def score(self, output: Tensor, batch: Any) -> Tensor:
        """Accuracy; an unknown class is always missed."""
        return (output.argmax(-1) == _labels(batch)).float().mean()


class QuantileLoss:
    """Pinball loss of quantiles, in units of the answers' deviation; judged by the median's error.

    Koenker & Bassett, Regression Quantiles, 1978 (https://doi.org/10.2307/1913643).

    Args:
        levels: Between 0 and 1, increasing, 0.5 among them.
        unit: Deviation of the answers, in which the score is told.

    Example:
        >>> from types import SimpleNamespace
        >>> batch = SimpleNamespace(labels=torch.tensor([2.0]))
        >>> QuantileLoss((0.1, 0.5))(torch.tensor([[1.0, 3.0]]), batch)
        tensor(0.3000)
    """

    score_name = "minus mean absolute error"

    def __init__(self, levels: Sequence[float], unit: float = 1.0) -> None:
        self.levels, self.unit = tuple(levels), unit

    def __call__(self, output: Tensor, batch: Any) -> Tensor:
        """Mean loss of quantiles [batch, levels]."""
        level = output.new_tensor(self.levels)
        under = _labels(batch).unsqueeze(-1) - output
        return torch.maximum(level * under, (level - 1) * under).mean()

    def score(self, output: Tensor, batch: Any) -> Tensor:
        """Absolute error of the median in the answers' own units, negated."""
        median = output[:, self.levels.index(0.5)]
        return -self.unit * (median - _labels(batch)).abs().mean()


def _labels(batch: Any) -> Tensor:
    assert batch.labels is not None, "examples without labels cannot be judged"
    return batch.labels
