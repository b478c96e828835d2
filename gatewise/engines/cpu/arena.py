"""One piece of memory for the many buffers of a pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from . import pool

_LINE = 64


class Arena:
    """Buffers side by side: ask for all of them, borrow once, then take their addresses.

    Example:
        >>> arena = Arena()
        >>> first, second = arena.ask(100), arena.ask(8)
        >>> arena.borrow()
        >>> arena.at(second) - arena.at(first)
        128
        >>> arena.release()
    """

    def __init__(self) -> None:
        self._total = 0
        self._block: pool.Block | None = None

    def ask(self, nbytes: int) -> int:
        """Reserve room; give the place of it."""
        place = self._total
        self._total += -(-nbytes // _LINE) * _LINE
        return place

    def borrow(self) -> None:
        """Get the memory for all that was asked for."""
        self._block = pool.borrow(self._total)

    def at(self, place: int) -> int:
        """The address of a place."""
        assert self._block is not None, "borrow comes first"
        return self._block.address + place

    def tensor(self, place: int, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """The numbers that begin at a place; only while the memory is borrowed."""
        assert self._block is not None, "borrow comes first"
        kind = np.float32 if dtype == torch.float32 else np.float64
        count = math.prod(shape)
        whole = np.asarray(self._block)[place : place + count * np.dtype(kind).itemsize]
        return torch.from_numpy(whole.view(kind).reshape(shape))

    def take(self) -> pool.Block:
        """Hand over the memory to somebody who releases it."""
        assert self._block is not None, "borrow comes first"
        return self._block

    def release(self) -> None:
        """Give all of it back."""
        if self._block is not None:
            self._block.release()
