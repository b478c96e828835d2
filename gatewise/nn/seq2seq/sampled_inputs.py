"""Inputs of a writing network that are, now and then, its own guesses."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SampledInputs(nn.Module):
    """Scheduled sampling: mix the known tokens with those that the network found most likely.

    Bengio, Vinyals, Jaitly & Shazeer, Scheduled Sampling for Sequence Prediction with Recurrent
    Neural Networks, 2015 (https://arxiv.org/abs/1506.03099), with their linear decay. How often it
    was counted is kept with the weights, so that a resumed run goes on where it was.

    Args:
        share: Of guesses in the end.
        steps: Counts until then.

    Example:
        >>> mix = SampledInputs(1.0, 2)
        >>> mix.count(); mix.count()
        >>> mix(torch.tensor([7]), torch.tensor([[0.0, 2.0, 1.0]]))
        tensor([1])
    """

    counted: Tensor

    def __init__(self, share: float, steps: int) -> None:
        super().__init__()
        self.share = share
        self.steps = steps
        self.register_buffer("counted", torch.zeros((), dtype=torch.int64))

    def count(self) -> None:
        """One batch more."""
        self.counted += 1

    def forward(self, known: Tensor, logits: Tensor) -> Tensor:
        """Choose the next inputs, [batch], from `known` and from `logits` [batch, tokens]."""
        rate = self.share * min(1.0, int(self.counted) / self.steps)
        guess = torch.rand(known.shape, device=known.device) < rate
        return torch.where(guess, logits.detach().argmax(-1), known)
