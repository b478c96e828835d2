"""Which sequences are held out: whole groups, the latest ones, or some of every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from .sequences import Sequences

FEWEST = 8
"""Fewer sequences than this are not parted."""


@dataclass(frozen=True)
class Holdout:
    """What is held out of a fit, to stop by, to calibrate and to judge on.

    Args:
        share: Of the sequences; 0 to hold nothing out, and train to the last epoch.
        by: "group" keeps the sequences of one group together; "time" holds out the latest;
            "label" takes the same share of every class; "auto" takes groups where they are
            known, and labels elsewhere.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> Holdout(0.2, by="time").share
        0.2
    """

    share: float = 0.1
    by: Literal["auto", "label", "group", "time"] = "auto"

    def __post_init__(self) -> None:
        known = ("auto", "label", "group", "time")
        if self.by not in known:
            raise InputError(f"by={self.by!r}: give one of {', '.join(known)}")
        number = isinstance(self.share, int | float) and not isinstance(self.share, bool)
        if not number or not 0 <= self.share < 1:
            raise InputError(f"share={self.share!r}: give a number from 0 to below 1")

    def part(
        self, sequences: Sequences, seed: int, strata: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Part the sequences in two.

        Args:
            sequences: All there are.
            seed: Of what is drawn.
            strata: Class of each (int64), whose shares are kept; None where there are none. A
                class that occurs once is not held out.

        Returns:
            Indices to fit on and indices held out, int64, both in order.

        Raises:
            InputError: There are no groups or times to part by.
        """
        from .parting import parted

        return parted(self, sequences, seed, strata)
