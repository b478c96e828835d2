"""A call as the kernels take it: its form, which many calls share, and its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..call import Call
from .forked import torch_alone
from .host import Host, host
from .plan import Plan, plan
from .rows import Rows, rows
from .sizes import Sizes

KINDS = {torch.float32: "float", torch.float64: "double"}
"""Types that kernels are written for, as LLVM names them."""


class Form(NamedTuple):
    """Everything about a call but where its numbers are and what they are.

    Attributes:
        plan: Of its cell.
        sizes: Counts.
        kind: `"float"` or `"double"`.
        machine: Name of the kind of vectors.
        threads: How many may share the work.
        reverse: Whether time runs backwards.
        strides: Of each tensor, by its base's name, in numbers; the first is the input.
    """

    plan: Plan
    sizes: Sizes
    kind: str
    machine: str
    threads: int
    reverse: bool
    strides: tuple[tuple[str, tuple[int, ...]], ...]

    def stride(self, base: str) -> tuple[int, ...]:
        """The strides of a tensor."""
        return dict(self.strides)[base]


class Share(NamedTuple):
    """Who runs what, on which both passes of a call must agree, whatever changes in between.

    Attributes:
        machine: Whose vectors.
        threads: How many may share the work.
        rows: Which of them runs which sequences.
    """

    machine: Host
    threads: int
    rows: Rows


@dataclass
class Task:
    """One call, taken apart.

    Attributes:
        form: What it shares with others.
        machine: Whose vectors.
        rows: Who runs what.
        tensors: By the name of their base: `x`, weights, `vector:p`, `state:h`, `noise:m`.
        lengths: Steps of each sequence; nothing where all are full.
    """

    form: Form
    machine: Host
    rows: Rows
    tensors: dict[str, Tensor]
    lengths: Tensor | None

    @property
    def share(self) -> Share:
        """Who runs what."""
        return Share(self.machine, self.form.threads, self.rows)

    def bases(self) -> dict[str, int]:
        """Where each tensor begins."""
        return {name: tensor.data_ptr() for name, tensor in self.tensors.items()}


_WORTH_THREADS = 1 << 21
"""Products from which on more than one thread runs a call."""


def task(call: Call, share: Share | None = None, threads: int | None = None) -> Task:
    """Take a call apart; nothing of it is recorded for autograd.

    Args:
        call: The call, where gradients are off or nobody wants them.
        share: Who runs what, if another pass has settled that.
        threads: How many may share the work, if not torch's number.
    """
    call = call.settled()
    cell, x, weights = call.cell, in_rows(call.x), call.weights
    tensors = {"x": x}
    for name, weight in weights.items():
        # A cell may call a weight of its own anything: `y`, say.
        tensors[f"vector:{name}" if name in cell.weights else name] = in_rows(weight)
    for name, noise in call.noise.items():
        noise = in_rows(noise.detach().to(x.dtype))
        tensors[f"noise:{name}"] = noise.expand(-1, x.shape[1], -1)
    for name, state in zip(cell.states, call.state, strict=True):
        tensors[f"state:{name}"] = in_rows(state)
    machine, size = share.machine if share else host(), x.element_size()
    threads = share.threads if share else threads or torch.get_num_threads()
    batch, time, features = x.shape
    hidden = weights["weight_ih"].shape[0] // len(cell.input_rows)
    projected = "weight_hr" in weights
    output = weights["weight_hr"].shape[0] if projected else hidden
    sizes = Sizes(batch, time, features, hidden, output, machine.vector_bytes // size, size)
    form = Form(
        plan(cell, projected),
        sizes,
        KINDS[x.dtype],
        machine.name,
        threads,
        call.reverse,
        tuple((name, tensor.stride()) for name, tensor in tensors.items()),
    )
    shared = share.rows if share else rows(batch, time, call.lengths, call.reverse, threads)
    return Task(form, machine, shared, tensors, call.lengths)


def threads_of(parts: Task) -> int:
    """How many threads run a call: one, if it is small."""
    threads = parts.form.threads
    return threads if threads > 1 and products_of(parts) >= _WORTH_THREADS else 1


def products_of(parts: Task) -> int:
    """Multiplications of a call's forward pass."""
    sizes = parts.form.sizes
    rows = len(parts.form.plan.planes) * sizes.hidden
    return sizes.batch * sizes.time * rows * (sizes.input + sizes.output)


def like_input(parts: Task, features: int) -> Tensor:
    """Memory laid out as the input is; zero, where a sequence may end before time does."""
    sizes, x = parts.form.sizes, parts.tensors["x"]
    shape, strides = (sizes.batch, sizes.time, features), strides_like_input(parts.form, features)
    # Not a view, since users may change in place what a layer gives.
    made = torch.empty_strided(shape, strides, dtype=x.dtype)
    if parts.lengths is None:
        return made
    with torch_alone():
        return made.zero_()


def strides_like_input(form: Form, features: int) -> tuple[int, int, int]:
    """The strides of a tensor that is laid out as the input is, without gaps."""
    _, (batch, step, *_) = form.strides[0]
    turned = form.sizes.batch > 1 and batch < step
    if turned:
        return features, form.sizes.batch * features, 1
    return form.sizes.time * features, features, 1


def in_rows(values: Tensor) -> Tensor:
    """Let the numbers of a row lie side by side; what is expanded is copied once."""
    if values.is_neg():
        values = values.resolve_neg()
    if values.stride(-1) == 1 or values.shape[-1] == 1:
        return values
    once = values
    for dim in range(values.dim() - 1):
        if values.stride(dim) == 0:
            once = once.narrow(dim, 0, 1)
    return once.contiguous().expand(values.shape)


def with_strides(form: Form, tensors: Mapping[str, Tensor]) -> Form:
    """The form of a call that has more tensors."""
    more = tuple((name, tensor.stride()) for name, tensor in tensors.items())
    return form._replace(strides=form.strides + more)
