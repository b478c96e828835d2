"""Choose the next token by chance, in one of the usual ways."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from .sampling_spec import Sampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN = 1024
"""Uniform numbers that are drawn at a time."""


class Sampler:
    """Draws one token after another.

    Args:
        sampling: How.

    Example:
        >>> draw = Sampler(Sampling(temperature=0))
        >>> draw(np.array([0.1, 2.0, 0.3], np.float32))
        1
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._chance = np.random.default_rng(sampling.seed)
        self._drawn: list[float] = []
        self._recent: deque[int] = deque(maxlen=sampling.lately)
        self._is_plain = not sampling.top_k and sampling.top_p >= 1

    def __call__(self, logits: NDArray[Any]) -> int:
        """Choose a token.

        Args:
            logits: Scores, [tokens]; -inf for what must not come.
        """
        how = self._sampling
        if how.repetition > 1:
            logits = self._less_repeated(logits)
        token = int(logits.argmax()) if how.temperature == 0 else self._chosen(logits)
        if how.repetition > 1:
            self._recent.append(token)
        return token

    def _chosen(self, logits: NDArray[Any]) -> int:
        how = self._sampling
        p = np.exp((logits - logits.max()) * (1.0 / how.temperature))
        if self._is_plain:
            sums = p.cumsum()
            return int(sums.searchsorted(self._uniform() * sums[-1], "right"))
        order = np.argsort(-p, kind="stable")
        if how.top_k:
            order = order[: how.top_k]
        sums = p[order].cumsum()
        # A token belongs to the nucleus as long as those before it have not filled it.
        kept = int(sums.searchsorted(how.top_p * p.sum())) + 1 if how.top_p < 1 else len(order)
        sums = sums[:kept]
        return int(order[sums.searchsorted(self._uniform() * sums[-1], "right")])

    def _uniform(self) -> float:
        if not self._drawn:
            # Below 1, so that a rounded sum is never passed.
            self._drawn = (self._chance.random(DRAWN) * (1 - 2.0**-20)).tolist()
        return self._drawn.pop()

    def _less_repeated(self, logits: NDArray[Any]) -> NDArray[Any]:
        recent = np.fromiter(set(self._recent), np.int64)
        changed = logits.copy()
        scores = logits[recent]
        factor = self._sampling.repetition
        changed[recent] = np.where(scores > 0, scores / factor, scores * factor)
        return changed
