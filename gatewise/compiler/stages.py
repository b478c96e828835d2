"""Cut a cell where the recurrent weights multiply a value that the cell itself computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from ..errors import InputError
from .expr import Expr, const, rewrite, var, walk
from .simplify import simplify

if TYPE_CHECKING:
    from .value import Cell


_CHEAP = {"add", "sub", "mul", "div", "neg"}


@dataclass(frozen=True)
class Stage:
    """Pointwise work between two products: variables in, named values out.

    An engine keeps a table of values by name. It starts with the cell's ports, runs each stage on
    `reads`, stores what the stage `computes`, and computes the `products` before the next stage.
    The last stage computes the new states, under the states' names; hypers are constants here.

    Attributes:
        reads: Names of the values that it takes.
        computes: Names and expressions of the values that it gives.
        products: Row block and the name of the value it is applied to, in the order of the rows:
            afterwards the table holds `U_row @ value + bias` under the name of the row block.
        labels: Names that the declaring function gave to values in it, for readable text.
    """

    reads: tuple[str, ...]
    computes: tuple[tuple[str, Expr], ...]
    products: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, Expr], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what it computes."""
        return tuple(name for name, _ in self.computes)

    @property
    def outputs(self) -> tuple[Expr, ...]:
        """Expressions of what it computes."""
        return tuple(expression for _, expression in self.computes)


def split(cell: Cell) -> tuple[Stage, ...]:
    """Cut a cell's equations into stages: one more than products that wait for each other.

    Raises:
        InputError: A state or the operand of a product is a constant, or constants combine to
            something that is no number.

    Example:
        >>> from gatewise.cells import gru_reset_before, lstm
        >>> len(lstm.stages)
        1
        >>> [stage.products for stage in gru_reset_before.stages]
        [(('n_h', 't0'),), ()]
    """
    outputs, labels = _plain(cell)
    level = _levels(outputs)
    last = max(level.values())
    crossing = _crossing(outputs, labels, level, last)
    names = _names(cell, crossing, labels)
    taken = {node: var(name) for node, name in names.items()}
    stages = []
    for depth in range(last + 1):
        products = [n for n in crossing if n.op == "product" and level[n] == depth + 1]
        products.sort(key=lambda node: cell.state_rows.index(str(node.value)))
        wanted = [n for n in crossing if n.op != "product" and level[n] == depth]
        seen = {n: v for n, v in taken.items() if level[n] < depth or n.op == "product"}
        computes = {names[n]: _cut(n, seen) for n in wanted}
        if depth == last:
            computes |= dict(zip(cell.states, (_cut(o, seen) for o in outputs), strict=True))
        given = tuple((str(p.value), str(taken.get(p.args[0], p.args[0]).value)) for p in products)
        own = tuple((s, _cut(n, seen)) for n, s in labels.items() if level.get(n) == depth)
        stages.append(Stage(_reads(cell, computes), tuple(computes.items()), given, own))
    return tuple(stages)


def _plain(cell: Cell) -> tuple[tuple[Expr, ...], dict[Expr, str]]:
    """Put the hypers in as numbers; a product with the old output is the row block itself."""
    output = var(cell.states[0])

    def rule(node: Expr) -> Expr:
        if node.op == "var" and node.value in cell.hypers:
            return const(cell.hypers[str(node.value)])
        if node.op == "product" and node.args[0] is output:
            return var(str(node.value))
        return node

    before = [*cell.outputs, *(node for _, node in cell.labels)]
    new = rewrite(before, rule)
    after = simplify([new[node] for node in before])
    outputs, labelled = after[: len(cell.outputs)], after[len(cell.outputs) :]
    for name, node in zip(cell.states, outputs, strict=True):
        if node.op == "const":
            raise InputError(f"the new {name} of cell {cell.name} is a constant, not a state")
    for node in walk(outputs):
        if node.op == "product" and node.args[0].op == "const":
            raise InputError(f"cell {cell.name} applies {node.value} to a constant")
    labels = {n: s for (s, _), n in zip(cell.labels, labelled, strict=True) if n.args}
    return outputs, labels


def _levels(outputs: tuple[Expr, ...]) -> dict[Expr, int]:
    """Count the products that each node waits for, one after another."""
    level: dict[Expr, int] = {}
    for node in walk(outputs):
        level[node] = max((level[a] for a in node.args), default=0) + (node.op == "product")
    return level


def _crossing(
    outputs: tuple[Expr, ...], labels: dict[Expr, str], level: dict[Expr, int], last: int
) -> list[Expr]:
    """List what one stage must hand to another: products, what they apply to, and what is kept.

    A later stage repeats unnamed arithmetic (`1 - z`); it is handed what has a name in the
    function and what is dear (`sigmoid(z)`).
    """
    nodes = walk(outputs)
    products = [n for n in nodes if n.op == "product"]
    crossing = {n for p in products for n in (p, p.args[0])}
    pending = [(a, level[n]) for n in nodes if n.op != "product" for a in n.args]
    pending += [(o, last) for o in outputs]
    seen: set[tuple[Expr, int]] = set()
    while pending:
        node, wanted_at = pending.pop()
        if level[node] >= wanted_at or (node, wanted_at) in seen:
            continue
        seen.add((node, wanted_at))
        if node.op in _CHEAP and node not in labels:
            pending.extend((a, wanted_at) for a in node.args)
        else:
            crossing.add(node)
    return [n for n in nodes if n in crossing and n.args]


def _names(cell: Cell, crossing: list[Expr], labels: dict[Expr, str]) -> dict[Expr, str]:
    """Name what crosses: a product as its row block, a value as in the function, else t0, t1."""
    names: dict[Expr, str] = {}
    known = set(cell.inputs)
    fresh: Iterator[str] = (f"t{k}" for k in count())
    for node in crossing:
        if node.op == "product":
            names[node] = str(node.value)
            continue
        name = f"{labels[node]}_t" if node in labels else ""
        while not name or name in known:
            name = next(fresh)
        known.add(name)
        names[node] = name
    return names


def _cut(node: Expr, seen: dict[Expr, Expr]) -> Expr:
    """Express a node in what the stage is given."""
    new: dict[Expr, Expr] = {}
    for inner in walk([node]):
        if inner in seen:
            new[inner] = seen[inner]
        else:
            new[inner] = Expr(inner.op, tuple(new[a] for a in inner.args), inner.value)
    return new[node]


def _reads(cell: Cell, computes: dict[str, Expr]) -> tuple[str, ...]:
    used = {str(n.value) for n in walk(computes.values()) if n.op == "var"}
    ports = [p.name for p in cell.ports if p.name in used]
    return (*ports, *sorted(used - set(ports)))
