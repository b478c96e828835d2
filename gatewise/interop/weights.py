"""What every library's weights go through: checked, put into our order, built into a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..compiler import Cell
from ..errors import InputError
from ..nn import Recurrent

Weights = dict[str, Tensor]
"""The weights of one layer in one direction, by the names that `engines.parameters` gives them."""


def checked(value: Any, name: str, *shape: int) -> Tensor:
    """Give an array as a tensor, which it shares no memory with; a tensor as it is.

    Args:
        value: An array, or what NumPy makes one of.
        name: What the other library calls it, for the error.
        shape: The shape that it must have, -1 where any size will do; nothing for any shape.

    Raises:
        InputError: It has another shape, or holds no floating-point numbers.

    Example:
        >>> checked([[1.0, 2.0]], "kernel", -1, 2)
        tensor([[1., 2.]], dtype=torch.float64)
    """
    if not isinstance(value, Tensor):
        array = np.ascontiguousarray(value)
        if array.dtype.kind != "f":
            raise InputError(
                f"{name} of type {array.dtype}: give float16, float32 or float64, such as "
                "np.asarray(value, np.float32)"
            )
        value = torch.tensor(array)
    given = tuple(value.shape)
    fits = len(given) == len(shape) and all(
        want in (size, -1) for size, want in zip(given, shape, strict=True)
    )
    if shape and not fits:
        wanted = ", ".join("any" if size < 0 else str(size) for size in shape)
        raise InputError(f"{name} of shape {given}: its shape must be ({wanted})")
    return value


def blocks(kernel: Tensor, name: str, units: int, known: Sequence[int]) -> int:
    """Count the gates whose columns or rows lie side by side in the last axis.

    Args:
        kernel: Weights whose last axis is `gates * units`.
        name: What the other library calls them, for the error.
        units: Units of the cell.
        known: Numbers of gates that the caller can read.

    Raises:
        InputError: The last axis is none of these numbers times `units`.
    """
    gates, rest = divmod(kernel.shape[-1], units) if units else (0, 0)
    if rest or gates not in known:
        sizes = " or ".join(str(k * units) for k in known)
        raise InputError(
            f"{name} of shape {tuple(kernel.shape)}: with {units} units its last axis must have "
            f"{sizes} entries"
        )
    return gates


def reordered(rows: Tensor, theirs: str, ours: Sequence[str]) -> Tensor:
    """Put blocks of rows from another library's order into ours.

    Args:
        rows: Blocks one below the other, [blocks * hidden] or [blocks * hidden, features].
        theirs: One letter for each block, in their order.
        ours: The cell's rows, whose first letters are those; what it has no row for is left out.

    Example:
        >>> reordered(torch.tensor([10, 20, 30]), "zrn", ("r", "z", "n_h")).tolist()
        [20, 10, 30]
    """
    by_letter = dict(zip(theirs, rows.chunk(len(theirs)), strict=True))
    return torch.cat([by_letter[name[0]] for name in ours])


def direction(
    cell: Cell,
    order: str,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> Weights:
    """Name the weights of one layer in one direction, with blocks of rows in the cell's order.

    Where only one bias is given the other is zero: ours are always two, as torch's are.

    Args:
        cell: The cell that they are for.
        order: The order that they are in, as `reordered` takes it.
        weight_ih: [blocks * hidden, input].
        weight_hh: [blocks * hidden, hidden].
        bias_ih: [blocks * hidden], or nothing.
        bias_hh: [blocks * hidden], or nothing.
    """
    if bias_ih is None and bias_hh is not None:
        bias_ih = torch.zeros_like(bias_hh)
    if bias_hh is None and bias_ih is not None:
        bias_hh = torch.zeros_like(bias_ih)
    named = {
        "weight_ih": (weight_ih, cell.input_rows),
        "weight_hh": (weight_hh, cell.state_rows),
        "bias_ih": (bias_ih, cell.input_rows),
        "bias_hh": (bias_hh, cell.state_rows),
    }
    return {
        name: reordered(rows, order, ours)
        for name, (rows, ours) in named.items()
        if rows is not None
    }


def built(
    cell: Cell,
    layers: Sequence[Sequence[Mapping[str, Tensor]]],
    *,
    merge: str | None = "concat",
    dropout: float = 0.0,
    proj_size: int = 0,
    layer_norm: str | None = None,
) -> Recurrent:
    """Make a layer that holds a copy of these weights, on their device and of their type.

    Args:
        cell: The equations of one step.
        layers: For each layer, and in it for each direction, the weights.
        merge: As in `Recurrent`.
        dropout: As in `Recurrent`.
        proj_size: As in `Recurrent`.
        layer_norm: As in `Recurrent`.
    """
    first = layers[0][0]
    weight = first["weight_ih"]
    # On no device nothing is drawn: the copy would only overwrite it, and use up a seed.
    made = Recurrent(
        cell,
        weight.shape[1],
        weight.shape[0] // len(cell.input_rows),
        num_layers=len(layers),
        bidirectional=len(layers[0]) == 2,
        merge=merge,
        dropout=dropout,
        bias="bias_ih" in first,
        proj_size=proj_size,
        layer_norm=layer_norm,
        device="meta",
        dtype=weight.dtype,
    ).to_empty(device=weight.device)
    made.load_state_dict(named(layers))
    return made


def named(layers: Sequence[Sequence[Mapping[str, Tensor]]]) -> dict[str, Tensor]:
    """Give weights the names that they have in a layer's `state_dict`.

    Example:
        >>> list(named([[{"p_i": torch.zeros(2)}, {"p_i": torch.zeros(2)}]]))
        ['p_i_l0', 'p_i_l0_reverse']
    """
    return {
        f"{name}_l{layer}{suffix}": weight
        for layer, directions in enumerate(layers)
        for suffix, own in zip(("", "_reverse"), directions, strict=False)
        for name, weight in own.items()
    }
