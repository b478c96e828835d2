"""From the parameters of the sLSTM cell of the package xlstm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .. import cells
from ..errors import InputError
from ..nn import Recurrent
from .weights import built, checked

_GATES = 4
_NAMES = ("_recurrent_kernel_", "_bias_")


def from_xlstm(state_dict: Mapping[str, Any]) -> Recurrent:
    """Make a layer of the cell `slstm` with the weights of one `sLSTMCell` of the package xlstm.

    That cell is given the gates' sums of the input, i, f, z and o side by side, and so is the
    layer: its `weight_ih` is the identity, [4 * hidden, 4 * hidden]. What makes these sums is
    outside of the cell, in `sLSTMLayer`; mind that its `fgate` makes the first of them, i, and its
    `igate` the second, f. The heads' recurrent matrices become one, block-diagonal,
    [4 * hidden, hidden].

    Args:
        state_dict: What holds one `_recurrent_kernel_`, [heads, 4 * units, units] of the vanilla
            backend or [heads, units, 4 * units] of the CUDA one, and one `_bias_`, [4 * hidden],
            under any prefix. Other entries are not looked at.

    Raises:
        InputError: There is not one of each, or a shape is not as above.

    Example:
        >>> weights = {"_recurrent_kernel_": torch.zeros(2, 16, 4), "_bias_": torch.zeros(32)}
        >>> from_xlstm(weights)
        Recurrent(slstm, 32, 8)
    """
    kernel, bias = (_one(state_dict, name) for name in _NAMES)
    checked(kernel, _NAMES[0], -1, -1, -1)
    heads, rows, columns = kernel.shape
    units = min(rows, columns)
    if max(rows, columns) != _GATES * units:
        raise InputError(
            f"{_NAMES[0]} of shape {tuple(kernel.shape)}: give [heads, 4 * units, units], or "
            "[heads, units, 4 * units] of the CUDA backend"
        )
    hidden = heads * units
    checked(bias, _NAMES[1], _GATES * hidden)
    if rows > columns:
        # [head, gate, out, in]; the bias goes gate by gate already.
        blocks = kernel.unflatten(1, (_GATES, units))
    else:
        blocks = kernel.unflatten(2, (_GATES, units)).permute(0, 2, 3, 1)
        bias = bias.reshape(heads, _GATES, units).transpose(0, 1).reshape(-1)
    weights = {
        "weight_ih": torch.eye(_GATES * hidden, dtype=kernel.dtype, device=kernel.device),
        "weight_hh": torch.cat([torch.block_diag(*blocks[:, gate]) for gate in range(_GATES)]),
        "bias_ih": bias,
        "bias_hh": torch.zeros_like(bias),
    }
    return built(cells.slstm, [[weights]])


def _one(state_dict: Mapping[str, Any], name: str) -> Tensor:
    """The one entry that is called so, under any prefix."""
    found = [key for key in state_dict if key == name or key.endswith(f".{name}")]
    if len(found) != 1:
        raise InputError(
            f"state_dict holds {len(found)} entries {name}: give that of one sLSTMCell"
        )
    return checked(state_dict[found[0]], name)
