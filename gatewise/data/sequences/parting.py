"""The sequences of a fit in two parts, as a `Holdout` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from .holdout import FEWEST

if TYPE_CHECKING:
    from .holdout import Holdout
    from .sequences import Sequences


def parted(
    holdout: Holdout, sequences: Sequences, seed: int, strata: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """See `Holdout.part`."""
    n = len(sequences)
    by = holdout.by
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
    if not holdout.share or n < FEWEST:
        return np.arange(n), np.arange(0)
    rng = np.random.default_rng(seed)
    if by == "group":
        out = _groups(sequences.groups, holdout.share, rng)
    elif by == "time":
        order = np.argsort(np.asarray(sequences.starts), kind="stable")
        out = order[n - max(1, round(holdout.share * n)) :]
    else:
        out = _of_each(np.zeros(n, np.int64) if strata is None else strata, holdout.share, rng)
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
