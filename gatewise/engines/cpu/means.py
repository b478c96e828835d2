"""Means over the units of a row, as layer norm needs them: where they stand in time, and as code.

A mean waits for all units of a value, as a product with weights does, and is then one number for
each row. So a plan treats it as a product with a row block that has no weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...compiler import Cell
from ...compiler.expr import Expr, walk
from ...compiler.value import Port

if TYPE_CHECKING:
    from .ir import Function


def as_products(cell: Cell) -> tuple[Cell, frozenset[str]]:
    """Write each mean in a cell's equations as a product with a row block of its own.

    Returns:
        The cell, and the names of these row blocks.
    """
    found = [node for node in walk(cell.outputs) if node.op == "mean"]
    if not found:
        return cell, frozenset()
    names: dict[Expr, str] = {}
    for node in found:
        names[node] = f"mean{len(names)}"
        while names[node] in cell.inputs:
            names[node] += "_"
    # Arguments may hold means themselves, so nodes are told apart as they were before.
    before = [*cell.outputs, *(node for _, node in cell.labels if node.op != "mean")]
    new: dict[Expr, Expr] = {}
    for node in walk(before):
        arguments = tuple(new[a] for a in node.args)
        op, value = ("product", names[node]) if node in names else (node.op, node.value)
        new[node] = Expr(op, arguments, value)
    labels = tuple((name, new[node]) for name, node in cell.labels if node in new)
    ports = (*cell.ports, *(Port(name, "from_state") for name in names.values()))
    outputs = tuple(new[o] for o in cell.outputs)
    return replace(cell, ports=ports, outputs=outputs, labels=labels), frozenset(names.values())


def mean_of_row(code: Function, row: str, units: str) -> str:
    """The mean of the numbers of a padded row, a scalar.

    Args:
        code: The function to write into.
        row: Where the row begins.
        units: Numbers that count, an i64.
    """
    lanes, n = code.lanes, code.lanes.count
    total = code.first(f"alloca {lanes.type}, align 64")
    code.store("zeroinitializer", total)
    with code.loop("0", units, str(n)) as at:
        value = code.load_part(code.offset(row, at), code.mask(code.sub(units, at)))
        code.store(code.arithmetic("fadd", code.load(total), value), total)
    name = f"@llvm.vector.reduce.fadd.{lanes.suffix}"
    code.module.declare(name, f"declare {lanes.kind} {name}({lanes.kind}, {lanes.type})")
    zero = lanes.number(0.0)
    # Reassociated, lanes are added up in a tree.
    sum_ = code.let(
        f"call reassoc {lanes.kind} {name}({lanes.kind} {zero}, {lanes.type} {code.load(total)})"
    )
    count = code.let(f"sitofp i64 {units} to {lanes.kind}")
    return code.let(f"fdiv {lanes.kind} {sum_}, {count}")


def spread(code: Function, mean: str, row: str, blocks: str) -> None:
    """Add a scalar to all numbers of a padded row."""
    lanes, n = code.lanes, code.lanes.count
    first = code.let(f"insertelement {lanes.type} poison, {lanes.kind} {mean}, i32 0")
    zeros = f"<{n} x i32> zeroinitializer"
    all_ = code.let(f"shufflevector {lanes.type} {first}, {lanes.type} poison, {zeros}")
    with code.loop("0", blocks) as unit:
        at = code.offset(row, code.mul(unit, n))
        code.store(code.arithmetic("fadd", code.load(at), all_), at)
