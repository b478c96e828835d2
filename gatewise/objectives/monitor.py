"""What it costs not to know what is usual, with the least usual left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from .latent import kl_to_standard_normal

if TYPE_CHECKING:
    from torch import Tensor

SAMPLE = 8192
"""Values of a batch that say which of them cost most."""


@dataclass(frozen=True)
class MonitorLoss:
    """Negative log likelihood of a normal distribution, or the absolute error of a reconstruction.

    The readings that a detector learns from may hold some anomalies: of each batch the values
    that cost most are left out (least trimmed squares: Rousseeuw 1984,
    https://doi.org/10.1080/01621459.1984.10477105).

    Args:
        trim: Share of the values that is left out.
        code_weight: Of the divergence of a variational autoencoder's codes.
    """

    trim: float = 0.01
    code_weight: float = 0.1

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean over the values that count."""
        miss = output.target - output.mean
        if output.log_sigma is None:
            cost = miss.abs()
        else:
            cost = 0.5 * (miss * torch.exp(-output.log_sigma)).square() + output.log_sigma
        weight = output.weight
        if self.trim:
            # What does not count costs nothing here, so that it is not what is left out.
            counted = torch.where(weight > 0, cost.detach(), -torch.inf)
            sample = counted.flatten()[:: max(1, counted.numel() // SAMPLE)]
            kept = max(1, int((1 - self.trim) * len(sample)))
            weight = weight * (counted <= sample.kthvalue(kept).values)
        loss = (cost * weight).sum() / weight.sum().clamp(min=1)
        if output.code is not None:
            loss = loss + self.code_weight * kl_to_standard_normal(*output.code).mean() / len(
                output.code[0][0]
            )
        return loss
