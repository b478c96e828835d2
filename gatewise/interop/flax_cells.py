"""From the parameters of Flax's recurrent cells, of linen and of nnx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .. import cells
from ..errors import InputError, nearest
from ..nn import Recurrent
from .weights import Weights, built, checked, direction

_KINDS = {
    "lstm": (cells.lstm, ("i", "f", "g", "o"), "ifgo"),
    "gru": (cells.gru, ("r", "z", "n"), "rzn"),
    "simple": (cells.elman, ("",), "a"),
}
"""Each kind's cell, Flax's names of its gates, and their order."""


def from_flax(params: Mapping[str, Any], kind: str) -> Recurrent:
    """Make a layer with the weights of one of Flax's cells.

    Read are the parameters of `LSTMCell`, `OptimizedLSTMCell`, `GRUCell` and `SimpleCell` (without
    its residual), each gate by itself or all side by side (`dense_i`, `dense_h`), with Flax's
    default activations. Flax's carry is (c, h); the state of the layer is (h, c).

    Args:
        params: Nested dictionaries of arrays: linen's `variables`, or for nnx
            `nnx.to_pure_dict(nnx.state(cell, nnx.Param))`. Levels with one name only, such as
            `params` and `cell`, are stepped through.
        kind: `"lstm"`, `"gru"` or `"simple"`.

    Raises:
        InputError: Names or shapes are not those of such a cell.

    Example:
        >>> import numpy as np
        >>> dense_i = {"kernel": np.ones((3, 16))}
        >>> dense_h = {"kernel": np.ones((4, 16)), "bias": np.zeros(16)}
        >>> from_flax({"dense_i": dense_i, "dense_h": dense_h}, "lstm")
        Recurrent(lstm, 3, 4)
    """
    if kind not in _KINDS:
        raise InputError(f"kind={kind!r}: {nearest(str(kind), _KINDS)}")
    while isinstance(params, Mapping) and len(params) == 1:
        params = next(iter(params.values()))
    if not isinstance(params, Mapping):
        raise InputError(
            f"params holds {type(params).__name__} where a cell's dictionaries should be: give the "
            "parameters of one cell"
        )
    cell, gates, order = _KINDS[kind]
    w_ih, b_ih = _side(params, "i", gates, kind)
    w_hh, b_hh = _side(params, "h", gates, kind)
    units = w_hh.shape[1]
    checked(w_hh, "the kernel of the state", len(gates) * units, units)
    checked(w_ih, "the kernel of the input", len(gates) * units, -1)
    own: Weights = direction(cell, order, w_ih, w_hh, b_ih, b_hh)
    return built(cell, [[own]])


def _side(
    params: Mapping[str, Any], side: str, gates: tuple[str, ...], kind: str
) -> tuple[Tensor, Tensor | None]:
    """Kernel, [gates * units, features], and bias of the input's or the state's half."""
    whole = f"dense_{side}"
    names = [whole] if whole in params else [side + gate for gate in gates]
    parts = [_part(params, name, kind) for name in names]
    features = checked(parts[0]["kernel"], f"kernel of {names[0]}", -1, -1).shape[0]
    kernels = [checked(part["kernel"], f"kernel of {name}", features, -1)
               for name, part in zip(names, parts, strict=True)]  # fmt: skip
    biases = [part.get("bias") for part in parts]
    kernel = torch.cat([k.T for k in kernels])
    if all(bias is None for bias in biases):
        return kernel, None
    # Flax leaves out biases that another one would add up with; a missing one is zero.
    sizes = [k.shape[1] for k in kernels]
    filled = [
        kernel.new_zeros(size) if bias is None else checked(bias, f"bias of {name}", size)
        for name, bias, size in zip(names, biases, sizes, strict=True)
    ]
    return kernel, torch.cat(filled)


def _part(params: Mapping[str, Any], name: str, kind: str) -> Mapping[str, Any]:
    """Kernel and bias of one gate; nnx writes `if_`, since `if` is a word of Python's."""
    for written in (name, f"{name}_"):
        part = params.get(written)
        if isinstance(part, Mapping) and "kernel" in part:
            return part
    raise InputError(
        f"params of kind {kind!r} have no kernel of {name!r}: they hold "
        f"{', '.join(map(str, params))}; give the parameters of one such cell"
    )
