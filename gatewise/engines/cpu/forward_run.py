"""One call forward: its tensors, its frame, its memory, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..call import Call
from .backward_pass import CHECK
from .forward_pass import ForwardFrame, forward_frame, products, run_time
from .pool import borrow
from .recompute import Checkpoints, chunk, chunk_frame, run_forward
from .task import Share, Task, like_input, task, threads_of

_LARGE = 4 << 20
"""Bytes of states from which on they are kept now and then only."""


@dataclass
class Kept:
    """What a forward pass leaves for its backward pass.

    Attributes:
        frame: Says where what was kept is: of all of time, or of a chunk that is run again.
        share: Who ran what.
        memory: What was kept, and behind it the states in between.
        points: Which states these are; nothing where states are kept of all of time.
    """

    frame: ForwardFrame
    share: Share
    memory: Tensor
    points: Checkpoints | None = None

    @property
    def address(self) -> int:
        """Where what was kept begins."""
        return self.memory.data_ptr()

    @property
    def between(self) -> int:
        """Where the states in between begin."""
        assert self.points is not None, "there are none"
        return self.address + self.points.frame.kept

    @property
    def is_run_again(self) -> bool:
        """Whether nothing but states in between was kept."""
        return self.points is not None and self.points.frame is not self.frame

    def apart(self) -> tuple[Kept, Tensor]:
        """What says where everything is, and the memory, which autograd looks after."""
        return replace(self, memory=torch.empty(0)), self.memory

    def together(self, memory: Tensor) -> Kept:
        """Undo `apart`; the memory may be elsewhere now."""
        return replace(self, memory=memory)


class ForwardRun:
    """A forward pass, ready to run: `run`, or `alone` among the jobs of others, then `kept`.

    Args:
        call: With at least one sequence and one step.
        keep: Whether what its backward pass wants is kept.
        threads: How many may share the work; nothing for torch's number.

    Attributes:
        y: Outputs.
        last: Final states.
    """

    def __init__(self, call: Call, keep: bool, threads: int | None = None) -> None:
        self._parts = parts = task(call, threads=threads)
        self._keep = keep
        self.y = like_input(parts, parts.form.sizes.output)
        self.last = tuple(torch.empty(s.shape, dtype=s.dtype) for s in call.state)
        self._tensors = parts.tensors | {"y": self.y}
        self._how = _what_to_keep(call, parts) if keep else "nothing"
        form, time = parts.form, parts.form.sizes.time
        self._frame = found = forward_frame(form, parts.machine, parts.rows, self._how, time)
        if found.few_rows:
            self._tensors["sums"] = products(self._tensors["x"], self._tensors["weight_ih"])
        self._points: Checkpoints | None = None
        if keep and self._how != "all":
            steps = CHECK if self._how == "values" else chunk(time)
            self._points = Checkpoints(found, steps, parts.rows.steps)
        more = self._points.nbytes if self._points else 0
        self._kept = borrow(found.kept + more) if keep else None
        self._arena = borrow(found.arena)
        bases = {name: tensor.data_ptr() for name, tensor in self._tensors.items()}
        for name, end in zip(parts.form.plan.states, self.last, strict=True):
            bases[f"final:{name}"] = end.data_ptr()
        bases["arena"] = self._arena.address
        bases["kept"] = 0 if self._kept is None else self._kept.address
        self._bases, self._live = bases, found.frame.at(bases)

    def run(self) -> None:
        """Run it, and give back what was borrowed for the time of the pass."""
        found, live, threads = self._frame, self._live, threads_of(self._parts)
        with self._arena:
            if self._points is not None:
                address = self._bases["kept"] + found.kept
                run_forward(self._points, address, live, self._bases, threads)
            elif threads == 1:
                live.run(found.whole, 1)
            else:
                live.run(found.prepare, threads)
                run_time(found, live, threads)
                live.run(found.finish, threads)

    @property
    def is_one_job(self) -> bool:
        """Whether `alone` does all of it."""
        return self._points is None and self._frame.alone is not None

    def alone(self) -> int:
        """The address of a job that does what `run` does; then comes `done`."""
        assert self._frame.alone is not None, "several threads share it"
        return self._live.address(self._frame.alone)

    def done(self) -> None:
        """Give back what was borrowed for the time of the pass."""
        self._arena.release()

    def kept(self) -> Kept | None:
        """What its backward pass wants, if it is kept."""
        if self._kept is None:
            return None
        is_again = self._how == "nothing"
        frame = chunk_frame(self._parts) if is_again else self._frame
        return Kept(frame, self._parts.share, self._kept.bytes(), self._points)


def _what_to_keep(call: Call, parts: Task) -> str:
    """A key of `KEEP`: of a large call, states now and then where they follow from the rest."""
    if call.memory == "recompute":
        return "nothing"
    plan, sizes = parts.form.plan, parts.form.sizes
    nbytes = len(plan.timed) * sizes.batch * sizes.time * sizes.row(sizes.hidden)
    rebuilds = plan.rebuilt and sizes.time >= 4 * CHECK and nbytes >= _LARGE
    return "values" if rebuilds else "all"
