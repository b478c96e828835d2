"""Whole calls: forward, forward with what the backward pass wants, and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..call import Call, Result
from .backward_pass import CHECK, BackwardFrame, backward_frame
from .forward_pass import ForwardFrame, forward_frame, products, run_time
from .pool import borrow
from .recompute import (
    Again,
    Checkpoints,
    chunk,
    chunk_frame,
    run_backward_again,
    run_backward_rebuilding,
    run_forward,
)
from .task import Form, Share, Task, in_rows, task, with_strides

_LARGE = 4 << 20
"""Bytes of states from which on they are kept now and then only."""

_WORTH_THREADS = 1 << 21
"""Products from which on more than one thread runs a call."""


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


@dataclass
class Gradients:
    """What a backward pass gives, like what the call took; nothing where it was not wanted."""

    x: Tensor | None
    state: list[Tensor]
    weights: dict[str, Tensor | None]


def forward(call: Call) -> Result:
    """Run a call of which no gradient is wanted."""
    y, last, _ = _forward(call, keep=False)
    return y, last


def forward_keeping(call: Call) -> tuple[Tensor, tuple[Tensor, ...], Kept | None]:
    """Run a call, and keep what its backward pass wants."""
    return _forward(call, keep=True)


def _forward(call: Call, keep: bool) -> tuple[Tensor, tuple[Tensor, ...], Kept | None]:
    if call.x.shape[0] == 0 or call.x.shape[1] == 0:
        # Without sequences or steps the state stays as it is.
        y = call.x.new_zeros(*call.x.shape[:2], call.state[0].shape[1])
        return y, tuple(s.detach().clone() for s in call.state), None
    parts = task(call)
    y = _like_input(parts, parts.form.sizes.output)
    last = tuple(torch.empty(s.shape, dtype=s.dtype) for s in call.state)
    tensors = parts.tensors | {"y": y}
    how = _what_to_keep(call, parts) if keep else "nothing"
    form = _forward_form(parts, {"y": y})
    found = forward_frame(form, parts.machine, parts.rows, how, parts.form.sizes.time)
    if found.few_rows:
        tensors["sums"] = products(tensors["x"], tensors["weight_ih"])
    bases = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    for name, end in zip(parts.form.plan.states, last, strict=True):
        bases[f"final:{name}"] = end.data_ptr()
    points = None
    if keep and how != "all":
        steps = CHECK if how == "values" else chunk(parts.form.sizes.time)
        points = Checkpoints(found, steps, parts.rows.steps)
    kept = borrow(found.kept + (points.nbytes if points else 0)) if keep else None
    with borrow(found.arena) as arena:
        bases["arena"] = arena.address
        bases["kept"] = 0 if kept is None else kept.address
        live, threads = found.frame.at(bases), _threads(parts)
        if points is not None:
            run_forward(points, bases["kept"] + found.kept, live, bases, threads)
        elif threads == 1:
            live.run(found.whole, 1)
        else:
            live.run(found.prepare, threads)
            run_time(found, live, threads)
            live.run(found.finish, threads)
    if kept is None:
        return y, last, None
    again = chunk_frame(parts, form) if how == "nothing" else found
    return y, last, Kept(again, parts.share, kept.bytes(), points)


def _what_to_keep(call: Call, parts: Task) -> str:
    """A key of `KEEP`: of a large call, states now and then where they follow from the rest."""
    if call.memory == "recompute":
        return "nothing"
    plan, sizes = parts.form.plan, parts.form.sizes
    nbytes = len(plan.timed) * sizes.batch * sizes.time * sizes.row(sizes.hidden)
    rebuilds = plan.rebuilt and sizes.time >= 4 * CHECK and nbytes >= _LARGE
    return "values" if rebuilds else "all"


def _forward_form(parts: Task, more: dict[str, Tensor]) -> Form:
    """The form with the product of input and weights as `products` gives it."""
    sizes, form = parts.form.sizes, parts.form
    rows = len(form.plan.input_rows) * sizes.hidden
    batch, step = form.stride("x")[:2]
    turned = sizes.batch > 1 and batch < step
    strides = (rows, sizes.batch * rows, 1) if turned else (sizes.time * rows, rows, 1)
    form = with_strides(form, more)
    return form._replace(strides=(*form.strides, ("sums", strides)))


def backward(
    call: Call,
    kept: Kept | None,
    y: Tensor,
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> Gradients:
    """Differentiate a call.

    Args:
        call: As it was run.
        kept: What its forward pass kept.
        y: Its outputs.
        gradients: Of the outputs and of the final states; nothing where they are 0.
        wanted: Whether the gradient of the input is wanted, of any weight.
    """
    to_input, to_weights = wanted
    if kept is None:
        ends = [torch.zeros_like(s) if d is None else d
                for s, d in zip(call.state, gradients[1:], strict=True)]  # fmt: skip
        zeros: dict[str, Tensor | None] = {
            name: torch.zeros_like(w) for name, w in call.weights.items()
        }
        return Gradients(torch.zeros_like(call.x), ends, zeros)
    parts = task(call, kept.share)
    plan = parts.form.plan
    more = {"y": y}
    dy, *ends = gradients
    if dy is not None:
        more["dy"] = in_rows(dy)
    for name, end in zip(plan.states, ends, strict=True):
        if end is not None:
            more[f"end:{name}"] = in_rows(end)
    dx = _like_input(parts, parts.form.sizes.input) if to_input else None
    if dx is not None:
        more["dx"] = dx
    dstate = [torch.empty(s.shape, dtype=s.dtype) for s in call.state]
    more |= {f"d:{name}": d for name, d in zip(plan.states, dstate, strict=True)}
    dweights: dict[str, Tensor | None] = dict.fromkeys(call.weights)
    if to_weights:
        for name, weight in call.weights.items():
            dweights[name] = more[f"d:{name}"] = _gradient(parts, name, weight)
    form = with_strides(parts.form, more)
    found = backward_frame(form, parts.machine, parts.rows, kept.frame)
    bases = {name: t.data_ptr() for name, t in (parts.tensors | more).items()}
    threads, steps = _threads(parts), parts.rows.steps
    with borrow(found.arena) as arena:
        bases |= {"arena": arena.address, "kept": kept.address}
        if kept.is_run_again:
            _through_again(parts, kept, found, bases, threads)
            return Gradients(dx, dstate, dweights)
        live = found.frame.at(bases)
        if kept.points is not None:
            run_backward_rebuilding(kept.points, kept.between, bases, found, live, threads)
        elif threads == 1 and steps <= found.steps:
            live.run(found.whole, 1)
        else:
            live.run(found.prepare, threads)
            found.run(live, 0, steps, threads)
            live.run(found.finish, threads)
    return Gradients(dx, dstate, dweights)


def _through_again(
    parts: Task, kept: Kept, found: BackwardFrame, bases: dict[str, int], threads: int
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
        run_backward_again(kept.points, kept.between, again, found, live, threads)


def _gradient(parts: Task, name: str, weight: Tensor) -> Tensor:
    """Memory for the gradient of a weight; rows that the cell never reads have none."""
    plan = parts.form.plan
    read = {p.x for p in plan.planes} | {p.u for p in plan.planes}
    rows = {"ih": plan.input_rows, "hh": plan.state_rows}.get(name.rpartition("_")[2], ())
    make = torch.empty if read.issuperset(rows) else torch.zeros
    return make(weight.shape, dtype=weight.dtype)


def _threads(parts: Task) -> int:
    sizes, threads = parts.form.sizes, parts.form.threads
    rows = len(parts.form.plan.planes) * sizes.hidden
    work = sizes.batch * sizes.time * rows * (sizes.input + sizes.output)
    return threads if work >= _WORTH_THREADS else 1


def _like_input(parts: Task, features: int) -> Tensor:
    """Memory laid out as the input is; zero, where a sequence may end before time does."""
    sizes, x = parts.form.sizes, parts.tensors["x"]
    batch, time = sizes.batch, sizes.time
    turned = batch > 1 and x.stride(0) < x.stride(1)
    strides = (features, batch * features, 1) if turned else (time * features, features, 1)
    # Not a view, since users may change in place what a layer gives.
    made = torch.empty_strided((batch, time, features), strides, dtype=x.dtype)
    return made if parts.lengths is None else made.zero_()
