"""A call backward in time: gradients step by step, and of the weights chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import kernels, weights
from .arena import Arena
from .forward_pass import Kept
from .plan import RAW
from .products import OUTER
from .task import Task, run_jobs

_CHUNK = 1 << 19
"""Bytes of the sums' gradients that wait for the gradients of the weights."""


@dataclass
class Gradients:
    """What a backward pass gives, like what the call took; nothing where it was not wanted."""

    x: Tensor | None
    state: list[Tensor]
    weights: dict[str, Tensor]


class BackwardPass:
    """Runs a task backward.

    Args:
        task: The call.
        y: Its outputs.
        to_input: Whether the gradient of the input is wanted.
    """

    def __init__(self, task: Task, y: Tensor, to_input: bool) -> None:
        self.task, self.y = task, y
        plan, sizes, call = task.plan, task.sizes, task.call
        self._packed = weights.Packed(task.kind, task.machine, sizes, task.threads)
        weights.for_backward(self._packed, plan, call.cell, sizes, call.weights, to_input)
        self._packed.pack()
        dtype = call.x.dtype
        self._dx = None
        if to_input:
            make = torch.empty if call.lengths is None else torch.zeros
            self._dx = make(sizes.batch, sizes.time, sizes.input, dtype=dtype)
        # A plane for each sum, side by side; the pad keeps rows from falling on each other.
        self._places = []
        width = 0
        for row in plan.planes:
            self._places.append(width)
            width += sizes.padded(sizes.plane(row))
        self._width = width
        self._row = width + (sizes.lanes if width % (4 * sizes.lanes) == 0 else 0)
        self._steps = max(1, min(sizes.time, _CHUNK // (sizes.batch * self._row * sizes.size)))
        self._bias = torch.zeros(width, dtype=dtype)
        self._outer = {
            operand: torch.zeros(sizes.operand(plan, operand), width, dtype=dtype)
            for operand in (*(["x"] if plan.runs("x") else []), *plan.operands)
        }
        shares = len(task.rows.bounds)
        self._vectors = {
            name: torch.zeros(shares, sizes.padded(sizes.hidden), dtype=dtype)
            for name in plan.weights
        }

    def run(
        self,
        dy: Tensor | None,
        dstate: Sequence[Tensor],
        kept: Callable[[int, int], Kept],
    ) -> Gradients:
        """Run all of time.

        Args:
            dy: Gradient of the outputs, or nothing where it is 0.
            dstate: Gradients of the final states.
            kept: Gives what the forward pass kept of some steps.
        """
        task = self.task
        plan, sizes = task.plan, task.sizes
        arena = Arena()
        row = sizes.batch * sizes.padded(sizes.hidden) * sizes.size
        planes = arena.ask(self._steps * sizes.batch * self._row * sizes.size)
        rebuilt = {n: arena.ask(self._steps * row) for part in plan.parts for n, _ in part.rebuilt}
        values = {name: arena.ask(row) for name in plan.crossing}
        pairs = self._steps * sizes.batch * 16
        tables = [arena.ask(pairs) for _ in range(task.threads)]
        arena.borrow()
        carries = [self._carry(name, d) for name, d in zip(plan.states, dstate, strict=True)]

        told = self._words() | (task.table(self._whole(dy), "d") if dy is not None else {})
        told |= {f"carry:{n}": c.data_ptr() for n, c in zip(plan.states, carries, strict=True)}
        told |= {f"carry:{name}": arena.at(place) for name, place in values.items()}
        told |= {f"operand:{name}": arena.at(place) for name, place in rebuilt.items()}
        told |= {f"operand_step:{name}": row for name in rebuilt}
        told["planes"] = arena.at(planes)
        kernel = kernels.backward(plan, task.kind, task.machine)
        last = max(task.rows.steps, default=0)
        while last > 0:
            first = max(0, last - self._steps)
            found = kept(first, last)
            self._chunk(kernel, dict(told), found, first, last)
            self._outer_products(told, found, first, last, [arena.at(t) for t in tables])
            last = first
        arena.release()
        self._packed.release()
        return self._gathered(carries)

    def _words(self) -> dict[str, int]:
        task, sizes = self.task, self.task.sizes
        told = task.inputs() | task.table(self.y, "y") | self._packed.addresses
        if self._dx is not None:
            told |= task.table(self._dx, "dx")
        told["planes_row"] = self._row
        told["planes_step"] = sizes.batch * self._row * sizes.size
        for name in ("product", "product_rows"):
            told[name] = kernels.product(name, task.kind, task.machine)
        return told

    def _chunk(self, kernel, told: dict[str, int], found: Kept, first: int, last: int) -> None:
        """Run the kernel over some steps; every thread sums up gradients of vectors on its own."""
        task = self.task
        told["start"] = found.start.data_ptr()
        for name, (address, step) in found.states.items():
            told[f"state:{name}"] = address + (first - found.first) * step
            told[f"state_step:{name}"] = step
        for k, (address, step) in found.values.items():
            told[f"kept:{k}"] = address + (first - found.first) * step
            told[f"kept_step:{k}"] = step
        words = kernel.words
        told |= {"function": kernel.address, "first": first}
        jobs = []
        for t, ((begin, end), steps) in enumerate(
            zip(task.rows.bounds, task.rows.steps, strict=True)
        ):
            own = {"begin": begin, "end": end, "last": min(last, steps)}
            own |= {f"gradient:{n}": v[t].data_ptr() for n, v in self._vectors.items()}
            if own["last"] > first:
                jobs.append([own.get(name, told.get(name, 0)) for name in words.names])
        run_jobs(jobs, task.threads)

    def _outer_products(
        self, told: dict[str, int], found: Kept, first: int, last: int, tables: Sequence[int]
    ) -> None:
        """Add what the steps of a chunk give to the gradients of all matrices and biases."""
        task, sizes, plan = self.task, self.task.sizes, self.task.plan
        common = {
            "g_rows": told["planes"], "g_step": told["planes_step"],
            "g_row": self._row * sizes.size, "first": first, "last": last,
            "lengths": told["lengths"], "rows": sizes.batch,
        }  # fmt: skip
        jobs = []
        for operand, to in self._outer.items():
            common |= self._operand(operand, told, found, first)
            common |= {"function": kernels.product("outer", task.kind, task.machine)}
            common |= {"count": to.shape[0], "to": to.data_ptr(), "to_row": to.stride(0)}
            for start, number in plan.runs(operand):
                begin = self._places[start] // sizes.lanes
                width = sum(sizes.padded(sizes.plane(p)) for p in plan.planes[start:][:number])
                jobs += self._shared(common, begin, begin + width // sizes.lanes, tables)
        common |= {"function": kernels.product("total", task.kind, task.machine)}
        common |= {"to": self._bias.data_ptr()}
        jobs += self._shared(common, 0, self._width // sizes.lanes, tables)
        run_jobs(jobs, task.threads)

    def _shared(
        self, common: dict[str, int], begin: int, end: int, tables: Sequence[int]
    ) -> list[list[int]]:
        """A job for each thread, each with some of the columns, in whole tiles."""
        shares, tile = self.task.threads, 4
        tiles = -(-(end - begin) // tile)
        jobs = []
        for t in range(shares):
            own = {
                "begin": begin + tiles * t // shares * tile,
                "end": min(end, begin + tiles * (t + 1) // shares * tile),
                "tables": tables[t],
            }
            jobs.append([own.get(name, common.get(name, 0)) for name in OUTER.names])
        return jobs

    def _operand(
        self, operand: str, told: dict[str, int], found: Kept, first: int
    ) -> dict[str, int]:
        """Where the numbers are that a matrix multiplied, as `outer` is told."""
        task, sizes, plan = self.task, self.task.sizes, self.task.plan
        row = sizes.padded(sizes.hidden) * sizes.size
        if operand == "x":
            x = task.table(task.call.x, "x")
            return {"a_rows": x["x_rows"], "a_step": x["x_step"], "a_shift": 0}
        if operand == plan.states[0]:
            return {
                "a_rows": told["y_rows"], "a_step": told["y_step"], "a_shift": 1,
                "a_start": found.start.data_ptr(),
                "a_row": sizes.padded(sizes.output) * sizes.size,
            }  # fmt: skip
        if operand in found.states:
            address, step = found.states[operand]
            start = address + (first - found.first) * step
            return {"a_rows": 0, "a_step": step, "a_shift": 0, "a_start": start, "a_row": row}
        return {
            "a_rows": 0, "a_step": sizes.batch * row, "a_shift": 0,
            "a_start": told[f"operand:{operand}"], "a_row": row,
        }  # fmt: skip

    def _whole(self, dy: Tensor) -> Tensor:
        return dy if dy.stride(-1) == 1 or dy.shape[-1] == 1 else dy.contiguous()

    def _carry(self, name: str, d: Tensor) -> Tensor:
        sizes = self.task.sizes
        units = sizes.state(self.task.plan, name)
        carry = d.new_zeros(sizes.batch, sizes.padded(units))
        carry[:, :units] = self.task.rows.taken(d)
        return carry

    def _gathered(self, carries: Sequence[Tensor]) -> Gradients:
        """Bring everything into the order in which the caller has it."""
        task = self.task
        plan, sizes, call = task.plan, task.sizes, task.call
        state = [
            task.rows.given_back(c[:, : sizes.state(plan, n)].contiguous())
            for n, c in zip(plan.states, carries, strict=True)
        ]
        found = {name: torch.zeros_like(w) for name, w in call.weights.items()}
        for k, row in enumerate(plan.planes):
            units = sizes.plane(row)
            plane = slice(self._places[k], self._places[k] + units)
            if row.x:
                place = call.cell.input_rows.index(row.x) * sizes.hidden
                found["weight_ih"][place : place + units] = self._outer["x"][:, plane].t()
                if "bias_ih" in found:
                    found["bias_ih"][place : place + units] = self._bias[plane]
            if row.operand == RAW:
                found["weight_hr"].copy_(self._outer[RAW][:, plane].t())
            elif row.u:
                place = call.cell.state_rows.index(row.u) * sizes.hidden
                found["weight_hh"][place : place + units] = self._outer[row.operand][:, plane].t()
                if "bias_hh" in found:
                    found["bias_hh"][place : place + units] = self._bias[plane]
        for name, vector in self._vectors.items():
            found[name] = vector.sum(0)[: sizes.hidden]
        return Gradients(self._dx, state, found)
