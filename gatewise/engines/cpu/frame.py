"""Argument blocks of a whole pass, made once and moved to where a call's tensors are.

Everything that the compiled functions read beside numbers, their blocks, tables of rows and lists
of jobs, is one array of words. Most words are the same for all calls of one form; the others are
addresses that lie some bytes behind the beginning of a tensor. So a call copies the array and
adds the beginnings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from . import threads
from .words import Words

_SELF = "frame"
NONE: Mapping[str, str] = MappingProxyType({})


class Place(NamedTuple):
    """An address that is not known yet.

    Attributes:
        base: What it lies in.
        offset: Bytes from the beginning of it.
    """

    base: str
    offset: int = 0

    def behind(self, offset: int) -> Place:
        """The place some bytes further."""
        return Place(self.base, self.offset + offset)


Value = int | Place


class Frame:
    """Words that are put together once and used by many calls."""

    def __init__(self) -> None:
        self._words: list[np.ndarray] = []
        self._count = 0
        self._based: dict[str, list[int]] = {}
        self._names: dict[str, list[int]] = {}
        self._template = np.zeros(0, dtype=np.int64)
        self._bases: tuple[str, ...] = ()
        self._moved = self._by = np.zeros(0, dtype=np.intp)
        self._named: dict[str, np.ndarray] = {}

    def put(self, values: Sequence[Value]) -> Place:
        """Add words; give where they are."""
        start = self._count
        numbers = np.empty(len(values), dtype=np.int64)
        for k, value in enumerate(values):
            if isinstance(value, Place):
                numbers[k] = value.offset
                self._based.setdefault(value.base, []).append(start + k)
            else:
                numbers[k] = value
        self._words.append(numbers)
        self._count += len(values)
        return Place(_SELF, 8 * start)

    def table(self, base: str, offsets: np.ndarray) -> Place:
        """Add addresses in one tensor."""
        start = self._count
        self._words.append(offsets.astype(np.int64))
        self._count += len(offsets)
        self._based.setdefault(base, []).extend(range(start, self._count))
        return Place(_SELF, 8 * start)

    def job(
        self,
        words: Words,
        function: int,
        told: Mapping[str, Value],
        named: Mapping[str, str] = NONE,
    ) -> Place:
        """Add the block of a function.

        Args:
            words: What the function reads; what is not told is 0.
            function: Its address.
            told: By name.
            named: Words that change while a call runs, and under which name `Live.set` does so.
        """
        for word, name in named.items():
            self._names.setdefault(name, []).append(self._count + words[word])
        return self.put([function, *(told.get(name, 0) for name in words.names[1:])])

    def region(self, jobs: Sequence[Place]) -> Place:
        """Add a list of jobs that may run at the same time."""
        return self.put([len(jobs), *threads.header(), *jobs])

    def team(self, jobs: Sequence[Place], alone: Place) -> Place:
        """Add a list of jobs that wait for each other, and one that does all of their work."""
        return self.put([len(jobs), *threads.header(), *jobs, alone])

    def done(self) -> Frame:
        """Close it: nothing is added any more."""
        self._template = np.concatenate(self._words)
        # Which words are addresses in a base, and in which.
        self._bases = tuple(self._based)
        self._moved = np.concatenate([np.array(k, dtype=np.intp) for k in self._based.values()])
        self._by = np.repeat(np.arange(len(self._bases)), [len(k) for k in self._based.values()])
        self._named = {name: np.array(k) for name, k in self._names.items()}
        return self

    def at(self, bases: Mapping[str, int]) -> Live:
        """A copy for one call.

        Args:
            bases: Where each tensor begins.
        """
        memory = self._template.copy()
        own = memory.ctypes.data
        begins = np.array([own if base == _SELF else bases[base] for base in self._bases])
        memory[self._moved] += begins[self._by]
        return Live(memory, own, self._named)


class Live:
    """The words of one call."""

    def __init__(self, memory: np.ndarray, address: int, named: Mapping[str, np.ndarray]) -> None:
        self._memory, self._address, self._named = memory, address, named

    def set(self, name: str, value: int) -> None:
        """Change a named word in all blocks that have it."""
        self._memory[self._named[name]] = value

    def address(self, place: Place) -> int:
        """Where a job is."""
        return self._address + place.offset

    def run(self, region: Place, count: int) -> None:
        """Run a region on up to `count` threads."""
        threads.start(self._address + region.offset, count)

    def run_team(self, region: Place, count: int) -> None:
        """Run a team on `count` threads, one for each job."""
        threads.start_together(self._address + region.offset, count)
