"""From the parameters of haste's layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .. import cells
from ..compiler import Cell, FromInput, State, Weight, cell, layer_norm, tanh
from ..errors import InputError, nearest
from ..nn import Recurrent
from .weights import Weights, blocks, built, checked, direction, reordered


@cell
def indrnn_tanh(a: FromInput, h: State, u: Weight = 1.0):
    """IndRNN as haste has it: `indrnn` with tanh for the rectifier."""
    h = tanh(a + u * h)
    return h


_NORMAL = "layer_norm_"
_KINDS = {
    "lstm": (cells.lstm, "igfo"),
    "gru": (cells.gru, "zrn"),
    "indrnn": (indrnn_tanh, "a"),
}
"""Each kind's cell, and the order of haste's gates."""


def from_haste(state_dict: Mapping[str, Any], kind: str) -> Recurrent:
    """Make a layer with the weights of one of haste's, plain or with layer norm.

    Its zoneout acts on h alone and its dropout on the recurrent weights; neither is in the weights:
    give `zoneout={"h": rate}` or `weight_dropout` to a `Recurrent` of yours and load this one's
    `state_dict`. Its layer norm is `layer_norm="ba"`, its IndRNN has a tanh for the rectifier.

    Args:
        state_dict: Arrays by haste's names: `kernel` [input, gates * hidden], `recurrent_kernel`
            [hidden, gates * hidden], `bias` and, of a GRU, `recurrent_bias` [gates * hidden]; of an
            IndRNN `recurrent_scale` [hidden] in the place of the second. With layer norm also
            `gamma` [2, gates * hidden] and, of an LSTM, `gamma_h` and `beta_h` [hidden].
        kind: `"lstm"`, `"gru"` or `"indrnn"`, and each with `"layer_norm_"` before it.

    Raises:
        InputError: Names or shapes are not those of such a layer.

    Example:
        >>> import numpy as np
        >>> weights = {"kernel": np.ones((3, 16)), "recurrent_kernel": np.ones((4, 16))}
        >>> from_haste(weights | {"bias": np.zeros(16)}, "lstm")
        Recurrent(lstm, 3, 4)
    """
    kinds = [*_KINDS, *(_NORMAL + name for name in _KINDS)]
    if kind not in kinds:
        raise InputError(f"kind={kind!r}: {nearest(str(kind), kinds)}")
    name, normal = kind.removeprefix(_NORMAL), kind.startswith(_NORMAL)
    cell, order = _KINDS[name]
    held = _held(state_dict, kind, len(order))
    kernel, biases = held["kernel"].T, (held["bias"], held.get("recurrent_bias"))
    if name == "indrnn":
        weights = {"weight_ih": kernel, "bias_ih": biases[0], "u": held["recurrent_scale"]}
    else:
        weights = direction(cell, order, kernel, held["recurrent_kernel"].T, *biases)
    if normal:
        weights = _normalised(cell, order, weights, held)
    return built(cell, [[weights]], layer_norm="ba" if normal else None)


def _held(state_dict: Mapping[str, Any], kind: str, gates: int) -> dict[str, Tensor]:
    """The arrays of such a layer, of the shapes that they must have."""
    recurrent = "recurrent_scale" if kind.endswith("indrnn") else "recurrent_kernel"
    wanted = ["kernel", recurrent, "bias", *["recurrent_bias"] * kind.endswith("gru")]
    wanted += ["gamma"] * kind.startswith(_NORMAL)
    wanted += ["gamma_h", "beta_h"] * (kind == f"{_NORMAL}lstm")
    for name in wanted:
        if name not in state_dict:
            raise InputError(
                f"state_dict of kind {kind!r} lacks {name!r}: it must hold {', '.join(wanted)}"
            )
    axes = 1 if recurrent == "recurrent_scale" else 2
    units = checked(state_dict[recurrent], recurrent, *[-1] * axes).shape[0]
    if axes == 2:
        blocks(checked(state_dict[recurrent], recurrent), recurrent, units, [gates])
    rows = units * gates
    shapes = {
        "kernel": (-1, rows), "recurrent_kernel": (units, rows), "recurrent_scale": (units,),
        "gamma": (2, rows), "gamma_h": (units,), "beta_h": (units,),
    }  # fmt: skip
    return {name: checked(state_dict[name], name, *shapes.get(name, (rows,))) for name in wanted}


def _normalised(
    cell: Cell, order: str, weights: Weights, held: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Put gains beside the weights, and shifts in the place of the biases."""
    known, found = layer_norm(cell).weights, dict(weights)
    sides = (("x", "bias_ih", cell.input_rows), ("h", "bias_hh", cell.state_rows))
    for gamma, (half, name, rows) in zip(held["gamma"], sides, strict=True):
        if not rows:
            continue
        gains, biases = (v.chunk(len(rows)) for v in (reordered(gamma, order, rows), found[name]))
        del found[name]
        for row, gain, bias in zip(rows, gains, biases, strict=True):
            block = cell.block(row)
            found[f"gain_{half}_{block}"] = gain
            apart = f"shift_h_{block}"
            shift = apart if half == "h" and apart in known else f"shift_{block}"
            found[shift] = found[shift] + bias if shift in found else bias
    if "gamma_h" in held:
        found |= {"gain_c": held["gamma_h"], "shift_c": held["beta_h"]}
    return found
