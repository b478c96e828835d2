"""What a translation costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TranslationLoss:
    """Cross-entropy per target token, with smoothed labels and a price on looking twice.

    Label smoothing: Szegedy et al. 2016 (https://arxiv.org/abs/1512.00567). The coverage loss, of
    See, Liu & Manning 2017 (https://arxiv.org/abs/1704.04368), equation 12, is the weight that a
    step gives to what earlier steps have looked at already, as the lesser of the two. Its score is
    the share of target tokens that are the most likely ones.

    Args:
        smoothing: Share of the probability that is spread over all tokens.
        coverage: Weight of the coverage loss.

    Example:
        >>> from types import SimpleNamespace as Names
        >>> output = Names(logits=torch.tensor([[0.0, 9.0], [9.0, 0.0]]))
        >>> batch = Names(answers=torch.tensor([1, 1]))
        >>> TranslationLoss().score(output, batch)
        tensor(0.5000)
    """

    smoothing: float = 0.0
    coverage: float = 0.0

    score_name = "token_accuracy"

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean over the batch's target tokens."""
        loss = functional.cross_entropy(
            output.logits, batch.answers, label_smoothing=self.smoothing
        )
        if not self.coverage or not output.weights.shape[-1]:
            return loss
        weights = output.weights
        before = weights.cumsum(1) - weights
        twice = torch.minimum(weights, before).sum(-1)
        steps = torch.arange(weights.shape[1], device=weights.device)
        real = steps < batch.target_lengths.unsqueeze(-1)
        return loss + self.coverage * (twice * real).sum() / real.sum().clamp(min=1)

    def score(self, output: Any, batch: Any) -> Tensor:
        """Share of target tokens that would be chosen, given those before them."""
        return (output.logits.argmax(-1) == batch.answers).float().mean()
