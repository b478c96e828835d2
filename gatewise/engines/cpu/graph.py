"""A graph of equations as vector code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...compiler.expr import Expr, walk
from ...compiler.simplify import simplify
from .ir import Function
from .vector_math import FUNCTIONS


def write(code: Function, outputs: Sequence[Expr], leaf: Callable[[str], str]) -> list[str]:
    """Write what the outputs need, each node once; give their values.

    Args:
        code: The function to write into.
        outputs: Graph without products.
        leaf: Gives the value of a variable; asked once for each.
    """
    outputs = simplify(outputs)
    values: dict[Expr, str] = {}
    for node in walk(outputs):
        if node.op == "const":
            values[node] = code.lanes.splat(float(node.value or 0.0))
        elif node.op == "var":
            values[node] = leaf(str(node.value))
        else:
            values[node] = FUNCTIONS[node.op](code, *(values[a] for a in node.args))
    return [values[o] for o in outputs]


def variables(named: Mapping[str, Expr] | Sequence[tuple[str, Expr]]) -> list[str]:
    """Names of all variables of some graphs."""
    pairs = named.items() if isinstance(named, Mapping) else named
    return list(dict.fromkeys(
        str(n.value) for _, e in pairs for n in walk([e]) if n.op == "var"
    ))  # fmt: skip
