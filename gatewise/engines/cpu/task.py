"""A call as the kernels take it: sizes, rows, and the words that all kernels are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..call import Call
from . import threads
from .host import Host, host
from .kernels import Kernel
from .plan import Plan, plan
from .rows import Rows, rows
from .sizes import Sizes

KINDS = {torch.float32: "float", torch.float64: "double"}
"""Types that kernels are written for, as LLVM names them."""


@dataclass
class Task:
    """One call, taken apart.

    Attributes:
        call: With noise that is not given put into the equations, rows of weights side by side.
        plan: Of its cell.
        sizes: Of everything.
        rows: Who runs what.
        kind: `"float"` or `"double"`.
        machine: Whose vectors.
        threads: How many may share the work.
        kept_alive: What the tables point to.
    """

    call: Call
    plan: Plan
    sizes: Sizes
    rows: Rows
    kind: str
    machine: Host
    threads: int
    kept_alive: list[object] = field(default_factory=list)

    def table(self, x: Tensor, what: str) -> dict[str, int]:
        """Words that say where the rows of a tensor of the caller's are."""
        found, step = self.rows.table(x)
        self.kept_alive += [x, found]
        name, _, of = what.partition(":")
        tail = f":{of}" if of else ""
        return {f"{name}_rows{tail}": found.ctypes.data, f"{name}_step{tail}": step}

    def inputs(self) -> dict[str, int]:
        """Words about what is the same in both passes."""
        told = self.sizes.words()
        for name, noise in self.call.noise.items():
            told |= self.table(noise, f"noise:{name}")
        for name in self.plan.weights:
            told[f"weight:{name}"] = self.vector(self.call.weights[name])
        lengths = self.rows.lengths
        told["lengths"] = 0 if lengths is None else lengths.ctypes.data
        return told

    def vector(self, weight: Tensor) -> int:
        """The address of a copy of a vector that is filled up with zeros."""
        units = weight.shape[0]
        out = np.zeros(self.sizes.padded(units), dtype=weight.numpy(force=True).dtype)
        out[:units] = weight.numpy(force=True)
        self.kept_alive.append(out)
        return out.ctypes.data

    def run(self, kernel: Kernel, told: Mapping[str, int], first: int, last: int) -> None:
        """Run a kernel over all rows, for the steps from first up to, not including, last."""
        words = kernel.words
        common = {**told, "function": kernel.address, "first": first}
        jobs = []
        for (begin, end), steps in zip(self.rows.bounds, self.rows.steps, strict=True):
            own = {"begin": begin, "end": end, "last": min(last, steps)}
            if own["last"] > first:
                jobs.append([own.get(name, common.get(name, 0)) for name in words.names])
        run_jobs(jobs, self.threads)


def run_jobs(jobs: list[list[int]], count: int) -> None:
    """Run argument blocks that are written as lists."""
    if jobs:
        block = np.array(jobs, dtype=np.int64)
        threads.run(block.ctypes.data + np.arange(len(jobs)) * block.strides[0], count)


def task(call: Call) -> Task:
    """Take a call apart."""
    call = call.settled()
    x = call.x.detach()
    if x.shape[2] > 1 and x.stride(2) != 1:
        x = x.contiguous()
    weights = {name: _rows_whole(w.detach()) for name, w in call.weights.items()}
    machine, kind = host(), KINDS[x.dtype]
    cell = call.cell
    hidden = weights["weight_ih"].shape[0] // len(cell.input_rows)
    projected = "weight_hr" in weights
    sizes = Sizes(
        batch=x.shape[0],
        time=x.shape[1],
        input=x.shape[2],
        hidden=hidden,
        output=weights["weight_hr"].shape[0] if projected else hidden,
        lanes=machine.vector_bytes // x.element_size(),
        size=x.element_size(),
    )
    count = torch.get_num_threads()
    noise = {name: _last_whole(n.detach()) for name, n in call.noise.items()}
    call = call._replace(
        x=x, weights=weights, noise=noise, state=tuple(s.detach() for s in call.state)
    )
    shared = rows(sizes.batch, sizes.time, call.lengths, call.reverse, count)
    return Task(call, plan(cell, projected), sizes, shared, kind, machine, count)


def _rows_whole(weight: Tensor) -> Tensor:
    """Let numbers of a row lie side by side."""
    return _last_whole(weight) if weight.dim() == 2 else weight


def _last_whole(values: Tensor) -> Tensor:
    return values if values.stride(-1) == 1 or values.shape[-1] == 1 else values.contiguous()
