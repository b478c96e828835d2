"""Which thread runs which sequences, and where their numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The sequences of a call in the order in which the kernels run them.

    Each thread has a range of rows, sorted so that the shorter ones end first. A sequence that is
    run backwards starts at its true end.

    Attributes:
        order: Which sequence of the batch a row is.
        lengths: Steps of each row; nothing where all are as long as time.
        bounds: First row and row after the last of each thread.
        steps: Steps of the longest row.
        time: Steps of the call.
        reverse: Whether time runs backwards.
    """

    order: np.ndarray
    lengths: np.ndarray | None
    bounds: Sequence[tuple[int, int]]
    steps: int
    time: int
    reverse: bool

    def offsets(self, batch: int, step: int) -> tuple[np.ndarray, int]:
        """Bytes from a tensor's beginning to each row's first step, and from step to step.

        Args:
            batch: Bytes from one sequence to the next.
            step: Bytes from one time to the next; 0 where all times share one.
        """
        table = self.order * batch
        if self.reverse:
            ends = self.time if self.lengths is None else self.lengths
            return table + (ends - 1) * step, -step
        return table, step


def rows(batch: int, time: int, lengths: Tensor | None, reverse: bool, threads: int) -> Rows:
    """Share out a batch.

    Example:
        >>> import torch
        >>> shared = rows(4, 9, torch.tensor([3, 9, 0, 5]), False, threads=2)
        >>> shared.order.tolist(), shared.bounds, shared.lengths.tolist()
        ([1, 0, 3, 2], [(0, 2), (2, 4)], [9, 3, 5, 0])
    """
    shares = max(1, min(threads, batch))
    if lengths is None:
        return _full(batch, time, reverse, shares)
    found = lengths.numpy(force=True).astype(np.int64)
    longest = np.argsort(-found, kind="stable")
    # Dealt out like cards, so that each thread has long and short ones.
    hands = [longest[k::shares] for k in range(shares)]
    ends = np.cumsum([len(hand) for hand in hands]).tolist()
    order = np.concatenate(hands)
    bounds = list(zip([0, *ends[:-1]], ends, strict=True))
    return Rows(order, found[order], bounds, int(found.max()), time, reverse)


@lru_cache(maxsize=256)
def _full(batch: int, time: int, reverse: bool, shares: int) -> Rows:
    cuts = [batch * k // shares for k in range(shares + 1)]
    bounds = [(cuts[k], cuts[k + 1]) for k in range(shares)]
    return Rows(np.arange(batch), None, bounds, time, time, reverse)
