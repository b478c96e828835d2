"""Which gates decide how long a cell remembers, read from its equations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import torch
from torch import Tensor

from ...compiler import Cell
from ...compiler.normalize import shift_of
from ...connectivity import Dense
from ...engines import parameters, step

# A bias under which a sigmoid is open or shut.
_WIDE = 20.0
# Of the memory; a unit of a phased LSTM whose clock stands still keeps but a little less.
_NONE = 1e-6
# Layer norm of one unit would leave nothing of it.
_UNITS = 2


@lru_cache(maxsize=64)
def keepers(cell: Cell) -> dict[str, int]:
    """Find the gates whose bias decides how much of the memory a step keeps.

    Layer norm has a shift in the place of the bias. A gate's name does not tell: the z of a GRU
    keeps the old state, that of MUT1 to MUT3 writes the new one. So the cell runs one step, with
    the gate open and with it shut. Of row blocks that add up to one gate, such as `f_x` and `f_h`,
    the first one stands for it.

    Returns:
        By row block, 1 where a large bias keeps the memory, and -1 where it replaces it.

    Example:
        >>> from gatewise.cells import lstm, mut1
        >>> keepers(lstm), keepers(mut1)
        ({'f': 1}, {'z': -1})
    """
    rows = dict.fromkeys((*cell.input_rows, *cell.state_rows))
    found: dict[str, int] = {}
    for row in rows:
        change = _kept(cell, {row: _WIDE}) - _kept(cell, {row: -_WIDE})
        sign = 1 if change > 0 else -1
        if abs(change) > _NONE and not any(_cancel(cell, other, row) for other in found):
            found[row] = sign
    return found


def _cancel(cell: Cell, one: str, other: str) -> bool:
    """Whether two row blocks add up to one gate: opposite biases then change nothing."""
    return abs(_kept(cell, {one: _WIDE, other: -_WIDE}) - _kept(cell, {})) < _NONE


def _kept(cell: Cell, biases: Mapping[str, float]) -> float:
    """Share of the memory `c`, else of the output, that a step keeps under biases of row blocks.

    All other weights are 0, so that no state reaches a gate.
    """
    zeros = partial(torch.zeros, dtype=torch.float64, device="cpu")
    shapes = parameters(cell, Dense(), 1, _UNITS)
    weights = {name: zeros(shape) for name, shape in shapes.items()}
    for row, bias in biases.items():
        _bias(cell, weights, row).fill_(bias)
    if "gain_c" in weights:  # A memory that is stored normalised is nothing without its gain.
        weights["gain_c"].fill_(1)
    memory = cell.states.index("c") if "c" in cell.states else 0
    state = tuple(zeros(2, _UNITS) + 0.5 for _ in cell.states)
    state[memory][0], state[memory][1] = 0, torch.tensor([-1.0, 1.0])
    after = step(cell, Dense(), zeros(2, 1), weights, state)[memory]
    return float(after[1, 1] - after[0, 1])


def _bias(cell: Cell, weights: Mapping[str, Tensor], row: str) -> Tensor:
    """The bias of a row block, or the shift that layer norm has in its place."""
    shift = shift_of(cell, row)
    if shift is not None:
        return weights[shift]
    from_input = row in cell.input_rows
    half, rows = ("bias_ih", cell.input_rows) if from_input else ("bias_hh", cell.state_rows)
    return weights[half].split(_UNITS)[rows.index(row)]
