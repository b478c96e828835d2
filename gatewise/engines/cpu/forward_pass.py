"""A call forward in time: memory for its states, its weights in order, and the kernel's run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import kernels, weights
from .arena import Arena
from .plan import Plan
from .pool import Block, borrow
from .sizes import Sizes
from .task import Task

_FEW_ROWS = 2
"""Rows of a thread up to which all of the input is multiplied at once, before time begins."""


@dataclass
class Kept:
    """What a forward pass leaves for the backward pass.

    Attributes:
        first: Step at which it begins.
        states: Address of each timed state at step `first`, and bytes from a step to the next.
        values: Address of what each part keeps, and bytes from a step to the next.
        start: The initial state of the output, padded rows.
        block: The memory.
    """

    first: int
    states: dict[str, tuple[int, int]]
    values: dict[int, tuple[int, int]]
    start: Tensor
    block: Block


class ForwardPass:
    """Runs a task forward, all of time or chunk by chunk.

    Args:
        task: The call.
        y: Where the outputs go, [batch, time, output].
    """

    def __init__(self, task: Task, y: Tensor) -> None:
        self.task, self.y = task, y
        plan, sizes = task.plan, task.sizes
        self._packed = weights.Packed(task.kind, task.machine, sizes, task.threads)
        weights.for_forward(self._packed, plan, task.call.cell, sizes, task.call.weights)
        self._packed.pack()
        told = task.inputs() | task.table(task.call.x, "x") | task.table(y, "y")
        told |= self._packed.addresses
        biases = [weights.biases(plan, k, task.call.cell, sizes, task.call.weights)
                  for k in range(len(plan.parts))]  # fmt: skip
        task.kept_alive += biases
        told |= {f"bias:{k}": bias.ctypes.data for k, bias in enumerate(biases)}
        if max(end - begin for begin, end in task.rows.bounds) <= _FEW_ROWS and sizes.time > 1:
            told |= self._sums(biases)
        self._told = told

    def run(
        self,
        first: int,
        last: int,
        states: Mapping[str, tuple[int, int, int]],
        values: Mapping[int, tuple[int, int]] | None,
    ) -> None:
        """Run some steps.

        Args:
            first: First step.
            last: Step after the last.
            states: For each state the address of its value at `first`, bytes from one value to
                the next, and a mask of their numbers: 1 for two that take turns, -1 for all.
            values: Where what the parts keep goes, if it is to be kept.
        """
        task = self.task
        told = dict(self._told)
        for name, (address, step, wrap) in states.items():
            told[f"state:{name}"] = address
            told[f"state_step:{name}"] = step
            told[f"state_wrap:{name}"] = wrap
        for k, (address, step) in (values or {}).items():
            told[f"kept:{k}"], told[f"kept_step:{k}"] = address, step
        block, places = _values(task)
        told |= {name: block.address + place for name, place in places.items()}
        kernel = kernels.forward(task.plan, task.kind, task.machine, values is not None)
        task.run(kernel, told, first, last)
        block.release()

    def release(self) -> None:
        """Give back the memory of the weights."""
        self._packed.release()

    def _sums(self, biases: Sequence[np.ndarray]) -> dict[str, int]:
        """Multiply all of the input with its weights, by torch; add the biases."""
        task = self.task
        plan, sizes, call = task.plan, task.sizes, task.call
        blocks = sizes.padded(sizes.hidden) // sizes.lanes
        told, panels, start = {"input": 0}, [], 0
        for k, part in enumerate(plan.parts):
            told[f"sums_from:{k}"] = start * sizes.size
            start += biases[k].size
            panel = call.x.new_zeros(len(part.sums), blocks * sizes.lanes, sizes.input)
            whole = call.weights["weight_ih"].view(-1, sizes.hidden, sizes.input)
            for j, row in enumerate(part.sums):
                if row.x:
                    panel[j, : sizes.hidden] = whole[call.cell.input_rows.index(row.x)]
            order = panel.view(len(part.sums), blocks, sizes.lanes, sizes.input).transpose(0, 1)
            panels.append(order.reshape(-1, sizes.input))
            if plan.projected and k == len(plan.parts) - 1:
                panels[-1] = call.x.new_zeros(biases[k].size, sizes.input)
        bias = torch.from_numpy(np.concatenate([b.reshape(-1) for b in biases]))
        x = call.x.reshape(-1, sizes.input)
        sums = torch.addmm(bias, x, torch.cat(panels).t())
        return told | task.table(sums.view(sizes.batch, sizes.time, -1), "sums")


def two_in_turn(task: Task, states: Sequence[Tensor]) -> tuple[dict, dict[str, Tensor]]:
    """Memory for states of which the kernel holds the old and the new value alone."""
    told, held = {}, {}
    for name, state in zip(task.plan.states, states, strict=True):
        rows = _padded(task, name, state, 2)
        told[name] = (rows.data_ptr(), rows.stride(0) * task.sizes.size, 1)
        held[name] = rows
    return told, held


def all_of_time(
    task: Task, states: Sequence[Tensor], first: int, last: int
) -> tuple[dict, dict[str, Tensor], Kept]:
    """Memory for everything that the backward pass wants of some steps."""
    plan, sizes = task.plan, task.sizes
    steps = last - first
    arena = Arena()
    row = sizes.batch * sizes.padded(sizes.hidden) * sizes.size
    place_of = {name: arena.ask((steps + 1) * row) for name in plan.timed}
    sizes_of = {k: _kept_size(plan, sizes, k) for k, p in enumerate(plan.parts) if p.kept}
    places = {k: arena.ask(steps * size) for k, size in sizes_of.items()}
    arena.borrow()
    told, held, timed = {}, {}, {}
    for name, state in zip(plan.states, states, strict=True):
        if name not in plan.timed:
            rows = _padded(task, name, state, 2)
            told[name] = (rows.data_ptr(), rows.stride(0) * sizes.size, 1)
            held[name] = rows
            continue
        address = arena.at(place_of[name])
        told[name], timed[name] = (address, row, -1), (address, row)
        whole = arena.tensor(
            place_of[name], (steps + 1, sizes.batch, sizes.padded(sizes.hidden)), state.dtype
        )
        whole[0].zero_()
        whole[0, :, : sizes.hidden] = task.rows.taken(state)
        held[name] = whole
    values = {k: (arena.at(place), sizes_of[k]) for k, place in places.items()}
    start = held[plan.states[0]][0].clone()
    return told, held, Kept(first, timed, values, start, arena.take())


def final(task: Task, held: Mapping[str, Tensor], first: int, last: int) -> list[Tensor]:
    """The states after each row's last step, or after `last`, [batch, units]."""
    ends = []
    for name in task.plan.states:
        whole = held[name]
        units = task.sizes.state(task.plan, name)
        if task.rows.lengths is None:
            index = last - first
            row = whole[index & 1 if whole.shape[0] == 2 else index, :, :units]
        else:
            counts = np.clip(task.rows.lengths, first, last) - first
            where = counts & 1 if whole.shape[0] == 2 else counts
            row = whole[torch.from_numpy(where), torch.arange(len(where)), :units]
        # A copy: the memory is lent to others soon.
        ends.append(task.rows.given_back(row.clone(memory_format=torch.contiguous_format)))
    return ends


def _padded(task: Task, name: str, state: Tensor, count: int) -> Tensor:
    sizes = task.sizes
    units = sizes.state(task.plan, name)
    rows = state.new_zeros(count, sizes.batch, sizes.padded(units))
    rows[0, :, :units] = task.rows.taken(state)
    return rows


def _kept_size(plan: Plan, sizes: Sizes, k: int) -> int:
    """Bytes that a part keeps of one step."""
    units = sizes.padded(sizes.part(plan, k))
    return sizes.batch * units * len(plan.parts[k].kept) * sizes.size


def _values(task: Task) -> tuple[Block, dict[str, int]]:
    """Room for what one part computes for another, a row for each sequence."""
    size = task.sizes.batch * task.sizes.padded(task.sizes.hidden) * task.sizes.size
    places = {f"value:{name}": k * size for k, name in enumerate(task.plan.crossing)}
    return borrow(max(len(places) * size, 1)), places
