"""How a layer's gates start: the bias that decides how long it remembers."""

from __future__ import annotations

import torch

from gatewise.errors import InputError, nearest
from gatewise.nn import Recurrent


def set_bias(layer: Recurrent, gate: str, value: torch.Tensor | float) -> None:
    """Set a gate's whole bias in every layer: one number, or one for each unit.

    Raises:
        InputError: The layer has no such gate.

    Example:
        >>> layer = Recurrent("lstm", 2, 3)
        >>> set_bias(layer, "f", 3.0)
        >>> (layer.bias_ih_l0 + layer.bias_hh_l0)[3:6].tolist()
        [3.0, 3.0, 3.0]
    """
    rows = layer.cell.input_rows
    if gate not in rows:
        raise InputError(f"cell {layer.cell.name} has no gate {gate!r}: {nearest(gate, rows)}")
    first = rows.index(gate) * layer.hidden_size
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("bias_ih"):
                parameter[first : first + layer.hidden_size] = value
            elif name.startswith("bias_hh") and gate in layer.cell.state_rows:
                first_h = layer.cell.state_rows.index(gate) * layer.hidden_size
                parameter[first_h : first_h + layer.hidden_size] = 0


def set_chrono(layer: Recurrent, longest: int) -> None:
    """Let an LSTM's units forget at all rates that a task of that length may need.

    The forget gate's bias is the logarithm of a number drawn from 1 to `longest - 1`, the input
    gate's is minus that (Tallec & Ollivier 2018, https://arxiv.org/abs/1804.11188).

    Example:
        >>> layer = Recurrent("lstm", 2, 3)
        >>> set_chrono(layer, 100)
        >>> bool((layer.bias_ih_l0[3:6] == -layer.bias_ih_l0[:3]).all())
        True
    """
    span = torch.empty(layer.hidden_size).uniform_(1, max(longest - 1, 1))
    set_bias(layer, "f", span.log())
    set_bias(layer, "i", -span.log())
