"""Attention that looks at a window of the memory only."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...errors import InputError, nearest
from ..arguments import check_sizes
from ..masks import masked_softmax
from .attention import MultiplicativeAttention, Prepared

ALIGNMENTS = ("predictive", "monotonic")
"""How the middle of the window is found."""


class LocalAttention(MultiplicativeAttention):
    """Attention to the steps within a window around one place of the memory.

    Luong, Pham & Manning, Effective Approaches to Attention-based Neural Machine Translation,
    2015 (https://arxiv.org/abs/1508.04025), section 3.2, with steps counted from 0. The window
    holds the steps at most `window` (their D) from the place p.

    `"predictive"` (local-p) finds `p = S sigmoid(v . tanh(W query))` for a memory of S steps, and
    weights the softmax over the window by a Gaussian around p of standard deviation `window / 2`,
    so the weights add up to less than 1, and gradients reach p through the Gaussian alone.
    `"monotonic"` (local-m) takes the place of the query in its own sequence, which `attend` is
    told by `at`; past the memory's last step it stays at that one, where the paper says nothing.

    The window saves no time: all scores are computed, in one product.

    Args:
        query_size: Features of a query.
        memory_size: Features of each step of the memory; those of the query for `score="dot"`.
        window: Steps to each side.
        alignment: One of the two.
        score: As in `MultiplicativeAttention`.

    Raises:
        InputError: A size is not a whole number of at least 1, or there is no such name.

    Example:
        >>> import torch
        >>> attention = LocalAttention(4, 6, window=1, alignment="monotonic")
        >>> memory = attention.prepare(torch.randn(1, 5, 6))
        >>> _, weights = attention.attend(torch.randn(1, 4), memory, at=3)
        >>> (weights > 0).tolist()
        [[False, False, True, True, True]]
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        window: int,
        alignment: str = "predictive",
        score: str = "general",
    ) -> None:
        super().__init__(query_size, memory_size, score=score)
        check_sizes({"window": window}, 0.0)
        if alignment not in ALIGNMENTS:
            raise InputError(
                f"alignment={alignment!r}: give one of these; {nearest(str(alignment), ALIGNMENTS)}"
            )
        self.window = window
        self.alignment = alignment
        if alignment == "predictive":
            self.place = nn.Sequential(
                nn.Linear(query_size, query_size, bias=False),
                nn.Tanh(),
                nn.Linear(query_size, 1, bias=False),
                nn.Sigmoid(),
            )

    def _read(self, query: Tensor, prepared: Prepared, at: Tensor | int) -> tuple[Tensor, Tensor]:
        steps = torch.arange(prepared.real.shape[1], device=query.device)
        away = steps - self._middle(query, prepared.real.sum(1), at).unsqueeze(-1)
        near = prepared.real.unsqueeze(1) & (away.abs() <= self.window)
        weights = masked_softmax(self.scores(query, prepared.keys), near)
        if self.alignment == "predictive":
            weights = weights * torch.exp(-2 * (away / self.window).square())
        return weights @ prepared.values, weights

    def _middle(self, query: Tensor, lengths: Tensor, at: Tensor | int) -> Tensor:
        """The place p of each query, [batch, steps]."""
        if self.alignment == "predictive":
            return lengths.unsqueeze(1) * self.place(query).squeeze(-1)
        first = torch.as_tensor(at, device=query.device).reshape(-1, 1)
        own = first + torch.arange(query.shape[1], device=query.device)
        return torch.minimum(own, (lengths - 1).unsqueeze(1))
