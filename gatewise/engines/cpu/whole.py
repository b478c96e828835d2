"""Whole calls: forward, forward with what the backward pass wants, and backward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..call import Call, Result
from .backward_pass import backward_frame
from .forward_pass import ForwardFrame, forward_frame, products
from .pool import Block, borrow
from .task import Task, task, with_strides

_WORTH_THREADS = 1 << 21
"""Products from which on more than one thread runs a call."""


@dataclass
class Kept:
    """What a forward pass leaves for its backward pass."""

    frame: ForwardFrame
    block: Block


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
    few = {"y": y}
    found = _forward_frame(parts, few, keep)
    if found.few_rows:
        tensors["sums"] = products(tensors["x"], tensors["weight_ih"])
    bases = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    for name, end in zip(parts.form.plan.states, last, strict=True):
        bases[f"final:{name}"] = end.data_ptr()
    kept = borrow(found.kept) if keep else None
    with borrow(found.arena) as arena:
        bases["arena"] = arena.address
        bases["kept"] = 0 if kept is None else kept.address
        live, threads = found.frame.at(bases), _threads(parts)
        if threads == 1:
            live.run(found.whole, 1)
        else:
            for region in (found.prepare, found.main, found.finish):
                live.run(region, threads)
    return y, last, None if kept is None else Kept(found, kept)


def _forward_frame(parts: Task, more: dict[str, Tensor], keep: bool) -> ForwardFrame:
    """The frame; the product of input and weights has the form that `products` gives it."""
    sizes, form = parts.form.sizes, parts.form
    rows = len(form.plan.input_rows) * sizes.hidden
    batch, step = form.stride("x")[:2]
    turned = sizes.batch > 1 and batch < step
    strides = (rows, sizes.batch * rows, 1) if turned else (sizes.time * rows, rows, 1)
    form = with_strides(form, more)
    form = form._replace(strides=(*form.strides, ("sums", strides)))
    return forward_frame(form, parts.machine, parts.rows, keep, sizes.time)


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
        zeros = {name: torch.zeros_like(w) for name, w in call.weights.items()}
        return Gradients(torch.zeros_like(call.x), ends, zeros)
    parts = task(call)
    plan = parts.form.plan
    more = {"y": y}
    dy, *ends = gradients
    if dy is not None:
        more["dy"] = dy if dy.stride(-1) == 1 or dy.shape[-1] == 1 else dy.contiguous()
    for name, end in zip(plan.states, ends, strict=True):
        if end is not None:
            more[f"end:{name}"] = end if end.stride(-1) == 1 else end.contiguous()
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
    with borrow(found.arena) as arena:
        bases |= {"arena": arena.address, "kept": kept.block.address}
        live, threads = found.frame.at(bases), _threads(parts)
        steps = parts.rows.steps
        if threads == 1 and steps <= found.steps:
            live.run(found.whole, 1)
        else:
            live.run(found.prepare, threads)
            for last in range(steps, 0, -found.steps):
                live.set("last", last)
                live.set("first", max(0, last - found.steps))
                live.run(found.main, threads)
                live.run(found.outer, threads)
            live.run(found.finish, threads)
    return Gradients(dx, dstate, dweights)


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
    make = torch.empty if parts.lengths is None else torch.zeros
    if sizes.batch > 1 and x.stride(0) < x.stride(1):
        return make(sizes.time, sizes.batch, features, dtype=x.dtype).transpose(0, 1)
    return make(sizes.batch, sizes.time, features, dtype=x.dtype)
