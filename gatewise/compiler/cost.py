"""What a step of a cell costs, counted in its graph."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .expr import walk

if TYPE_CHECKING:
    from .value import Cell


def operations(cell: Cell) -> dict[str, int]:
    """Count the pointwise operations of one unit at one step, by primitive, most frequent first.

    They are those of the stages as an engine runs them: a value that is written twice counts once,
    arithmetic that a later stage repeats counts again. What sums up a gate, the products with
    weights and the addition of their two halves and of the bias, is not among them.

    Example:
        >>> from gatewise.cells import lstm
        >>> operations(lstm)
        {'mul': 3, 'sigmoid': 3, 'tanh': 2, 'add': 1}
    """
    found = Counter(node.op for stage in cell.stages for node in walk(stage.outputs) if node.args)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def rounds(cell: Cell) -> int:
    """Count the products with recurrent weights that wait for each other within one step.

    Example:
        >>> from gatewise.cells import gru_reset_before, indrnn, lstm
        >>> rounds(indrnn), rounds(lstm), rounds(gru_reset_before)
        (0, 1, 2)
    """
    applied = {row for stage in cell.stages for row, _ in stage.products}
    waits = {row: 1 for row in cell.state_rows if row not in applied}
    for stage in cell.stages:
        read = [{str(n.value) for n in walk([e]) if n.op == "var"} for e in stage.outputs]
        for name, names in zip(stage.names, read, strict=True):
            if name not in cell.states:
                waits[name] = max((waits.get(n, 0) for n in names), default=0)
        waits |= {row: waits.get(value, 0) + 1 for row, value in stage.products}
    return max((waits[row] for row in cell.state_rows), default=0)
