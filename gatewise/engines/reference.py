"""Plain torch, step by step: any cell, any type, and every derivative that torch has."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..compiler import Cell, Stage, step_source
from ..connectivity import Connectivity
from .call import Call, Result


class Reference:
    """The oracle: a Python loop over time with the input's product taken out of it.

    It is made of differentiable torch operations only, so gradients of any order, `torch.func`
    transforms and every floating or complex type work as they do in torch.
    """

    name = "reference"

    def why_not(self, call: Call) -> str | None:
        """See `Engine.why_not`: there is no call that it cannot run."""
        return None

    def run(self, call: Call) -> Result:
        """See `Engine.run`."""
        if call.lengths is None:
            return _run_full(call, call.x)
        steps = torch.arange(call.x.shape[1], device=call.lengths.device)
        inside = (steps < call.lengths.unsqueeze(1)).unsqueeze(-1)
        # What stands past the end may be anything, and 0 * nan would reach the gradients.
        y, state = _run_full(call, call.x.masked_fill(~inside, 0), inside)
        return y.masked_fill(~inside, 0), state


def step(
    cell: Cell,
    connectivity: Connectivity,
    x: Tensor,
    weights: Mapping[str, Tensor],
    state: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Run one time step.

    Args:
        cell: The equations.
        connectivity: How the last state reaches the gates.
        x: Input, [batch, input].
        weights: As in `Call`.
        state: As in `Call`.

    Returns:
        The new state; its first part is the output.
    """
    one = _Step(cell, connectivity, weights)
    return one(one.from_input(x), state)


def _run_full(call: Call, x: Tensor, inside: Tensor | None = None) -> Result:
    one = _Step(call.cell, call.connectivity, call.weights)
    # A view per step taken at once: indexing one by one makes the gradient quadratic in time.
    inputs = one.from_input(x).unbind(1)
    keep = None if inside is None else inside.unbind(1)
    state = call.state
    outputs: list[Tensor] = []
    order = range(len(inputs))
    for t in reversed(order) if call.reverse else order:
        new = one(inputs[t], state)
        if keep is not None:
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep[t], after, before) for after, before in pairs)
        state = new
        outputs.append(state[0])
    if not outputs:
        return state[0].new_zeros(x.shape[0], 0, state[0].shape[-1]), state
    return torch.stack(outputs[::-1] if call.reverse else outputs, 1), state


class _Step:
    """A cell bound to its weights: products with the stages' functions between them."""

    def __init__(
        self, cell: Cell, connectivity: Connectivity, weights: Mapping[str, Tensor]
    ) -> None:
        self.program = program(cell)
        self.connectivity = connectivity
        self.weights = weights
        self.vectors = {name: weights[name] for name in cell.weights}
        self.rows = self._recurrent_rows(cell)

    def from_input(self, x: Tensor) -> Tensor:
        """The input's half of all gates, [..., rows]; for many steps at once, one product."""
        return F.linear(x, self.weights["weight_ih"], self.weights.get("bias_ih"))

    def __call__(self, from_input: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        program = self.program
        table = dict(zip(program.states, state, strict=True)) | self.vectors
        table |= self._gates(from_input, state[0])
        for stage, function in zip(program.stages, program.functions, strict=True):
            table.update(
                zip(stage.names, function(*[table[name] for name in stage.reads]), strict=True)
            )
            for row, value in stage.products:
                table[row] = self.connectivity.product(table[value], *self.rows[row])
        h, *others = (table[name] for name in program.states)
        return self.connectivity.project(h, self.weights), *others

    def _gates(self, from_input: Tensor, h: Tensor) -> dict[str, Tensor]:
        """Cut the gates apart, with both halves of those that have two."""
        program = self.program
        if not program.from_state:
            return _blocks(program.from_input, from_input)
        from_state = self.connectivity.product(h, *self.rows[""])
        if program.from_input == program.from_state:
            return _blocks(program.from_input, from_input + from_state)
        gates = _blocks(program.from_input, from_input)
        for name, block in _blocks(program.from_state, from_state).items():
            gates[name] = gates[name] + block if name in gates else block
        return gates

    def _recurrent_rows(self, cell: Cell) -> dict[str, tuple[Tensor, Tensor | None]]:
        """Weight and bias of each row block that a stage applies; all others under ""."""
        if not cell.state_rows:
            return {}
        weight, bias = self.weights["weight_hh"], self.weights.get("bias_hh")
        if self.program.from_state == cell.state_rows:
            return {"": (weight, bias)}
        weights = _blocks(cell.state_rows, weight, 0)
        biases = {} if bias is None else _blocks(cell.state_rows, bias, 0)
        rows = {name: (weights[name], biases.get(name)) for name in cell.state_rows}
        first = self.program.from_state
        if first:
            together = None if bias is None else torch.cat([biases[name] for name in first])
            rows[""] = (torch.cat([weights[name] for name in first]), together)
        return rows


@dataclass(frozen=True)
class Program:
    """A cell's stages as Python functions.

    Attributes:
        states: Names of the states.
        from_input: Row blocks of the input's product.
        from_state: Row blocks that multiply the last output; a stage applies the other ones.
        stages: What each function reads and computes.
        functions: One for each stage.
    """

    states: tuple[str, ...]
    from_input: tuple[str, ...]
    from_state: tuple[str, ...]
    stages: tuple[Stage, ...]
    functions: tuple[Callable[..., tuple[Tensor, ...]], ...]


_programs: dict[str, Program] = {}


def program(cell: Cell) -> Program:
    """Compile a cell's equations to Python functions on tensors, once for each cell."""
    # A plain table, since `torch.compile` would look into a cached function.
    if cell.key not in _programs:
        _programs[cell.key] = _compiled(cell)
    return _programs[cell.key]


def _compiled(cell: Cell) -> Program:
    source = step_source(cell)
    file = f"<gatewise cell {cell.name} {abs(hash(cell)):x}>"
    # So that a traceback through the generated function shows its line.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Callable[..., tuple[Tensor, ...]]] = {}
    exec(compile(source, file, "exec"), names)
    applied = {row for stage in cell.stages for row, _ in stage.products}
    return Program(
        states=cell.states,
        from_input=cell.input_rows,
        from_state=tuple(row for row in cell.state_rows if row not in applied),
        stages=cell.stages,
        functions=tuple(names[f"stage_{k}"] for k in range(len(cell.stages))),
    )


def _blocks(names: tuple[str, ...], rows: Tensor, dim: int = -1) -> dict[str, Tensor]:
    """Cut rows into one block for each name."""
    return dict(zip(names, rows.chunk(len(names), dim), strict=True))
