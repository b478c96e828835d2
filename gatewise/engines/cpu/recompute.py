"""Training in little memory: gates are computed again, chunk by chunk, on the way back."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from torch import Tensor

from .backward_pass import BackwardFrame
from .forward_pass import ForwardFrame, forward_frame
from .frame import Live
from .pool import borrow
from .task import Form, Task

_LEAST = 16
"""Steps of the shortest chunk."""


def chunk(time: int) -> int:
    """Steps of a chunk: an even number, so that two values in turn end where they began.

    Example:
        >>> chunk(100), chunk(10_000)
        (16, 100)
    """
    return max(_LEAST, isqrt(time) // 2 * 2)


@dataclass
class Checkpoints:
    """The states at the beginning of each chunk.

    Attributes:
        memory: Where they are, states side by side, chunk after chunk.
        size: Bytes of a chunk's states.
        steps: Steps of a chunk.
    """

    memory: Tensor
    size: int
    steps: int

    def copy(self, nth: int, frame: ForwardFrame, bases: Mapping[str, int], *, out: bool) -> None:
        """Copy the states of a chunk from where a frame has them, or back."""
        mine = self.memory.data_ptr() + nth * self.size
        for place, nbytes in frame.states.values():
            theirs = bases[place.base] + place.offset
            ctypes.memmove(*((mine, theirs) if out else (theirs, mine)), nbytes)
            mine += nbytes


def run_forward(
    parts: Task, frame: ForwardFrame, live: Live, bases: Mapping[str, int], threads: int
) -> Checkpoints:
    """Run forward chunk by chunk, and keep the states in between."""
    steps, last = chunk(parts.form.sizes.time), parts.rows.steps
    size = sum(nbytes for _, nbytes in frame.states.values())
    count = -(-last // steps)
    kept = Checkpoints(borrow(count * size).bytes(), size, steps)
    live.run(frame.prepare, threads)
    for nth in range(count):
        kept.copy(nth, frame, bases, out=True)
        live.set("first", nth * steps)
        live.set("last", min(last, (nth + 1) * steps))
        live.run(frame.main, threads)
    live.run(frame.finish, threads)
    return kept


def chunk_frame(parts: Task, form: Form) -> ForwardFrame:
    """The frame that runs a chunk again and keeps what the backward pass wants of it."""
    return forward_frame(form, parts.machine, parts.rows, True, chunk(parts.form.sizes.time))


@dataclass
class Again:
    """A forward pass that is run again, a chunk at a time.

    Attributes:
        frame: Its frame, with room for one chunk.
        live: Its words.
        bases: Where its tensors and its memory begin.
        kept: The states at the beginning of each chunk.
    """

    frame: ForwardFrame
    live: Live
    bases: Mapping[str, int]
    kept: Checkpoints


def run_backward(parts: Task, again: Again, frame: BackwardFrame, live: Live, threads: int) -> None:
    """Run backward: forward through each chunk again, from the last, then back through it."""
    end, steps = parts.rows.steps, again.kept.steps
    again.live.run(again.frame.prepare, threads)
    live.run(frame.prepare, threads)
    for nth in reversed(range(-(-end // steps))):
        first, last = nth * steps, min(end, (nth + 1) * steps)
        again.kept.copy(nth, again.frame, again.bases, out=False)
        again.live.set("first", first)
        again.live.set("last", last)
        live.set("origin", first)
        again.live.run(again.frame.main, threads)
        frame.run(live, first, last, threads)
    live.run(frame.finish, threads)
