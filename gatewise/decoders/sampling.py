"""Choose the next token by chance, in one of the usual ways."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN = 1024
"""Uniform numbers that are drawn at a time."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn.

    Args:
        temperature: Below 1 for likely tokens, above 1 for unlikely ones; 0 for the likeliest.
        top_k: Only so many of the likeliest; 0 for all.
        top_p: Only the likeliest that together have this probability (nucleus sampling, Holtzman
            et al. 2020, https://arxiv.org/abs/1904.09751); 1 for all.
        repetition: Factor above 1 by which tokens written lately become less likely (Keskar et al.
            2019, https://arxiv.org/abs/1909.05858, who take 1.2); 1 for none.
        lately: How many tokens back that is.
        seed: Of the chance; None for another text every time.

    Raises:
        InputError: A number is out of its range.

    Example:
        >>> Sampling(temperature=-1)
        Traceback (most recent call last):
        gatewise.errors.InputError: temperature=-1: give a number of at least 0
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition: float = 1.0
    lately: int = 64
    seed: int | None = None

    def __post_init__(self) -> None:
        ranges = {
            "temperature": (0 <= self.temperature < math.inf, "a number of at least 0"),
            "top_k": (_whole(self.top_k, 0), "a whole number, 0 for all tokens"),
            "top_p": (0 < self.top_p <= 1, "a share above 0, 1 for all tokens"),
            "repetition": (1 <= self.repetition < math.inf, "a factor of at least 1"),
            "lately": (_whole(self.lately, 1), "a whole number of at least 1"),
            "seed": (self.seed is None or _whole(self.seed, 0), "a whole number, or None"),
        }
        for name, (fits, wanted) in ranges.items():
            if not fits:
                raise InputError(f"{name}={getattr(self, name)!r}: give {wanted}")


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


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
