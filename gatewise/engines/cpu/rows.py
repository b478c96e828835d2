"""Which thread runs which sequences, and where their numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The sequences of a call in the order in which the kernels run them.

    Each thread has a range of rows, sorted so that the shorter ones end first. A sequence that is
    run backwards starts at its true end.

    Attributes:
        order: Which sequence of the batch a row is; nothing where rows are the batch as it is.
        lengths: Steps of each row; nothing where all are as long as time.
        bounds: First row and row after the last of each thread.
        steps: Steps of the longest row of each thread.
        time: Steps of the call.
        reverse: Whether time runs backwards.
    """

    order: np.ndarray | None
    lengths: np.ndarray | None
    bounds: Sequence[tuple[int, int]]
    steps: Sequence[int]
    time: int
    reverse: bool

    def table(self, x: Tensor) -> tuple[np.ndarray, int]:
        """Where each row's first step is, and the bytes from one step to the next.

        Args:
            x: [batch, time, features], whatever the strides; one step for all times repeats.
        """
        size = x.element_size()
        batch, step = x.stride(0) * size, x.stride(1) * size if x.shape[1] > 1 else 0
        count = x.shape[0]
        rows = np.arange(count, dtype=np.int64) if self.order is None else self.order
        table = rows * batch + x.data_ptr()
        if self.reverse:
            ends = self.time if self.lengths is None else self.lengths
            return table + (ends - 1) * step, -step
        return table, step

    def taken(self, values: Tensor) -> Tensor:
        """Rows of a tensor of the batch."""
        return values if self.order is None else values[torch.from_numpy(self.order)]

    def given_back(self, values: Tensor) -> Tensor:
        """A tensor of the batch, of its rows."""
        if self.order is None:
            return values
        out = torch.empty_like(values)
        out[torch.from_numpy(self.order)] = values
        return out


def rows(
    batch: int, time: int, lengths: Tensor | None, reverse: bool, threads: int
) -> Rows:
    """Share out a batch.

    Example:
        >>> shared = rows(4, 9, torch.tensor([3, 9, 0, 5]), False, threads=2)
        >>> shared.order.tolist(), shared.bounds, shared.steps
        ([1, 0, 3, 2], [(0, 2), (2, 4)], [9, 5])
    """
    shares = max(1, min(threads, batch))
    cuts = [batch * k // shares for k in range(shares + 1)]
    bounds = [(cuts[k], cuts[k + 1]) for k in range(shares)]
    if lengths is None:
        return Rows(None, None, bounds, [time] * shares, time, reverse)
    found = lengths.numpy(force=True).astype(np.int64)
    longest = np.argsort(-found, kind="stable")
    # Dealt out like cards, so that each thread has long and short ones.
    hands = [longest[k::shares] for k in range(shares)]
    bounds, start = [], 0
    for hand in hands:
        bounds.append((start, start + len(hand)))
        start += len(hand)
    order = np.ascontiguousarray(np.concatenate(hands))
    sorted_ = np.ascontiguousarray(found[order])
    steps = [int(sorted_[b]) if e > b else 0 for b, e in bounds]
    return Rows(order, sorted_, bounds, steps, time, reverse)
