"""From the parameters of haste's layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import cells
from ..errors import InputError, nearest
from ..nn import Recurrent
from .weights import blocks, built, checked, direction

_KINDS = {"lstm": (cells.lstm, "igfo"), "gru": (cells.gru, "zrn")}
"""Each kind's cell, and the order of haste's gates."""


def from_haste(state_dict: Mapping[str, Any], kind: str) -> Recurrent:
    """Make a layer with the weights of `haste_pytorch.LSTM` or `GRU`.

    Its zoneout acts on h alone and its dropout on the recurrent weights; neither is in the weights:
    give `zoneout={"h": rate}` or `weight_dropout` to a `Recurrent` of yours and load this one's
    `state_dict`.

    Args:
        state_dict: Arrays by haste's names: `kernel` [input, gates * hidden], `recurrent_kernel`
            [hidden, gates * hidden], `bias` and, of a GRU, `recurrent_bias` [gates * hidden].
        kind: `"lstm"` or `"gru"`.

    Raises:
        InputError: Names or shapes are not those of such a layer.

    Example:
        >>> import numpy as np
        >>> weights = {"kernel": np.ones((3, 16)), "recurrent_kernel": np.ones((4, 16))}
        >>> from_haste(weights | {"bias": np.zeros(16)}, "lstm")
        Recurrent(lstm, 3, 4)
    """
    if kind not in _KINDS:
        raise InputError(f"kind={kind!r}: {nearest(str(kind), _KINDS)}")
    cell, order = _KINDS[kind]
    wanted = ["kernel", "recurrent_kernel", "bias", *["recurrent_bias"] * (kind == "gru")]
    for name in wanted:
        if name not in state_dict:
            raise InputError(
                f"state_dict of kind {kind!r} lacks {name!r}: it must hold {', '.join(wanted)}"
            )
    recurrent = checked(state_dict["recurrent_kernel"], "recurrent_kernel", -1, -1)
    units = recurrent.shape[0]
    rows = units * blocks(recurrent, "recurrent_kernel", units, [len(order)])
    kernel = checked(state_dict["kernel"], "kernel", -1, rows)
    biases = [checked(state_dict[name], name, rows) for name in wanted[2:]]
    return built(cell, [[direction(cell, order, kernel.T, recurrent.T, *biases)]])
