"""How the weights of a recurrent layer start."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import init

from ..compiler import Cell


def initialize(cell: Cell, weights: Mapping[str, Tensor], hidden_size: int) -> None:
    """Fill the weights of one layer in one direction, in place.

    Gate by gate: recurrent weights orthogonal, input weights Glorot uniform. A gate's initial
    bias is the cell's in total, so it stands in one of its two bias vectors only. Vectors start
    where the cell says.

    Args:
        cell: The cell that they belong to.
        weights: As `engines.parameters` names them; call it where no gradient is recorded.
        hidden_size: Rows of each gate.

    Example:
        >>> import torch
        >>> from gatewise.cells import lstm
        >>> weights = {"bias_ih": torch.ones(8), "bias_hh": torch.ones(8)}
        >>> initialize(lstm, weights, 2)
        >>> (weights["bias_ih"] + weights["bias_hh"]).tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    for name, weight in weights.items():
        if name == "weight_ih":
            for block in weight.split(hidden_size):
                init.xavier_uniform_(block)
        elif name == "weight_hh":
            for block in weight.split(hidden_size):
                _orthogonal(block)
        elif name == "weight_hr":
            _orthogonal(weight)
        elif name == "bias_ih":
            _fill(weight, hidden_size, [cell.bias.get(row, 0.0) for row in cell.input_rows])
        elif name == "bias_hh":
            own = [cell.bias.get(row, 0.0) if row not in cell.input_rows else 0.0
                   for row in cell.state_rows]  # fmt: skip
            _fill(weight, hidden_size, own)
        else:
            weight.fill_(cell.weights[name])


def _orthogonal(block: Tensor) -> None:
    """Fill with orthogonal rows or columns; drawn in a type that torch can decompose."""
    wide = block.to(torch.promote_types(block.dtype, torch.float32))
    block.copy_(init.orthogonal_(wide))


def _fill(bias: Tensor, hidden_size: int, values: list[float]) -> None:
    for block, value in zip(bias.split(hidden_size), values, strict=True):
        block.fill_(value)
