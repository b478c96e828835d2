"""What the names in a cell's equations were in one step, and how each came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ..compiler import Cell, Expr
from ..compiler.expr import PRIMITIVES, evaluate, var, walk
from ..compiler.text import ARITHMETIC, Form, Writer

_FORMS = {op: Form(f"{op}({', '.join(['{}'] * n)})") for op, (n, _) in PRIMITIVES.items()} | {
    **ARITHMETIC,
    "where": Form("({2} if {0} < {1} else {3})", 4, (1, 1, 0, 0)),
}


@dataclass(frozen=True)
class Term:
    """One line of a step's arithmetic.

    Attributes:
        name: Of the value: `f` as the cell's equations call it, `net_f` for what a gate receives.
        equation: How it is made, in names; `c[t-1]` is a state as it was before the step.
        numbers: The same with the numbers of this step.
        value: What comes out.

    Example:
        >>> print(Term("c", "f * c[t-1] + i * g", "0.500 * 2.000 + 1.000 * 0.250", 1.25))
        c = f * c[t-1] + i * g = 0.500 * 2.000 + 1.000 * 0.250 = 1.250
    """

    name: str
    equation: str
    numbers: str
    value: float

    def __str__(self) -> str:
        return f"{self.name} = {self.equation} = {self.numbers} = {_number(self.value)}"


class Values:
    """What every name in a cell's equations was in one step, for all units."""

    def __init__(
        self,
        cell: Cell,
        weights: Mapping[str, Tensor],
        x: Tensor,
        before: Mapping[str, Tensor],
    ) -> None:
        self.cell = cell
        self.weights = {name: weight.detach().double() for name, weight in weights.items()}
        self.units = len(weights["weight_ih"]) // len(cell.input_rows)
        self.before = {name: part[0].double() for name, part in before.items()}
        self.parts: dict[str, dict[str, list[float]]] = {}
        self.known: dict[str, list[float]] = {}
        self.x, self.output = x.double(), self.before[cell.states[0]]
        self.named = _named(cell)
        # A value that is made of all units' gets a name, and its number before others need it.
        nodes = [*(node for node, _ in self.named), *cell.outputs]
        self.shared = {
            node: str(node.value) if node.op == "product" else f"mean_{k}"
            for k, node in enumerate(walk(nodes))
            if node.op in ("product", "mean")
        }
        self.plain = self._plain(nodes)
        self.applied = {name for node, name in self.shared.items() if node.op == "product"}
        for name, kind in cell.inputs.items():
            if name not in self.applied:
                self._find(name, kind)
        for node, name in self.shared.items():
            operand = self.x.new_tensor([self._at(node.args[0], k) for k in range(self.units)])
            if node.op == "product":
                self._find(name, "from_state", operand)
            else:
                self.known[name] = [float(operand.mean())] * self.units

    def terms(self, unit: int) -> tuple[Term, ...]:
        """The lines for one unit: what the gates receive, then the named values."""
        numbers = {name: values[unit] for name, values in self.known.items()}
        means = {node: name for node, name in self.shared.items() if node.op == "mean"}
        in_names = Writer(_FORMS, {}, _Leaves(self.cell, None))
        in_numbers = Writer(
            _FORMS,
            {node: _number(numbers[name]) for node, name in means.items()},
            _Leaves(self.cell, numbers),
        )
        lines = [self._net(name, unit) for name in self.parts if name not in self.applied]
        for node, name in self.named:
            if node.op == "product":
                operand = in_names.text(node.args[0])
                lines.append(self._net(name, unit, f"recurrent({operand})"))
                continue
            value = self._at(node, unit)
            lines.append(Term(name, in_names.text(node), in_numbers.text(node), value))
            in_names.names[node], in_numbers.names[node] = name, _number(value)
        # A state that is a value of another name, such as a gate that is remembered.
        shown = {name for _, name in self.named}
        lines += [
            Term(name, in_names.text(node), in_numbers.text(node), self._at(node, unit))
            for name, node in zip(self.cell.states, self.cell.outputs, strict=True)
            if name not in shown
        ]
        return tuple(lines)

    def _plain(self, nodes: list[Expr]) -> dict[Expr, Expr]:
        """The equations with a variable in the place of each value that all units share in."""
        plain: dict[Expr, Expr] = {}
        for node in walk(nodes):
            name = self.shared.get(node)
            inner = Expr(node.op, tuple(plain[a] for a in node.args), node.value)
            plain[node] = inner if name is None else var(name)
        return plain

    def _net(self, name: str, unit: int, recurrent: str = "recurrent") -> Term:
        """What a gate receives, part by part."""
        parts = {
            recurrent if part == "recurrent" else part: values[unit]
            for part, values in self.parts[name].items()
        }
        value = self.known[name][unit]
        return Term(f"net_{name}", " + ".join(parts), _sum(list(parts.values())), value)

    def _find(self, name: str, kind: str, operand: Tensor | None = None) -> None:
        cell = self.cell
        if kind == "state":
            self.known[name] = self._wide(self.before[name]).tolist()
        elif kind == "weight":
            self.known[name] = self.weights[name].tolist()
        elif kind == "hyper":
            self.known[name] = [cell.hypers[name]] * self.units
        else:
            parts = self._received(name, kind, self.output if operand is None else operand)
            self.parts[name] = {part: values.tolist() for part, values in parts.items()}
            self.known[name] = sum(parts.values(), self.x.new_zeros(self.units)).tolist()

    def _received(self, name: str, kind: str, operand: Tensor) -> dict[str, Tensor]:
        """What a row block receives from the input, from the last step and from its biases."""
        parts: dict[str, Tensor] = {}
        bias = self.x.new_zeros(self.units)
        if kind != "from_state":
            rows = self._rows(self.cell.input_rows, name)
            parts["input"] = F.linear(self.x, self.weights["weight_ih"][rows])
            bias = bias + self._bias("bias_ih", rows)
        if kind != "from_input":
            rows = self._rows(self.cell.state_rows, name)
            parts["recurrent"] = F.linear(operand, self.weights["weight_hh"][rows])
            bias = bias + self._bias("bias_hh", rows)
        return parts | {"bias": bias} if "bias_ih" in self.weights else parts

    def _rows(self, blocks: tuple[str, ...], name: str) -> slice:
        first = blocks.index(name) * self.units
        return slice(first, first + self.units)

    def _bias(self, name: str, rows: slice) -> Tensor:
        return self.weights[name][rows] if name in self.weights else self.x.new_zeros(self.units)

    def _wide(self, part: Tensor) -> Tensor:
        """A projected output, which no equation reads unit by unit, in as many numbers as units."""
        return F.pad(part, (0, self.units - len(part)))

    def _at(self, node: Expr, unit: int) -> float:
        values = {name: values[unit] for name, values in self.known.items()}
        return evaluate([self.plain[node]], values)[0]


class _Leaves:
    """Writes what equations start from: by name, or as the number that it was."""

    def __init__(self, cell: Cell, values: Mapping[str, float] | None) -> None:
        self.cell, self.values = cell, values

    def __call__(self, writer: Writer, node: Expr) -> tuple[str, int] | None:
        if node.op == "const":
            return f"{node.value:g}", 4
        if node.op not in ("var", "product"):
            return None
        name = str(node.value)
        if self.values is not None:
            return _number(self.values[name]), 4
        if self.cell.inputs[name] == "state":
            return f"{name}[t-1]", 4
        return (name if self.cell.inputs[name] in ("weight", "hyper") else f"net_{name}"), 4


def _named(cell: Cell) -> list[tuple[Expr, str]]:
    """The values that a step's lines are about, each after those it needs."""
    names: dict[Expr, str] = {}
    for name, node in (*cell.labels, *zip(cell.states, cell.outputs, strict=True)):
        if node.args:
            names.setdefault(node, name)
    for node in walk(names):
        if node.op == "product":
            names.setdefault(node, str(node.value))
    return [(node, names[node]) for node in walk(names) if node in names]


def _sum(values: list[float]) -> str:
    first, *rest = values
    return _number(first) + "".join(
        f" {'-' if value < 0 else '+'} {_number(abs(value))}" for value in rest
    )


def _number(value: float) -> str:
    return f"{value:.3f}"
