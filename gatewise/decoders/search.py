"""How answers are searched for, as a small value."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class Search:
    """How a network's likeliest sequence is searched for.

    Args:
        beam: Hypotheses kept of each sentence; 1 for greedy search.
        penalty: How much longer sequences are preferred: the exponent of the length penalty (Wu et
            al. 2016, https://arxiv.org/abs/1609.08144); 0 ranks by probability alone.
        no_repeat: Length of runs of tokens that may not occur twice; 0 to allow all.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> Search(beam=0)
        Traceback (most recent call last):
        gatewise.errors.InputError: beam=0: give a whole number of at least 1
    """

    beam: int = 5
    penalty: float = 1.0
    no_repeat: int = 0

    def __post_init__(self) -> None:
        for name, least in (("beam", 1), ("no_repeat", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name}={value!r}: give a whole number of at least {least}")
        penalty = self.penalty
        if isinstance(penalty, bool) or not isinstance(penalty, int | float) or not penalty >= 0:
            raise InputError(f"penalty={penalty!r}: give a number of at least 0")
