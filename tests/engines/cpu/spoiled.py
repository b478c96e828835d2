"""Memory that shows who reads or writes what is not theirs: all that is lent is full of NaN."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch

from gatewise.engines.cpu import pool

# Bytes of all ones are a NaN in every floating type, and -1 as a whole number.
ONES = 255
# Bytes behind the end of each block that nobody may write to: a row of the widest vectors.
GUARD = 256


@contextmanager
def spoiled() -> Iterator[None]:
    """Fill with NaN what the process's pool lends and what torch makes without content.

    A write behind a block's end is an error once the block goes back.
    """
    usual, determined = pool._pool.borrow, torch.are_deterministic_algorithms_enabled()
    # In this mode torch fills what `torch.empty` and its like give with NaN.
    torch.use_deterministic_algorithms(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool._pool, "borrow", lambda nbytes: _lent(usual, nbytes))
        yield
    torch.use_deterministic_algorithms(determined)


def _lent(usual: Callable[[int], pool.Block], nbytes: int) -> pool.Block:
    block = usual(nbytes + GUARD)
    ctypes.memset(block.address, ONES, nbytes + GUARD)
    end, back = block.address + nbytes, block._give_back

    def give_back(memory: pool.Memory) -> None:
        untouched = ctypes.string_at(end, GUARD) == bytes([ONES]) * GUARD
        back(memory)
        if not untouched:
            raise AssertionError(f"something was written behind the end of {nbytes} bytes")

    block.nbytes, block._give_back = nbytes, give_back
    return block
