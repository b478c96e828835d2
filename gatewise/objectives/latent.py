"""What a distribution over codes costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """Divergence of independent normal distributions from the standard one, in nats.

    `KL(N(mu, exp(logvar)) || N(0, 1))`, summed over a code: the cost of a variational
    autoencoder's code (Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, appendix B). Bowman
    et al. 2016 (https://arxiv.org/abs/1511.06349) let its weight in the loss grow from 0 to 1.

    Args:
        mu: Means, [batch, code].
        logvar: Logarithms of the variances, [batch, code].

    Returns:
        [batch].

    Example:
        >>> import torch
        >>> kl_to_standard_normal(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)).tolist()
        [0.5]
    """
    return (mu.square() + logvar.exp() - 1 - logvar).sum(-1) / 2
