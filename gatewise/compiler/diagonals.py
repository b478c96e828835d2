"""Cell to cell: units that see of the state only themselves."""

from __future__ import annotations

from dataclasses import replace

from ..errors import InputError
from .expr import Expr, var
from .transform import refuse_again, rewritten
from .value import Cell, Port

_START = 0.5
"""Where each vector starts.

Below 1, so that a state whose only way into the next step is this one fades instead of exploding,
also through a relu; above 0, so that gates see the state from the first step on. It adds at most a
half to a gate that is otherwise moved by the input.
"""


def diagonal(cell: Cell) -> Cell:
    """Put a vector in the place of each gate's recurrent matrix, so that units are independent.

    `W x + U h + b` becomes `W x + u * h + b`, as if only the diagonal of U were not 0 (Li et al.,
    Independently Recurrent Neural Network, 2018, https://arxiv.org/abs/1803.04831, of the simple
    network; Danieli et al., ParaRNN, 2025, https://arxiv.org/abs/2510.21450, of LSTM and GRU). Each
    layer costs that much less, and needs layers upon it for units to see each other.

    A `Gate` becomes a `FromInput` of its name and bias; a `FromState`, with its bias, becomes the
    vector times the state, or times the value that its rows are applied to. Gate `i` has the
    `Weight` `u_i`, which starts from 0.5: the state fades instead of exploding, and is seen.

    Args:
        cell: The equations. Layer norm of the new cell leaves `u * h` alone; that of the old one
            is kept, and normalises it.

    Raises:
        InputError: The cell has no recurrent matrix, perhaps because it is diagonal already.

    Example:
        >>> from gatewise.cells import elman
        >>> diagonal(elman).inputs
        {'a': 'from_input', 'h': 'state', 'u_a': 'weight'}
    """
    if not cell.state_rows:
        raise InputError(
            f"cell {cell.name} has no recurrent matrix that could become a diagonal: take a cell "
            "with a Gate or a FromState, and apply diagonal once"
        )
    vectors = {row: f"u_{cell.block(row)}" for row in cell.state_rows}
    refuse_again(cell, vectors.values(), "diagonal")
    output = var(cell.states[0])

    def rule(node: Expr) -> Expr:
        row = str(node.value)
        if node.op == "product":
            return var(vectors[row]) * node.args[0]
        if node.op != "var" or row not in vectors:
            return node
        own = var(vectors[row]) * output
        return var(row) + own if row in cell.input_rows else own

    outputs, labels = rewritten(cell, rule)
    ports = [
        replace(port, kind="from_input") if port.kind == "gate" else port
        for port in cell.ports
        if port.kind != "from_state"
    ]
    weights = [Port(name, "weight", _START) for name in vectors.values()]
    return replace(
        cell,
        name=f"{cell.name}_diagonal",
        ports=(*ports, *weights),
        outputs=outputs,
        labels=labels,
    )
