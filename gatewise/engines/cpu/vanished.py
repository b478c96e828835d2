"""Gradients that have vanished on the way back: steps that none reaches are passed over.

A loss on the last step of a long sequence sends a gradient back that falls by some factor with each
step, below what a float can hold in the end. Denormals are flushed, so from there on every product
is exactly zero, and so is all that would be added up of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from .forked import torch_alone
from .rows import Rows

_STRETCH = 16
"""Steps after which it is worth to look again, at least."""


class Vanished:
    """Knows which steps of a backward pass no gradient reaches.

    Args:
        carries: Address and number of bytes of the gradients of each state, as the pass has them
            between two steps.
        kind: `numpy.float32` or `numpy.float64`.
        rows: Who runs what.
        dy: Gradient of the outputs, [batch, time, output], if there is one.
        dx: Where that of the input goes, [batch, time, input], if it is wanted.
    """

    def __init__(
        self,
        carries: Iterable[tuple[int, int]],
        kind: type[np.floating],
        rows: Rows,
        dy: Tensor | None,
        dx: Tensor | None,
    ) -> None:
        self._carries = [_numbers(address, nbytes, kind) for address, nbytes in carries]
        self._rows, self._dy, self._dx = rows, dy, dx
        self._begun = False
        # A number that was not zero when all were looked at: as long as it is not, the others do
        # not matter.
        self._sample, self._at = self._carries[0], 0
        self._reached: np.ndarray | None = None

    def stretches(self, steps: int, each: int) -> Iterator[tuple[int, int]]:
        """First step and step after the last of what is left to run, from the end of time.

        Args:
            steps: All steps.
            each: Steps that run at once; a stretch is some of these, since looking takes time.
        """
        length = stretch(each)
        for end in range(steps, 0, -length):
            begin = max(0, end - length)
            if not self.passes(begin, end):
                yield begin, end

    def passes(self, first: int, last: int) -> bool:
        """Whether nothing reaches the steps from `last` down to `first`; `dx` is 0 there then.

        The steps behind them are done. An infinite input or weight that such a step would have
        multiplied by zero is not seen.
        """
        if not self._begun:
            # The pass begins with a gradient, or all of it is to be looked at: not worth it.
            self._begun = True
            return False
        if self._is_carried(first):
            return False
        if self._reached is None:
            self._reached = _reached(self._dy, self._rows)
        if self._reached[first:last].any():
            return False
        if self._dx is not None and self._rows.lengths is None:
            begin, end = first, last
            if self._rows.reverse:
                begin, end = self._rows.time - last, self._rows.time - first
            with torch_alone():
                self._dx[:, begin:end].zero_()
        return True

    def _is_carried(self, first: int) -> bool:
        """Whether a row that has steps from `first` on has a gradient; of others it waits."""
        lengths = self._rows.lengths
        if lengths is not None:
            under_way = lengths > first
            return any(c.reshape(len(lengths), -1)[under_way].any() for c in self._carries)
        if self._sample[self._at]:
            return True
        for carry in self._carries:
            # Quicker than `any`, and what is not a number comes through both.
            if carry.max() != 0 or carry.min() != 0:
                self._sample, self._at = carry, int(carry.astype(bool).argmax())
                return True
        return False


def stretch(each: int) -> int:
    """Steps between two looks, where `each` run at once: a whole number of these.

    Example:
        >>> stretch(5), stretch(100)
        (20, 100)
    """
    return each * -(-_STRETCH // each)


def _numbers(address: int, nbytes: int, kind: type[np.floating]) -> np.ndarray:
    return np.frombuffer(memoryview((ctypes.c_char * nbytes).from_address(address)), kind)


def _reached(dy: Tensor | None, rows: Rows) -> np.ndarray:
    """Which steps, as the rows count them, have a gradient from outside."""
    reached = np.zeros(rows.time, dtype=bool)
    if dy is None:
        return reached
    with torch_alone():
        sequence, step = torch.any(dy, dim=-1).nonzero().numpy().T
    if rows.reverse:
        ends = np.full(len(rows.order), rows.time)
        if rows.lengths is not None:
            ends[rows.order] = rows.lengths
        step = ends[sequence] - 1 - step
    reached[step[step >= 0]] = True
    return reached
