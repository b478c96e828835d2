"""What a reply costs: how unlikely it is, and how hard it is to tell from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

_NEVER = -1e4


@dataclass(frozen=True)
class DialogueLoss:
    """Cross-entropy of the reply's tokens, and of the reply among those of the batch.

    The second term takes the replies of the other conversations as wrong ones (in-batch negatives:
    Henderson et al. 2017, https://arxiv.org/abs/1705.00652, section 4), but for those that are
    known to be right, too. Each of several matchers is taught by itself.

    Args:
        ranking: Weight of the second term.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace as Names
        >>> output = Names(scores=torch.zeros(1, 2, 2), logits=torch.zeros(3, 4))
        >>> right, also = torch.tensor([0, 1]), torch.zeros(2, 2, dtype=torch.bool)
        >>> batch = Names(right=right, also=also, answers=torch.tensor([0, 1, 2]))
        >>> round(float(DialogueLoss()(output, batch).exp()), 4)
        8.0
    """

    ranking: float = 1.0

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean over the batch's tokens, and over its conversations."""
        scores = output.scores.masked_fill(batch.also, _NEVER)
        right = batch.right.expand(len(scores), -1)
        written = functional.cross_entropy(output.logits, batch.answers)
        ranked = functional.cross_entropy(scores.flatten(0, 1), right.flatten())
        return written + self.ranking * ranked
