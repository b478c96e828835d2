"""Which weights a layer has, and which states it carries: names and shapes."""

from __future__ import annotations

from ..compiler import Cell
from ..connectivity import Connectivity
from ..errors import InputError


def parameters(
    cell: Cell, connectivity: Connectivity, input_size: int, hidden_size: int, *, bias: bool = True
) -> dict[str, tuple[int, ...]]:
    """Name and shape of each weight of one layer in one direction, in torch's order.

    Rows of `weight_ih` and `bias_ih` are blocks of `hidden_size`, one for each of
    `cell.input_rows`; those of `weight_hh` and `bias_hh` likewise for `cell.state_rows`.

    Raises:
        InputError: The cell looks at no input.

    Example:
        >>> from gatewise.cells import peephole_lstm
        >>> from gatewise.connectivity import Dense
        >>> shapes = parameters(peephole_lstm, Dense(), 3, 8)
        >>> shapes["weight_ih"], shapes["weight_hh"], shapes["p_i"]
        ((32, 3), (32, 8), (8,))
    """
    if not cell.input_rows:
        raise InputError(
            f"the cell {cell.name} looks at no input: give it a Gate or a FromInput parameter"
        )
    rows_ih, rows_hh = len(cell.input_rows) * hidden_size, len(cell.state_rows) * hidden_size
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows_ih, input_size)}
    recurrent = connectivity.parameters(len(cell.state_rows), hidden_size)
    if "weight_hh" in recurrent:
        shapes["weight_hh"] = recurrent.pop("weight_hh")
    if bias:
        shapes["bias_ih"] = (rows_ih,)
    if bias and rows_hh:
        shapes["bias_hh"] = (rows_hh,)
    return shapes | recurrent | dict.fromkeys(cell.weights, (hidden_size,))


def state_sizes(cell: Cell, connectivity: Connectivity, hidden_size: int) -> tuple[int, ...]:
    """Features of each of the cell's states; the first is what leaves the layer.

    Raises:
        InputError: The connectivity changes the size of a state that the cell also uses unit by
            unit.
    """
    output = connectivity.output_size(hidden_size)
    h = cell.states[0]
    applied = any(stage.products for stage in cell.stages)
    if output != hidden_size and (applied or any(h in stage.reads for stage in cell.stages)):
        raise InputError(
            f"proj_size={output}: the cell {cell.name} uses {h} unit by unit, so it must keep "
            f"{hidden_size} features; leave proj_size at 0, or take a cell such as lstm"
        )
    return (output, *[hidden_size] * (len(cell.states) - 1))
