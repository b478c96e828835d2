"""One call backward: its gradients, its frame, its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..call import Call
from .backward_pass import BackwardFrame, backward_frame
from .forked import torch_alone
from .forward_pass import products
from .forward_run import Kept
from .plan import Plan
from .pool import borrow
from .recompute import Again, run_backward_again, run_backward_rebuilding
from .task import Task, in_rows, like_input, task, threads_of, with_strides
from .vanished import Vanished


@dataclass
class Gradients:
    """What a backward pass gives, like what the call took; nothing where it was not wanted."""

    x: Tensor | None
    state: list[Tensor]
    weights: dict[str, Tensor | None]


class BackwardRun:
    """A backward pass, ready to run.

    Args:
        call: As it was run.
        kept: What its forward pass kept.
        y: Its outputs.
        gradients: Of the outputs and of the final states; nothing where they are 0.
        wanted: Whether the gradient of the input is wanted, of any weight.

    Attributes:
        gradients: What it will have found.
        frame: Its frame.
        live: Its words.
        steps: Steps of the longest sequence.
        vanished: Which steps no gradient reaches.
    """

    def __init__(
        self,
        call: Call,
        kept: Kept,
        y: Tensor,
        gradients: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> None:
        to_input, to_weights = wanted
        self._parts = parts = task(call, kept.share)
        self._kept, plan = kept, parts.form.plan
        more = {"y": y}
        dy, *ends = gradients
        if dy is not None:
            more["dy"] = in_rows(dy)
        for name, end in zip(plan.states, ends, strict=True):
            if end is not None:
                more[f"end:{name}"] = in_rows(end)
        dx = like_input(parts, parts.form.sizes.input) if to_input else None
        if dx is not None:
            more["dx"] = dx
        dstate = [torch.empty(s.shape, dtype=s.dtype) for s in call.state]
        more |= {f"d:{name}": d for name, d in zip(plan.states, dstate, strict=True)}
        dweights: dict[str, Tensor | None] = dict.fromkeys(call.weights)
        if to_weights:
            for name, weight in call.weights.items():
                dweights[name] = more[f"d:{name}"] = _gradient(parts, name, weight)
        self.gradients = Gradients(dx, dstate, dweights)
        form = with_strides(parts.form, more)
        self.frame = backward_frame(form, parts.machine, parts.rows, kept.frame)
        self._tensors = parts.tensors | more
        self._arena = borrow(self.frame.arena)
        bases = {name: tensor.data_ptr() for name, tensor in self._tensors.items()}
        self._bases = bases | {"arena": self._arena.address, "kept": kept.address}
        self.live, self.steps = self.frame.frame.at(self._bases), parts.rows.steps
        carries = [(self._bases[at.base] + at.offset, size) for at, size in self.frame.carries]
        kind = np.float32 if form.kind == "float" else np.float64
        self.vanished = Vanished(carries, kind, parts.rows, more.get("dy"), dx)

    def run(self) -> None:
        """Run it, and give back what was borrowed for the time of the pass."""
        found, live, threads, kept = self.frame, self.live, threads_of(self._parts), self._kept
        with self._arena:
            if kept.is_run_again:
                _through_again(self._parts, kept, found, self._bases, threads, self.vanished)
            elif kept.points is not None:
                run_backward_rebuilding(
                    kept.points, kept.between, self._bases, found, live, threads, self.vanished
                )
            elif threads == 1 and self.steps <= found.steps:
                live.run(found.whole, 1)
            else:
                live.run(found.prepare, threads)
                for first, last in self.vanished.stretches(self.steps, found.steps):
                    found.run(live, first, last, threads)
                live.run(found.finish, threads)

    def done(self) -> None:
        """Give back what was borrowed for the time of the pass."""
        self._arena.release()


def of_nothing(call: Call, gradients: Sequence[Tensor | None]) -> Gradients:
    """The gradients of a call without sequences or steps, whose state stays as it is."""
    ends = [torch.zeros_like(s) if d is None else d
            for s, d in zip(call.state, gradients[1:], strict=True)]  # fmt: skip
    zeros: dict[str, Tensor | None] = {
        name: torch.zeros_like(w) for name, w in call.weights.items()
    }
    return Gradients(torch.zeros_like(call.x), ends, zeros)


def _through_again(
    parts: Task,
    kept: Kept,
    found: BackwardFrame,
    bases: dict[str, int],
    threads: int,
    vanished: Vanished,
) -> None:
    """Go back through chunks whose gates are computed again; outputs are written as they were."""
    assert kept.points is not None, "states in between are what was kept"
    frame, more = kept.frame, {}
    if frame.few_rows:
        more["sums"] = products(parts.tensors["x"], parts.tensors["weight_ih"])
    with borrow(frame.arena) as arena, borrow(frame.kept) as room:
        own = bases | {"arena": arena.address, "kept": room.address}
        own |= {name: tensor.data_ptr() for name, tensor in more.items()}
        # The final states are not brought out again: only `finish` would do so.
        own |= dict.fromkeys((f"final:{name}" for name in parts.form.plan.states), 0)
        again = Again(frame, frame.frame.at(own), own)
        live = found.frame.at(bases | {"kept": room.address})
        run_backward_again(kept.points, kept.between, again, found, live, threads, vanished)


def _gradient(parts: Task, name: str, weight: Tensor) -> Tensor:
    """Memory for the gradient of a weight; rows that the cell never reads have none."""
    if not _has_unread_rows(parts.form.plan, name):
        return torch.empty(weight.shape, dtype=weight.dtype)
    with torch_alone():
        return torch.zeros(weight.shape, dtype=weight.dtype)


@lru_cache(maxsize=1024)
def _has_unread_rows(plan: Plan, name: str) -> bool:
    read = {p.x for p in plan.planes} | {p.u for p in plan.planes}
    rows = {"ih": plan.input_rows, "hh": plan.state_rows}.get(name.rpartition("_")[2], ())
    return not read.issuperset(rows)
