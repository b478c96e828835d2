"""Training in less memory: what was not kept is computed again, chunk by chunk, on the way back."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isqrt

from .backward_pass import BackwardFrame
from .forward_pass import ForwardFrame, forward_frame
from .frame import Live, Place
from .task import Task
from .vanished import Vanished

_LEAST = 16
"""Steps of the shortest chunk of which everything is computed again."""


def chunk(time: int) -> int:
    """Steps of a chunk: an even number, so that two values in turn end where they began.

    Example:
        >>> chunk(100), chunk(10_000)
        (16, 100)
    """
    return max(_LEAST, isqrt(time) // 2 * 2)


@dataclass(frozen=True)
class Checkpoints:
    """The states at the beginning of each chunk, side by side, chunk after chunk.

    Attributes:
        frame: The forward pass that they are of.
        steps: Steps of a chunk.
        last: Steps in all.
    """

    frame: ForwardFrame
    steps: int
    last: int

    @property
    def size(self) -> int:
        """Bytes of the states of one chunk."""
        return sum(nbytes for _, nbytes in self.frame.states.values())

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return -(-self.last // self.steps)

    @property
    def nbytes(self) -> int:
        """Bytes in all."""
        return self.count * self.size

    def chunks(self) -> Iterator[tuple[int, int, int]]:
        """Number, first step and step after the last of each chunk."""
        for nth in range(self.count):
            yield nth, nth * self.steps, min(self.last, (nth + 1) * self.steps)

    def keep(self, address: int, nth: int, bases: Mapping[str, int]) -> None:
        """Copy the states at the beginning of a chunk from where the forward pass has them."""
        mine = address + nth * self.size
        for place, nbytes in self.frame.states.values():
            ctypes.memmove(mine, bases[place.base] + place.offset, nbytes)
            mine += nbytes

    def bring(
        self,
        address: int,
        nth: int,
        to: Mapping[str, tuple[Place, int]],
        bases: Mapping[str, int],
    ) -> None:
        """Copy those states of a chunk that are wanted to where they are wanted."""
        mine = address + nth * self.size
        for name, (_, nbytes) in self.frame.states.items():
            if name in to:
                place, _ = to[name]
                ctypes.memmove(bases[place.base] + place.offset, mine, nbytes)
            mine += nbytes


def run_forward(
    points: Checkpoints, address: int, live: Live, bases: Mapping[str, int], threads: int
) -> None:
    """Run forward chunk by chunk, and keep the states in between at an address."""
    frame = points.frame
    live.run(frame.prepare, threads)
    for nth, first, last in points.chunks():
        points.keep(address, nth, bases)
        live.set("first", first)
        live.set("last", last)
        live.run(frame.main, threads)
    live.run(frame.finish, threads)


def chunk_frame(parts: Task) -> ForwardFrame:
    """The frame that runs a chunk again and keeps what the backward pass wants of it."""
    form, time = parts.form, parts.form.sizes.time
    return forward_frame(form, parts.machine, parts.rows, "all", chunk(time))


@dataclass
class Again:
    """A forward pass that is run again, a chunk at a time.

    Attributes:
        frame: Its frame, with room for one chunk.
        live: Its words.
        bases: Where its tensors and its memory begin.
    """

    frame: ForwardFrame
    live: Live
    bases: Mapping[str, int]


def run_backward_again(
    points: Checkpoints,
    address: int,
    again: Again,
    frame: BackwardFrame,
    live: Live,
    threads: int,
    vanished: Vanished,
) -> None:
    """Run backward: forward through each chunk again, from the last, then back through it."""
    again.live.run(again.frame.prepare, threads)
    live.run(frame.prepare, threads)
    for nth, first, last in reversed(list(points.chunks())):
        if vanished.passes(first, last):
            continue
        points.bring(address, nth, again.frame.states, again.bases)
        for name, value in (("first", first), ("last", last), ("origin", first)):
            again.live.set(name, value)
        for name in ("origin", "state_origin"):
            live.set(name, first)
        again.live.run(again.frame.main, threads)
        frame.run(live, first, last, threads)
    live.run(frame.finish, threads)


def run_backward_rebuilding(
    points: Checkpoints,
    address: int,
    bases: Mapping[str, int],
    frame: BackwardFrame,
    live: Live,
    threads: int,
    vanished: Vanished,
) -> None:
    """Run backward: compute the states of each chunk again, from the last, then go back."""
    live.run(frame.prepare, threads)
    for nth, first, last in reversed(list(points.chunks())):
        if vanished.passes(first, last):
            continue
        points.bring(address, nth, frame.states, bases)
        for name, value in (("chunk", first), ("chunk_end", last), ("state_origin", first)):
            live.set(name, value)
        live.run(frame.rebuild, threads)
        frame.run(live, first, last, threads)
    live.run(frame.finish, threads)
