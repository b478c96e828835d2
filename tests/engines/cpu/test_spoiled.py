"""The memory in which this engine's tests run shows what is read or written outside of it."""

import ctypes

import numpy as np
import pytest
import torch

from gatewise.engines.cpu import pool


def test_what_is_lent_or_made_holds_no_number():
    for nbytes in (0, 8, 1000, 3 << 20):
        for _ in range(2):  # the second time it is what came back
            with pool.borrow(nbytes) as block:
                assert block.nbytes == nbytes
                for dtype in (torch.float32, torch.float64):
                    assert block.tensor((nbytes // dtype.itemsize,), dtype).isnan().all()
                block.bytes().zero_()
    assert torch.empty(3, 2).isnan().all()
    assert torch.empty_like(torch.ones(2).double()).isnan().all()


@pytest.mark.parametrize("nbytes", [40, 64, 5000])
def test_a_write_behind_the_end_is_an_error(nbytes):
    block = pool.borrow(nbytes)
    ctypes.memset(block.address, 0, nbytes)
    block.release()
    block = pool.borrow(nbytes)
    ctypes.memset(block.address, 0, nbytes + 1)
    with pytest.raises(AssertionError, match=f"behind the end of {nbytes} bytes"):
        block.release()


def test_other_pools_are_as_they_are():
    own = pool.Pool(1 << 20)
    with own.borrow(64) as block:
        np.asarray(block)[:] = 7
    assert (np.asarray(own.borrow(64)) == 7).all()
