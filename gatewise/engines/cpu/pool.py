"""Memory for what a kernel keeps between its passes: borrowed, given back and lent again."""

from __future__ import annotations

import mmap
import os
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_VARIABLE = "GATEWISE_POOL_BYTES"
_MOST = 2 << 30

_LINE = 64
_HUGE = 2 << 20
# From this size on, memory comes in huge pages.
_LARGE = 1 << 20


class Memory(NamedTuple):
    """A piece of the system's memory.

    Attributes:
        capacity: Bytes that it has.
        address: Where it begins.
        owner: What keeps it from going back to the system.
    """

    capacity: int
    address: int
    owner: object


class Block:
    """Borrowed memory, which goes back when it is released or when nothing refers to it.

    Attributes:
        address: Where it begins; 0 once it is released.
        nbytes: How many bytes were asked for.
    """

    def __init__(self, memory: Memory, nbytes: int, give_back: Callable[[Memory], None]) -> None:
        self.address = memory.address
        self.nbytes = nbytes
        self._memory: Memory | None = memory
        self._give_back = give_back

    def __enter__(self) -> Block:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Give the memory back; whoever borrows next may write to it. A second time does nothing.

        Tensors of the block must not be used any more.
        """
        memory, self._memory, self.address = self._memory, None, 0
        if memory is not None:
            self._give_back(memory)

    def tensor(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """View the beginning of the block as numbers; the tensor keeps the block from going back.

        Args:
            shape: Of the tensor.
            dtype: `torch.float32` or `torch.float64`.

        Raises:
            TypeError: The block is too small.
            ValueError: It was released.
        """
        import torch

        kind = str(dtype).removeprefix("torch.")
        return torch.from_numpy(np.ndarray(shape, kind, buffer=np.asarray(self)))

    def bytes(self) -> Tensor:
        """View the whole block as bytes; the tensor keeps it from going back."""
        import torch

        return torch.from_numpy(np.asarray(self))

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The bytes, as NumPy asks for them: its arrays keep the block alive."""
        if self._memory is None:
            raise ValueError("this block of memory was released")
        return {
            "version": 3,
            "typestr": "|u1",
            "shape": (self.nbytes,),
            "data": (self.address, False),
        }


class Pool:
    """Keeps released memory for the next who asks for as much, up to a bound.

    Args:
        bound: Bytes that may lie idle, those in use not counted; `None`: `GATEWISE_POOL_BYTES`, or
            an eighth of the machine's memory and 2 GiB at most.
    """

    def __init__(self, bound: int | None = None) -> None:
        self._bound = bound
        # Blocks die wherever the garbage collector runs, in here too: they only queue up.
        self._returned: deque[Memory] = deque()
        self.forget()

    def forget(self) -> None:
        """Start anew, as a forked child must: a thread that it does not have may hold the lock."""
        self._lock = threading.Lock()
        self._idle = 0
        self._releases = 0
        # For each capacity, the memory that lies idle and when it came: the latest at the end.
        self._shelves: defaultdict[int, deque[tuple[int, Memory]]] = defaultdict(deque)

    @property
    def idle(self) -> int:
        """Bytes that lie idle."""
        with self._lock:
            self._settle()
            return self._idle

    def borrow(self, nbytes: int) -> Block:
        """Lend memory: aligned to 64 bytes, from 1 MiB on in huge pages, with any content.

        Raises:
            InputError: `GATEWISE_POOL_BYTES` is no number of bytes.
            MemoryError: The system has not got as much.
        """
        if self._bound is None:
            self._bound = usual_bound()
        capacity = size_class(nbytes)
        with self._lock:
            self._settle()
            shelf = self._shelves.get(capacity)
            memory = shelf.pop()[1] if shelf else None
            if memory is not None:
                self._idle -= capacity
        return Block(memory or self._fresh(capacity), nbytes, self._take_back)

    def empty(self) -> None:
        """Return all idle memory to the system."""
        with self._lock:
            self._settle()
            self._shelves.clear()
            self._idle = 0

    def _fresh(self, capacity: int) -> Memory:
        try:
            return fresh(capacity)
        except (OSError, MemoryError):
            self.empty()
        try:
            return fresh(capacity)
        except OSError as error:
            raise MemoryError(f"the system has no {capacity} bytes left") from error

    def _take_back(self, memory: Memory) -> None:
        self._returned.append(memory)
        lock = self._lock
        if lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                lock.release()

    def _settle(self) -> None:
        """Shelve what came back, and drop what lay idle for longest; with the lock held."""
        while self._returned:
            memory = self._returned.popleft()
            self._releases += 1
            self._shelves[memory.capacity].append((self._releases, memory))
            self._idle += memory.capacity
        while self._idle > (self._bound or 0):
            capacity = min((s[0][0], size) for size, s in self._shelves.items() if s)[1]
            self._shelves[capacity].popleft()
            self._idle -= capacity


def size_class(nbytes: int) -> int:
    """Round a size up, by an eighth at most, or to whole lines or huge pages.

    Example:
        >>> size_class(1), size_class(1000), size_class(3 << 20) >> 20, size_class(65 << 20) >> 20
        (64, 1024, 4, 72)
    """
    unit = _HUGE if nbytes >= _LARGE else _LINE
    step = max(unit, 1 << max(nbytes.bit_length() - 4, 0))
    return max(-(-nbytes // step), 1) * step


def fresh(capacity: int) -> Memory:
    """Get memory from the system.

    Raises:
        OSError: There is none left.
        MemoryError: The same.
    """
    if capacity < _LARGE:
        owner = np.empty(capacity + _LINE, np.uint8)
        unit = _LINE
    else:
        owner = _map(capacity + _HUGE)
        unit = _HUGE
    start = np.frombuffer(owner, np.uint8).ctypes.data
    return Memory(capacity, -(-start // unit) * unit, owner)


def _map(size: int) -> mmap.mmap:
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A system that was built without them takes ordinary pages.
        with suppress(OSError):
            pages.madvise(mmap.MADV_HUGEPAGE)
    return pages


def usual_bound() -> int:
    """Give how much may lie idle.

    Raises:
        InputError: `GATEWISE_POOL_BYTES` is no number of bytes.
    """
    given = os.environ.get(_VARIABLE, "")
    if given:
        if not given.isdecimal():
            raise InputError(f"{_VARIABLE}={given}: give a whole number of bytes, 0 to keep none")
        return int(given)
    try:
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return _MOST
    return min(physical // 8, _MOST)


_pool = Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.forget)


def borrow(nbytes: int) -> Block:
    """Borrow memory from the pool of this process; see `Pool.borrow`."""
    return _pool.borrow(nbytes)


def empty_pool() -> None:
    """Return to the system the memory that the CPU kernels keep for their next call."""
    _pool.empty()
