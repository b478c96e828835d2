"""The arithmetic of one step for one unit: what each gate was, and of what it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..compiler import Cell, Expr, quiet
from ..compiler.expr import PRIMITIVES, evaluate, rewrite, var, walk
from ..compiler.text import ARITHMETIC, Form, Writer
from ..engines import step
from ..errors import InputError, nearest
from ..nn import Recurrent

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


@dataclass(frozen=True)
class StepExplanation:
    """The arithmetic of one step for one unit, line by line; `print` shows it.

    Attributes:
        cell: Name of the cell.
        depth: Which layer of the stack, from 0.
        unit: Which unit of that layer.
        terms: The lines, each after those it needs.

    Example:
        >>> StepExplanation("lstm", 0, 3, (Term("f", "sigmoid(net_f)", "sigmoid(0.0)", 0.5),))["f"]
        0.5
    """

    cell: str
    depth: int
    unit: int
    terms: tuple[Term, ...]

    def __getitem__(self, name: str) -> float:
        """The value of a line, by its name."""
        for term in self.terms:
            if term.name == name:
                return term.value
        raise InputError(
            f"this step of {self.cell} has no value {name!r}: "
            f"{nearest(name, [term.name for term in self.terms])}"
        )

    def __str__(self) -> str:
        head = f"{self.cell}, layer {self.depth}, unit {self.unit}"
        return "\n".join([head, *(f"  {term}" for term in self.terms)])


def explain_step(
    layer: Recurrent, x: Tensor, state: Any = None, unit: int = 0, *, depth: int = 0
) -> StepExplanation:
    """Show what one unit forgets, takes in and gives out in one step, number by number.

    The lines are the cell's own equations with the names that they give to values, so a cell of
    yours is explained as well as an lstm. After Olah, Understanding LSTM Networks, 2015
    (https://colah.github.io/posts/2015-08-Understanding-LSTMs/), who walks through one step gate
    by gate. Noise of a layer in training has its value of evaluation.

    Args:
        layer: In one direction.
        x: Input of the step, [input].
        state: State before the step, as `Recurrent.step` takes it without a batch; None at the
            start.
        unit: Unit of the layer, from 0 to hidden_size - 1.
        depth: Layer of the stack, from 0.

    Returns:
        The lines; index it with a name for a value.

    Raises:
        InputError: An argument is not as above.

    Example:
        >>> import torch
        >>> layer = Recurrent("elman", 2, 3)
        >>> for weight in layer.parameters():
        ...     _ = torch.nn.init.constant_(weight, 0.25)
        >>> print(explain_step(layer, torch.tensor([1.0, 2.0]), torch.ones(1, 3)))
        elman, layer 0, unit 0
          net_a = input + recurrent + bias = 0.750 + 0.750 + 0.500 = 2.000
          h = tanh(net_a) = tanh(2.000) = 0.964
    """
    _check(layer, x, unit, depth)
    cell = quiet(layer.call(x[None, None]).cell)
    x = x.detach()
    parts = [part.detach().unbind(0) for part in layer._initial(state, x[None], False)]
    layers = list(zip(layer._weights(), zip(*parts, strict=True), strict=True))
    *below, ((weights,), before) = layers[: depth + 1]
    for (own,), start in below:
        x = step(cell, layer.connectivity, x[None], own, start)[0][0].detach()
    values = _Values(cell, weights, x, dict(zip(cell.states, before, strict=True)))
    return StepExplanation(cell.name, depth, unit, values.terms(unit))


def _check(layer: Recurrent, x: Tensor, unit: int, depth: int) -> None:
    if not isinstance(layer, Recurrent):
        raise InputError(
            f"layer is a {type(layer).__name__}: give a gatewise.nn.Recurrent, into which the "
            "state_dict of an LSTM or GRU loads"
        )
    if layer.bidirectional:
        raise InputError(
            "bidirectional=True: a step cannot see the future; build the layer with "
            "bidirectional=False to explain a step"
        )
    if x.dim() != 1:
        raise InputError(
            f"x of shape {tuple(x.shape)}: give the input of one step of one sequence, "
            f"[{layer.input_size}]"
        )
    for name, value, count in (
        ("unit", unit, layer.hidden_size),
        ("depth", depth, layer.num_layers),
    ):
        if type(value) is not int or not 0 <= value < count:
            raise InputError(f"{name}={value!r}: give a whole number from 0 to {count - 1}")


class _Values:
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
        # What recurrent rows are applied to inside the equations gets its value unit by unit.
        nodes = [*(node for node, _ in self.named), *cell.outputs]
        self.plain = rewrite(nodes, lambda n: var(str(n.value)) if n.op == "product" else n)
        applied = [node for node in walk(nodes) if node.op == "product"]
        self.applied = {str(node.value) for node in applied}
        for name, kind in cell.inputs.items():
            if name not in self.applied:
                self._find(name, kind)
        for node in applied:
            operand = [self._at(node.args[0], k) for k in range(self.units)]
            self._find(str(node.value), "from_state", self.x.new_tensor(operand))

    def terms(self, unit: int) -> tuple[Term, ...]:
        """The lines for one unit: what the gates receive, then the named values."""
        numbers = {name: values[unit] for name, values in self.known.items()}
        in_names = Writer(_FORMS, {}, _Leaves(self.cell, None))
        in_numbers = Writer(_FORMS, {}, _Leaves(self.cell, numbers))
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
