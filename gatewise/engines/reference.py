"""Plain torch, step by step: any cell, any type, and every derivative that torch has."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..compiler import Cell, Stage, quiet, step_source
from ..connectivity import Connectivity
from .call import NO_NOISE, Call, Result

Rows = tuple[str, ...]


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
        call = call.settled()
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
    noise: Mapping[str, Tensor] = NO_NOISE,
) -> tuple[Tensor, ...]:
    """Run one time step.

    Args:
        cell: The equations.
        connectivity: How the last state reaches the gates.
        x: Input, [batch, input].
        weights: As in `Call`.
        state: As in `Call`.
        noise: What the cell's `Noise` is at this step, [batch, hidden], by name; what is not here
            has its value of evaluation.

    Returns:
        The new state; its first part is the output.
    """
    if len(noise) < len(cell.noises):
        cell = quiet(cell, frozenset(noise))
    one = _Step(cell, connectivity, weights)
    return one(one.from_input(x), state, {name: value.detach() for name, value in noise.items()})


def _run_full(call: Call, x: Tensor, inside: Tensor | None = None) -> Result:
    one = _Step(call.cell, call.connectivity, call.weights)
    # A view per step taken at once: indexing one by one makes the gradient quadratic in time.
    inputs = one.from_input(x).unbind(1)
    keep = None if inside is None else inside.unbind(1)
    noise = _noise_by_step(call, inside)
    state = call.state
    outputs: list[Tensor] = []
    order = range(len(inputs))
    for t in reversed(order) if call.reverse else order:
        new = one(inputs[t], state, {name: steps[t] for name, steps in noise.items()})
        if keep is not None:
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep[t], after, before) for after, before in pairs)
        state = new
        outputs.append(state[0])
    if not outputs:
        return state[0].new_zeros(x.shape[0], 0, state[0].shape[-1]), state
    return torch.stack(outputs[::-1] if call.reverse else outputs, 1), state


def _noise_by_step(call: Call, inside: Tensor | None) -> dict[str, tuple[Tensor, ...]]:
    """Each noise's value at each step, the value of evaluation past a sequence's end."""
    steps = call.x.shape[1]
    found = {}
    for name, value in call.noise.items():
        given = value.detach().expand(-1, steps, -1)
        if inside is not None:
            given = given.masked_fill(~inside, call.cell.noises[name])
        found[name] = given.unbind(1)
    return found


class _Step:
    """A cell bound to its weights: products with the stages' functions between them."""

    def __init__(
        self, cell: Cell, connectivity: Connectivity, weights: Mapping[str, Tensor]
    ) -> None:
        self.program = program(cell)
        self.connectivity = connectivity
        self.weights = weights
        self.vectors = {name: weights[name] for name in cell.weights}
        self.rows = {group: self._rows(cell, group) for group in self.program.groups}

    def from_input(self, x: Tensor) -> Tensor:
        """The input's half of all gates, [..., rows]; for many steps at once, one product."""
        return F.linear(x, self.weights["weight_ih"], self.weights.get("bias_ih"))

    def __call__(
        self, from_input: Tensor, state: tuple[Tensor, ...], noise: Mapping[str, Tensor]
    ) -> tuple[Tensor, ...]:
        program = self.program
        table = dict(zip(program.states, state, strict=True)) | self.vectors
        table.update(noise)
        table |= self._gates(from_input, state[0])
        for stage, function, products in zip(
            program.stages, program.functions, program.products, strict=True
        ):
            table.update(
                zip(stage.names, function(*[table[name] for name in stage.reads]), strict=True)
            )
            for group, value in products:
                rows = self.connectivity.product(table[value], *self.rows[group])
                table.update(_blocks(group, rows))
        h, *others = (table[name] for name in program.states)
        return self.connectivity.project(h, self.weights), *others

    def _gates(self, from_input: Tensor, h: Tensor) -> dict[str, Tensor]:
        """Cut the gates apart, with both halves of those that have two."""
        program = self.program
        if not program.from_state:
            return _blocks(program.from_input, from_input)
        from_state = self.connectivity.product(h, *self.rows[program.from_state])
        if program.from_input == program.from_state:
            return _blocks(program.from_input, from_input + from_state)
        gates = _blocks(program.from_input, from_input)
        for name, block in _blocks(program.from_state, from_state).items():
            gates[name] = gates[name] + block if name in gates else block
        return gates

    def _rows(self, cell: Cell, group: Rows) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of row blocks that go through one product."""
        weight, bias = self.weights["weight_hh"], self.weights.get("bias_hh")
        if group == cell.state_rows:
            return weight, bias
        chosen = _chosen(cell.state_rows, group, weight)
        return chosen, None if bias is None else _chosen(cell.state_rows, group, bias)


@dataclass(frozen=True)
class Program:
    """A cell's stages as Python functions.

    Attributes:
        states: Names of the states.
        from_input: Row blocks of the input's product.
        from_state: Row blocks that multiply the last output; a stage applies the other ones.
        stages: What each function reads and computes.
        functions: One for each stage.
        products: For each stage, row blocks and the name of the value they are applied to.
    """

    states: tuple[str, ...]
    from_input: tuple[str, ...]
    from_state: tuple[str, ...]
    stages: tuple[Stage, ...]
    functions: tuple[Callable[..., tuple[Tensor, ...]], ...]
    products: tuple[tuple[tuple[Rows, str], ...], ...]

    @property
    def groups(self) -> tuple[Rows, ...]:
        """Row blocks that go through one product."""
        applied = [rows for products in self.products for rows, _ in products]
        return (self.from_state, *applied) if self.from_state else tuple(applied)


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
        products=tuple(_by_value(stage) for stage in cell.stages),
    )


def _by_value(stage: Stage) -> tuple[tuple[Rows, str], ...]:
    """Group a stage's row blocks by what they are applied to: one product for each."""
    groups: dict[str, Rows] = {}
    for row, value in stage.products:
        groups[value] = (*groups.get(value, ()), row)
    return tuple((rows, value) for value, rows in groups.items())


def _chosen(names: Rows, group: Rows, rows: Tensor) -> Tensor:
    """Take some of the blocks that rows consist of, in the group's order."""
    blocks = _blocks(names, rows, 0)
    chosen = [blocks[name] for name in group]
    return chosen[0] if len(chosen) == 1 else torch.cat(chosen)


def _blocks(names: tuple[str, ...], rows: Tensor, dim: int = -1) -> dict[str, Tensor]:
    """Cut rows into one block for each name."""
    return dict(zip(names, rows.chunk(len(names), dim), strict=True))
