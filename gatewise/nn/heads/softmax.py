"""From features to the next token: one softmax, or one in parts for large vocabularies."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..linear import linear


class FullHead(nn.Module):
    """A linear layer and a softmax over the whole vocabulary, tied to the embedding if that suits.

    Tied weights are those of Inan, Khosravi & Socher 2017 (https://arxiv.org/abs/1611.01462) and
    Press & Wolf 2017 (https://arxiv.org/abs/1608.05859). Where the features are not as many as an
    embedding has, they are projected first.

    Args:
        input_size: Features.
        embedding: The embedding of the tokens.
        tied: Whether its weights are those of the softmax, too.

    Example:
        >>> head = FullHead(8, nn.Embedding(100, 4), tied=True)
        >>> head.logits(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 100])
    """

    def __init__(self, input_size: int, embedding: nn.Embedding, *, tied: bool) -> None:
        super().__init__()
        size, width = embedding.weight.shape
        apart = tied and input_size != width
        self.project = nn.Linear(input_size, width, bias=False) if apart else None
        self.linear = nn.Linear(width if tied else input_size, size)
        nn.init.zeros_(self.linear.bias)
        if tied:
            self.linear.weight = embedding.weight

    def logits(self, features: Tensor) -> Tensor:
        """Scores of the next token, [..., tokens], up to a constant their log probabilities."""
        if self.project is not None:
            features = linear(features, self.project.weight)
        return linear(features, self.linear.weight, self.linear.bias)

    def nats(self, features: Tensor, targets: Tensor) -> Tensor:
        """Negative log probability of each target.

        Args:
            features: [batch, time, input].
            targets: int64 [batch, time].
        """
        logits = self.logits(features).flatten(0, 1)
        return F.cross_entropy(logits, targets.flatten(), reduction="none").view_as(targets)


class AdaptiveHead(nn.Module):
    """A softmax in parts: frequent tokens at once, rare ones behind a coarser first choice.

    Grave, Joulin, Cissé, Grangier & Jégou, Efficient softmax approximation for GPUs, 2017
    (https://arxiv.org/abs/1609.04309), as `torch.nn.AdaptiveLogSoftmaxWithLoss` has it. Tokens have
    to be numbered by falling frequency, nearly.

    Args:
        input_size: Features.
        size: Tokens.
        cutoffs: Where each part but the last one ends.

    Example:
        >>> head = AdaptiveHead(8, 100, (10, 50))
        >>> head.logits(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 100])
    """

    def __init__(self, input_size: int, size: int, cutoffs: tuple[int, ...]) -> None:
        super().__init__()
        # Each part sees fewer features than the one before it; of few, all see all.
        narrower = 4.0 if input_size >= 4.0 ** len(cutoffs) else 1.0
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(
            input_size, size, list(cutoffs), div_value=narrower
        )

    def logits(self, features: Tensor) -> Tensor:
        """Log probabilities of the next token, [..., tokens]."""
        flat = features.reshape(-1, features.shape[-1])
        return self.softmax.log_prob(flat).view(*features.shape[:-1], -1)

    def nats(self, features: Tensor, targets: Tensor) -> Tensor:
        """Negative log probability of each target, as in `FullHead`."""
        return -self.softmax(features.flatten(0, 1), targets.flatten()).output.view_as(targets)


Head = FullHead | AdaptiveHead


def log_probabilities(head: Head, features: Tensor) -> Tensor:
    """Log probabilities of the next token, [..., tokens]."""
    return torch.log_softmax(head.logits(features), -1)
