"""Noise around recurrent layers: on what goes in and comes out, on words, on weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..arguments import check_deviation, check_rates


class LockedDropout(nn.Module):
    """Drop features with one mask for the whole sequence, on what goes into or comes out of layers.

    Gal & Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks,
    2016 (https://arxiv.org/abs/1512.05287); the name is that of Merity, Keskar & Socher 2018
    (https://arxiv.org/abs/1708.02182). Each sequence of a batch has its own mask. What stays is
    scaled by `1 / (1 - rate)`; evaluation changes nothing.

    Args:
        rate: Probability of a feature to be dropped, from 0 to below 1.

    Raises:
        InputError: The rate is not as above.

    Example:
        >>> drop = LockedDropout(0.5)
        >>> y = drop(torch.ones(2, 5, 8))
        >>> torch.equal(y[:, 0], y[:, 4]), sorted(y.unique().tolist())
        (True, [0.0, 2.0])
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        check_rates({"rate": rate})
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training.

        Args:
            x: [batch, time, features] or [time, features].

        Raises:
            InputError: `x` has other axes.
        """
        if x.dim() not in (2, 3):
            raise InputError(
                f"x of shape {tuple(x.shape)}: give [batch, time, features] or [time, features]"
            )
        if not self.training or not self.rate:
            return x
        mask = x.new_empty(*x.shape[:-2], 1, x.shape[-1]).bernoulli_(1 - self.rate)
        return x * (mask / (1 - self.rate))

    def extra_repr(self) -> str:
        """The rate."""
        return str(self.rate)


class EmbeddingDropout(nn.Module):
    """Drop whole words: all places of a word in a batch give zeros, or all give its vector.

    Gal & Ghahramani 2016 (https://arxiv.org/abs/1512.05287), section 4.2, with one mask over the
    words for the whole batch as in Merity, Keskar & Socher 2018
    (https://arxiv.org/abs/1708.02182). What stays is scaled by `1 / (1 - rate)`; evaluation is
    the embedding.

    Args:
        embedding: The embedding, whose weights stay its own.
        rate: Probability of a word to be dropped, from 0 to below 1.

    Raises:
        InputError: The rate is not as above, or the embedding is no `torch.nn.Embedding`.

    Example:
        >>> embed = EmbeddingDropout(nn.Embedding(100, 8), 0.1)
        >>> embed(torch.zeros(2, 5, dtype=torch.long)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(self, embedding: nn.Embedding, rate: float) -> None:
        super().__init__()
        check_rates({"rate": rate})
        if not isinstance(embedding, nn.Embedding):
            raise InputError(f"embedding={embedding!r}: give a torch.nn.Embedding")
        self.embedding = embedding
        self.rate = rate

    def forward(self, tokens: Tensor) -> Tensor:
        """Look words up, and drop in training.

        Args:
            tokens: Numbers of words, of any shape.

        Returns:
            Their vectors, with a last axis more.
        """
        vectors = self.embedding(tokens)
        if not self.training or not self.rate:
            return vectors
        mask = vectors.new_empty(self.embedding.num_embeddings).bernoulli_(1 - self.rate)
        return vectors * (mask / (1 - self.rate))[tokens].unsqueeze(-1)

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate}"


def weight_noise(weights: Mapping[str, Tensor], std: float) -> dict[str, Tensor]:
    """Add Gaussian noise to weights, drawn once, for one forward pass over sequences in training.

    Jim, Giles & Horne, An Analysis of Noise in Recurrent Neural Networks, 1996
    (https://doi.org/10.1109/72.548170); Graves, Mohamed & Hinton 2013
    (https://arxiv.org/abs/1303.5778), who draw it once for each sequence with a standard deviation
    of 0.075. A batch shares the noise. Gradients reach the weights as they are without it, taken at
    the noisy ones. In evaluation, leave it out.

    Args:
        weights: By name, such as `dict(layer.named_parameters())`.
        std: Standard deviation of the noise, at least 0.

    Returns:
        Noisy weights by the same names.

    Raises:
        InputError: `std` is negative or not finite.

    Example:
        >>> from torch.func import functional_call
        >>> from gatewise.nn import Recurrent
        >>> layer = Recurrent("lstm", 3, 8)
        >>> noisy = weight_noise(dict(layer.named_parameters()), 0.075)
        >>> y, state = functional_call(layer, noisy, (torch.randn(2, 5, 3),))
        >>> y.shape
        torch.Size([2, 5, 8])
    """
    check_deviation("std", std)
    return {name: weight + std * torch.randn_like(weight) for name, weight in weights.items()}
