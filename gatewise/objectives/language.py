"""The loss of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..nn.networks.language import UNSCORED
from .activation import activation_regularization, temporal_activation_regularization

if TYPE_CHECKING:
    from torch import Tensor

    from ..nn.networks.language import LanguageOutput


@dataclass(frozen=True)
class LanguageLoss:
    """Mean surprise at the next token, in nats; in training with AR and TAR beside it.

    Merity, McCann & Socher 2017 (https://arxiv.org/abs/1708.01009): large outputs after dropout
    and changes of the outputs before it cost something.

    Args:
        alpha: Weight of large outputs.
        beta: Weight of changes.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> from gatewise.nn.networks.language import LanguageOutput
        >>> y = torch.ones(1, 2, 3)
        >>> output = LanguageOutput(torch.tensor([[2.0, 9.0]]), y, y, True)
        >>> LanguageLoss(alpha=0.5)(output, SimpleNamespace(targets=torch.tensor([[5, 0]]))).item()
        2.5
    """

    alpha: float = 0.0
    beta: float = 0.0

    def __call__(self, output: LanguageOutput, batch: Any) -> Tensor:
        """Mean over the targets that count."""
        scored = batch.targets != UNSCORED
        loss = (output.nats * scored).sum() / scored.sum().clamp(min=1)
        if output.training and self.alpha:
            loss = loss + activation_regularization(output.dropped, self.alpha)
        if output.training and self.beta:
            loss = loss + temporal_activation_regularization(output.features, self.beta)
        return loss
