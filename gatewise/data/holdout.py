"""Which sequences are held out: whole groups, the latest ones, or some of every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
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
        n = len(sequences)
        by = self.by
        if by == "auto":
            by = "label" if sequences.groups is None else "group"
        for wanted, there, column in (
            ("group", sequences.groups, "group"),
            ("time", sequences.starts, "time"),
        ):
            if by == wanted and there is None:
                raise InputError(
                    f"holdout.by={wanted!r}, and the data has no {column} column; name one with "
                    f"{column} (--{column}), or hold out by label"
                )
        if not self.share or n < FEWEST:
            return np.arange(n), np.arange(0)
        rng = np.random.default_rng(seed)
        if by == "group":
            out = _groups(sequences.groups, self.share, rng)
        elif by == "time":
            order = np.argsort(np.asarray(sequences.starts), kind="stable")
            out = order[n - max(1, round(self.share * n)) :]
        else:
            out = _of_each(np.zeros(n, np.int64) if strata is None else strata, self.share, rng)
        held = np.zeros(n, dtype=bool)
        held[out] = True
        return np.flatnonzero(~held), np.flatnonzero(held)


def _groups(groups: np.ndarray | None, share: float, rng: np.random.Generator) -> np.ndarray:
    """Hold out whole groups, drawn at random, until the share is reached."""
    listed = [] if groups is None else [str(g) for g in groups]
    names = sorted(set(listed))
    if len(names) < 2:
        raise InputError(
            f"all sequences are of one group ({', '.join(names)}), and nothing can be held out by "
            "group; set holdout.by to 'label', or holdout.share to 0"
        )
    sizes = {name: listed.count(name) for name in names}
    taken: set[str] = set()
    for place in rng.permutation(len(names))[:-1].tolist():
        if sum(sizes[t] for t in taken) >= share * len(listed):
            break
        taken.add(names[place])
    return np.array([i for i, g in enumerate(listed) if g in taken], dtype=np.int64)


def _of_each(strata: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Hold out the same share of every class, and leave each at least one."""
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    counts = np.bincount(strata)
    # Spread what rounding leaves over the classes, rather than lose it in each.
    wanted = np.diff(np.round(np.concatenate([[0], np.cumsum(counts * share)]) + 1e-9))
    wanted = np.minimum(wanted.astype(np.int64), np.maximum(counts - 1, 0))
    ends = np.concatenate([[0], np.cumsum(counts)])
    return np.concatenate([order[ends[k] : ends[k] + wanted[k]] for k in range(len(counts))])
