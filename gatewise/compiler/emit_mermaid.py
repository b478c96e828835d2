"""A cell's data flow as a Mermaid flowchart: products, values stage by stage, states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .expr import PRIMITIVES, Expr, var, walk
from .text import ARITHMETIC, Form, Writer

if TYPE_CHECKING:
    from .stages import Stage
    from .value import Cell

FORMS = {
    op: Form(f"{op}({', '.join(['{}'] * arity)})") for op, (arity, _) in PRIMITIVES.items()
} | ARITHMETIC


def flowchart(cell: Cell) -> str:
    """Draw what flows where in one step; the text stands in a fence of the language `mermaid`.

    Round nodes are the input, what is given and the states; hexagons are products with weights;
    boxes are values with a name in the equations. Vectors of weights, and what comes of them alone,
    are left out.

    Example:
        >>> from gatewise.cells import elman
        >>> print(flowchart(elman))
        flowchart LR
            x(["x(t)"])
            old_h(["h(t-1)"])
            product_0{{"W x + U h: a"}}
            new_h(["h(t)"])
            x --> product_0
            old_h --> product_0
            product_0 --> new_h
    """
    return _Chart(cell).text()


class _Chart:
    """Collects nodes and arrows.

    `where` says which node holds the value of a name: of a state as it was, of a row of a gate, of
    what a stage computes for a later one.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.where: dict[str, str] = {}
        self.shown = {port.name: port.name for port in cell.ports}
        self.outside: list[str] = ['x(["x(t)"])']
        self.arrows: dict[tuple[str, str], None] = {}
        for name in (*cell.states, *cell.noises):
            kind, time = ("old", "(t-1)") if name in cell.states else ("given", "(t)")
            self.where[name] = f"{kind}_{name}"
            self.outside.append(f'{kind}_{name}(["{name}{time}"])')
        self.products = 0

    def text(self) -> str:
        """The whole chart."""
        cell = self.cell
        applied = {row for stage in cell.stages for row, _ in stage.products}
        plain = [row for row in cell.state_rows if row not in applied]
        both = [row for row in cell.input_rows if row in plain]
        output = cell.states[0]
        self._product("W x + U " + output, both, ["x", self.where[output]])
        self._product("W x", [r for r in cell.input_rows if r not in plain], ["x"])
        self._product("U " + output, [r for r in plain if r not in both], [self.where[output]])
        boxes = [self._stage(k, stage) for k, stage in enumerate(cell.stages)]
        inside = [
            line
            for k, lines in enumerate(boxes)
            for line in (_group(k, lines) if len(boxes) > 1 and lines else lines)
        ]
        used = {node for arrow in self.arrows for node in arrow}
        outside = [line for line in self.outside if line.split("(")[0].split("{")[0] in used]
        arrows = [f"{a} --> {b}" for a, b in self.arrows]
        return "\n    ".join(["flowchart LR", *outside, *inside, *arrows])

    def _product(self, text: str, rows: Sequence[str], sources: Sequence[str]) -> None:
        """Add one product that gives some rows of gates."""
        if not rows:
            return
        node = f"product_{self.products}"
        self.products += 1
        names = ", ".join(dict.fromkeys(self.cell.block(row) for row in rows))
        self.outside.append(f'{node}{{{{"{text}: {names}"}}}}')
        self.where |= dict.fromkeys(rows, node)
        for source in sources:
            self.arrows[source, node] = None

    def _stage(self, k: int, stage: Stage) -> list[str]:
        """Add a stage's values, then the products that it feeds; give the values' nodes."""
        last = k == len(self.cell.stages) - 1
        names = {node: name for name, node in stage.labels if node.args}
        writer = Writer(FORMS, {var(name): shown for name, shown in self.shown.items()} | names)
        live = set(walk(stage.outputs))
        own: dict[Expr, str] = {}
        lines = []
        # In the order of the function, as far as values allow.
        for node in (n for n in walk([*names, *stage.outputs]) if n in live):
            computed = [name for name, made in stage.computes if made is node]
            sources = self._sources(node, own)
            if last and computed:
                made = [f"new_{name}" for name in computed]
                lines += [f'{m}(["{name}(t)"])' for m, name in zip(made, computed, strict=True)]
            elif computed or (node in names and sources):
                made = [f"value_{k}_{len(lines)}"]
                shown = writer.text(node)
                lines.append(f'{made[0]}["{shown}"]')
                self.where |= dict.fromkeys(computed, made[0])
                self.shown |= dict.fromkeys(computed, shown)
            else:
                continue
            self.arrows |= {(source, m): None for m in made for source in sources}
            own[node] = made[0]
        self._applied(stage)
        return lines

    def _applied(self, stage: Stage) -> None:
        """Add the products with what the stage computes, or with a state as it was."""
        groups: dict[str, list[str]] = {}
        for row, value in stage.products:
            groups.setdefault(value, []).append(row)
        for value, rows in groups.items():
            shown = self.shown[value]
            operand = shown if shown.isidentifier() else f"({shown})"
            self._product(f"U {operand}", rows, [self.where[value]])

    def _sources(self, node: Expr, own: dict[Expr, str]) -> list[str]:
        """Nodes whose values a value is computed from, looking through what has no name."""
        found: dict[str, None] = {}
        pending, seen = list(reversed(node.args or (node,))), set()
        while pending:
            inner = pending.pop()
            if inner in seen:
                continue
            seen.add(inner)
            if inner in own:
                found[own[inner]] = None
            elif inner.op == "var" and inner.value in self.where:
                found[self.where[str(inner.value)]] = None
            else:
                pending.extend(reversed(inner.args))
        return list(found)


def _group(k: int, lines: Sequence[str]) -> list[str]:
    inner = [f"    {line}" for line in lines]
    return [f'subgraph stage_{k}["stage {k + 1}"]', *inner, "end"]
