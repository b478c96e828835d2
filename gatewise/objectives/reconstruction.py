"""The loss of an autoencoder: how far it is from what went in, and what a random code costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .latent import kl_to_standard_normal

if TYPE_CHECKING:
    from ..nn.networks.embedder import Embedded


class Reconstruction:
    """Mean squared error of each sequence's observed values, averaged over sequences.

    With a distribution of codes, the bound of Kingma & Welling 2014
    (https://arxiv.org/abs/1312.6114) per value: the divergence is divided by the number of values
    it is spent on, and weighted.

    Args:
        channels: The first so many features, which are reconstructed.
        masked: Channels, in order, whose presence the features after them tell.
        kl_weight: Of the divergence of codes from a standard normal distribution; 1 is the bound
            for noise of one deviation on each value.

    Example:
        >>> from gatewise.data.labels.batches import LabelBatch
        >>> from gatewise.nn.networks.embedder import Embedded
        >>> batch = LabelBatch(torch.zeros(1, 2, 1), torch.tensor([1]))
        >>> Reconstruction(1)(Embedded(torch.full((1, 2, 1), 3.0), None, None, None), batch)
        tensor(9.)
    """

    def __init__(self, channels: int, masked: Sequence[int] = (), kl_weight: float = 1.0) -> None:
        self.channels, self.masked, self.kl_weight = channels, tuple(masked), kl_weight

    def __call__(self, output: Embedded, batch: Any) -> Tensor:
        """Mean loss of a batch's sequences; steps past an end and missing values do not count."""
        seen = self.seen(batch)
        count = seen.sum((1, 2)).clamp(min=1)
        apart = output.reconstruction - batch.x[..., : self.channels]
        loss = (apart.square() * seen).sum((1, 2)) / count
        if output.logvar is not None:
            loss = (
                loss + 2 * self.kl_weight * kl_to_standard_normal(output.mu, output.logvar) / count
            )
        return loss.mean()

    def seen(self, batch: Any) -> Tensor:
        """1 where a value was observed, 0 elsewhere, [batch, time, channels]."""
        x, at = batch.x, torch.arange(batch.x.shape[1], device=batch.x.device)
        inside = (at < batch.lengths.unsqueeze(1)).unsqueeze(-1).to(x)
        seen = inside.expand(-1, -1, self.channels).clone()
        if self.masked:
            told = x[..., self.channels : self.channels + len(self.masked)]
            seen[..., list(self.masked)] *= told
        return seen
