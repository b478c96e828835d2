"""Memory is lent, comes back by itself, is lent again, and never too much of it is kept."""

import ctypes
import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.engines.cpu import pool
from gatewise.engines.cpu.pool import Pool, size_class

MIB = 1 << 20


@pytest.fixture
def small():
    """A pool that keeps 16 MiB."""
    return Pool(16 * MIB)


@pytest.mark.parametrize("nbytes", [0, 1, 63, 64, 65, 1000, MIB - 1, MIB, 3 * MIB + 1, 65 * MIB])
def test_room_and_alignment(small, nbytes):
    with small.borrow(nbytes) as block:
        assert block.nbytes == nbytes
        assert block.address % (2 * MIB if nbytes >= MIB else 64) == 0
        ctypes.memset(block.address, 255, nbytes)


def test_classes_are_few_and_close():
    sizes = range(1, 4 * MIB, 997)
    assert all(n <= size_class(n) <= max(n * 9 / 8, n + 63) for n in sizes if n < MIB)
    assert all(size_class(n) % (2 * MIB) == 0 for n in sizes if n >= MIB)
    assert all(n <= size_class(n) <= n * 9 / 8 for n in range(16 * MIB, 40 * MIB, 99_991))
    assert len({size_class(n) for n in range(32 * MIB, 64 * MIB, 10_007)}) <= 9


def test_like_sizes_share_memory(small):
    first = small.borrow(900_000)
    address = first.address
    first.release()
    assert small.borrow(899_000).address == address
    assert small.idle == size_class(900_000)


def test_lent_memory_is_not_lent_twice(small):
    blocks = [small.borrow(2 * MIB) for _ in range(4)]
    assert len({block.address for block in blocks}) == 4


def test_second_release_does_nothing(small):
    with small.borrow(100) as block:
        block.release()
    block.release()
    assert block.address == 0
    assert small.idle == size_class(100)


def test_comes_back_by_itself(small):
    block = small.borrow(100)
    del block
    assert small.idle == size_class(100)
    knot = [small.borrow(100_000)]
    knot.append(knot)
    del knot
    gc.collect()
    assert small.idle == size_class(100) + size_class(100_000)


def test_oldest_goes_first(small):
    first, second, third = (small.borrow(n * MIB) for n in (6, 8, 4))
    for block in (first, second, third):
        block.release()
    assert small.idle == 12 * MIB
    small.empty()
    assert small.idle == 0
    small.borrow(18 * MIB).release()
    assert small.idle == 0


def test_tensor_is_the_memory(small):
    block = small.borrow(4 * 6 + 3)
    numbers = block.tensor((2, 3), torch.float32)
    assert numbers.data_ptr() == block.address
    numbers.fill_(1.5)
    assert ctypes.cast(block.address, ctypes.POINTER(ctypes.c_float))[5] == 1.5
    assert block.tensor((3,), torch.float64).dtype == torch.float64
    assert block.tensor((0, 7), torch.float32).shape == (0, 7)
    with pytest.raises(TypeError, match="too small"):
        block.tensor((7,), torch.float32)


def test_tensor_keeps_the_block(small):
    numbers = small.borrow(4000).tensor((10, 100), torch.float32)
    part = numbers[3:].view(-1)
    del numbers
    gc.collect()
    assert small.idle == 0
    del part
    assert small.idle == size_class(4000)


def test_released_block_has_no_tensors(small):
    block = small.borrow(64)
    block.release()
    with pytest.raises(ValueError, match="was released"):
        block.tensor((1,), torch.float32)


def test_bound_of_the_environment(monkeypatch):
    monkeypatch.setenv("GATEWISE_POOL_BYTES", "0")
    nothing = Pool()
    nothing.borrow(100).release()
    assert nothing.idle == 0
    monkeypatch.setenv("GATEWISE_POOL_BYTES", "1GB")
    with pytest.raises(InputError, match="GATEWISE_POOL_BYTES=1GB: give a whole number of bytes"):
        Pool().borrow(1)
    monkeypatch.delenv("GATEWISE_POOL_BYTES")
    assert 0 < pool.usual_bound() <= 2 << 30


def test_no_memory_left(small, monkeypatch):
    small.borrow(4 * MIB).release()
    usual, asked = pool.fresh, []

    def refuse(capacity):
        asked.append(capacity)
        if len(asked) == 1:
            raise OSError(12, "Cannot allocate memory")
        return usual(capacity)

    monkeypatch.setattr(pool, "fresh", refuse)
    with small.borrow(8 * MIB) as block:
        assert block.address
    assert asked == [8 * MIB, 8 * MIB]
    assert small.idle == 8 * MIB
    with pytest.raises(MemoryError, match=f"no {1 << 60} bytes left"):
        small.borrow(1 << 60)


def test_garbage_collector_inside_the_pool(small):
    block = small.borrow(100)
    with small._lock:
        del block  # as the collector would, wherever it happens to run
    assert small.idle == size_class(100)


def test_many_threads(small):
    wrong, start = [], threading.Barrier(8)

    def work(mark):
        start.wait()
        for k in range(300):
            with small.borrow(1000 + 4000 * (k % 7)) as block:
                view = np.asarray(block)
                view[:] = mark
                if (view != mark).any():
                    wrong.append(mark)

    workers = [threading.Thread(target=work, args=(mark,)) for mark in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    assert 0 < small.idle <= 16 * MIB


def test_pool_of_the_process():
    pool.empty_pool()
    before = pool._pool.idle
    pool.borrow(3 * MIB).release()
    assert pool._pool.idle == before + 4 * MIB
    pool.empty_pool()
    assert pool._pool.idle == 0


FORK = """
import ctypes, os
from gatewise.engines.cpu import pool
block = pool.borrow(4 << 20)
ctypes.memset(block.address, 1, block.nbytes)
pool._pool._lock.acquire()  # as a thread might hold it that the child has not got
child = os.fork()
if not child:
    ctypes.memset(block.address, 2, block.nbytes)
    block.release()
    again = pool.borrow(4 << 20)
    again.release()
    pool.empty_pool()
    os._exit(0)
pool._pool._lock.release()
assert os.waitpid(child, 0)[1] == 0
assert ctypes.string_at(block.address, block.nbytes) == b"\\1" * block.nbytes
"""

EXIT = """
import builtins, sys
from gatewise.engines.cpu import pool
builtins.late = pool.borrow(5000)
sys.late = pool.borrow(5 << 20)
pool.late = [pool.borrow(100)]
pool.late.append(pool.late)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_has_its_own_memory():
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    assert subprocess.run(command, timeout=60).returncode == 0


def test_blocks_that_live_to_the_end():
    done = subprocess.run([sys.executable, "-c", EXIT], timeout=60, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
