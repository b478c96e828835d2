"""How tokens are drawn, as a small value that the command line fills in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..errors import InputError


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
        gatewise.errors.InputError: temperature=-1: give a finite number of at least 0
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition: float = 1.0
    lately: int = 64
    seed: int | None = None

    def __post_init__(self) -> None:
        ranges = {
            "temperature": (_within(self.temperature, 0), "a finite number of at least 0"),
            "top_k": (_whole(self.top_k, 0), "a whole number, 0 for all tokens"),
            "top_p": (
                _within(self.top_p, 0) and 0 < self.top_p <= 1,
                "a share above 0, 1 for all tokens",
            ),
            "repetition": (_within(self.repetition, 1), "a factor of at least 1"),
            "lately": (_whole(self.lately, 1), "a whole number of at least 1"),
            "seed": (self.seed is None or _whole(self.seed, 0), "a whole number, or None"),
        }
        for name, (fits, wanted) in ranges.items():
            if not fits:
                raise InputError(f"{name}={getattr(self, name)!r}: give {wanted}")


def _within(value: Any, least: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and least <= value < math.inf


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
