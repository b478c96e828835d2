"""From the recurrent nodes of an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from .. import cells
from .._optional import need
from ..compiler import Cell, clip
from ..errors import InputError, nearest
from ..nn import Recurrent
from .activations import ACTIVATIONS, Activation, activated, activation
from .backward import Backward
from .weights import Weights, built, checked, direction, reordered

_GATES = {"LSTM": "iofg", "GRU": "zrn", "RNN": "a"}
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_DEFAULTS = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}


def from_onnx(
    source: Any, initializers: Mapping[str, Any] | None = None, *, node: str | None = None
) -> Recurrent | Backward:
    """Make a layer of an ONNX node LSTM, GRU or RNN.

    Peepholes, `clip`, `input_forget`, `linear_before_reset`, `direction` and all activations of the
    specification are read. The layer is batch first, whatever the node's `layout`; its outputs have
    the directions side by side in the last axis. The node's `sequence_lens` are the call's
    `lengths`, its `initial_h` and `initial_c` the call's state.

    Args:
        source: A model, as `onnx.load` gives it, or one of its nodes.
        initializers: For a node: arrays by the names of its inputs W, R, B and P. A model has
            them itself.
        node: For a model with several recurrent nodes: the name of one, or of its first output.

    Returns:
        A layer with a copy of the weights, a `Backward` for `direction="reverse"`.

    Raises:
        InputError: The node is none of these, its weights are no constants, or shapes or
            attributes are not as the specification says.

    Example:
        >>> import numpy as np
        >>> from onnx import helper
        >>> lstm = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4, clip=3.0)
        >>> from_onnx(lstm, {"w": np.ones((1, 16, 3)), "r": np.ones((1, 16, 4))})
        Recurrent(lstm_clip, 3, 4, bias=False)
    """
    onnx = need("onnx", "export")
    arrays = dict(initializers or {})
    if hasattr(source, "graph"):
        tensors = _constants(source.graph)
        source = _chosen(source.graph, node)
        arrays |= {
            name: onnx.numpy_helper.to_array(tensors[name])
            for name in source.input
            if name in tensors
        }
    if source.op_type not in _GATES:
        raise InputError(
            f"the node {source.name!r} is of type {source.op_type}: give one of type LSTM, GRU or "
            "RNN"
        )
    values = {a.name: onnx.helper.get_attribute_value(a) for a in source.attribute}
    read = {name: _text(value) for name, value in values.items()}
    weights = _weights(source, arrays)
    way, directions = _directions(source.op_type, read, weights)
    cell = _cell(source.op_type, read, "P" in weights, len(directions))
    own = [_named(cell, source.op_type, *each) for each in directions]
    layer = built(cell, [own])
    return Backward(layer) if way == "reverse" else layer


def _constants(graph: Any) -> dict[str, Any]:
    """Tensors by name: the initializers, and what nodes of type Constant give."""
    found = {tensor.name: tensor for tensor in graph.initializer}
    for made in graph.node:
        if made.op_type == "Constant" and made.attribute[0].name == "value":
            found[made.output[0]] = made.attribute[0].t
    return found


def _chosen(graph: Any, name: str | None) -> Any:
    """The recurrent node of this name, or the only one."""
    nodes = [n for n in graph.node if n.op_type in _GATES]
    names = [n.name or n.output[0] for n in nodes]
    if name is None and len(nodes) == 1:
        return nodes[0]
    for made in nodes:
        if name is not None and name in (made.name, *made.output):
            return made
    if not nodes:
        raise InputError("the model has no node LSTM, GRU or RNN to read")
    raise InputError(f"node={name!r}: name one of the recurrent nodes; {nearest(str(name), names)}")


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)):
        return [_text(item) for item in value]
    return value


def _weights(node: Any, arrays: Mapping[str, Any]) -> dict[str, Tensor]:
    """The node's constant inputs by the specification's names."""
    weights: dict[str, Tensor] = {}
    for own, name in zip(_INPUTS, node.input, strict=False):
        if own not in ("W", "R", "B", "P") or not name:
            continue
        if name not in arrays:
            raise InputError(
                f"input {own} of the node {node.name!r} is {name!r}, which is no initializer: fold "
                "the model's constants, or give it in initializers"
            )
        weights[own] = checked(arrays[name], own)
    return weights


def _directions(
    op: str, read: Mapping[str, Any], weights: Mapping[str, Tensor]
) -> tuple[str, list[tuple[Tensor, Tensor, Tensor | None, Tensor | None]]]:
    """Which way time is read, and W, R, B and P of each direction, shapes checked."""
    way = read.get("direction", "forward")
    counts = {"forward": 1, "reverse": 1, "bidirectional": 2}
    if way not in counts:
        raise InputError(f"direction={way!r}: {nearest(str(way), counts)}")
    if "W" not in weights or "R" not in weights:
        raise InputError("the node has no inputs W and R: give it the weights")
    count, units = counts[way], weights["R"].shape[-1]
    if read.get("hidden_size", units) != units:
        raise InputError(
            f"hidden_size={read['hidden_size']} and R of shape {tuple(weights['R'].shape)}: the "
            "last axis of R must be hidden_size"
        )
    rows = len(_GATES[op]) * units
    shapes = {
        "W": (count, rows, -1),
        "R": (count, rows, units),
        "B": (count, 2 * rows),
        "P": (count, 3 * units),
    }
    for name, weight in weights.items():
        checked(weight, name, *shapes[name])
    absent = [None] * count
    given = [list(weights[n]) if n in weights else absent for n in ("W", "R", "B", "P")]
    return way, list(zip(*given, strict=True))


def _named(
    cell: Cell, op: str, w: Tensor, r: Tensor, b: Tensor | None, p: Tensor | None
) -> Weights:
    """One direction's weights by our names, in the cell's order."""
    coupled = op == "LSTM" and "i" not in cell.input_rows
    # With input_forget the weights of i make our f, and theirs of f are not looked at.
    gates, peepholes = ("foxg", "fox") if coupled else (_GATES[op], "iof")
    own = direction(cell, gates, w, r, *(() if b is None else b.chunk(2)))
    if p is not None:
        for name in cell.weights:
            own[name] = reordered(p, peepholes, (name.removeprefix("p_"),))
    if coupled:
        # They keep 1 - i, which is the sigmoid of -i; f comes first in our rows.
        for name in own.keys() - {"p_o"}:
            own[name][: r.shape[1]].neg_()
    return own


def _cell(op: str, read: Mapping[str, Any], peephole: bool, directions: int) -> Cell:
    """The equations that the attributes describe; of the catalogue where it has them."""
    functions = _activations(op, read, directions)
    names = tuple(name for name, _ in functions)
    chosen = [function for _, function in functions]
    gate, candidate, output = chosen[0], chosen[len(chosen) > 1], chosen[-1]
    if op == "LSTM":
        cell = _lstm(peephole, bool(read.get("input_forget", 0)), names[0])
    elif op == "GRU":
        cell = cells.gru if read.get("linear_before_reset", 0) else cells.gru_reset_before
    else:
        cell = cells.elman_relu if names == ("relu",) else cells.elman
    if names != _DEFAULTS[op] and cell is not cells.elman_relu:
        cell = activated(cell, "_".join([cell.name, *names]), gate, candidate, output)
    limit = float(read.get("clip", 0.0))
    return clip(cell, limit, "gates") if limit else cell


def _lstm(peephole: bool, coupled: bool, gate: str) -> Cell:
    if coupled and gate != "sigmoid":
        raise InputError(
            f"input_forget=1 with the gate activation {gate!r}: only 'sigmoid' can be read, since "
            "the weights of our coupled cells are those of the forget gate"
        )
    if coupled:
        return cells.cifg if peephole else cells.coupled_lstm
    return cells.peephole_lstm if peephole else cells.lstm


def _activations(op: str, read: Mapping[str, Any], directions: int) -> list[tuple[str, Activation]]:
    """Name and function of each activation of one direction; both must have the same ones."""
    count = len(_DEFAULTS[op])
    given = read.get("activations") or [*_DEFAULTS[op]] * directions
    if len(given) != count * directions:
        raise InputError(
            f"activations={given!r}: a node of type {op} has {count} for each direction"
        )
    alphas, betas = list(read.get("activation_alpha", ())), list(read.get("activation_beta", ()))
    found = [_activation(name, alphas, betas) for name in given]
    if found[:count] != found[-count:]:
        raise InputError(
            f"activations={given!r}: the two directions must have the same ones, since Recurrent "
            "has one cell"
        )
    return [(name, activation(name, *numbers)) for name, numbers in found[:count]]


def _activation(name: str, alphas: list[float], betas: list[float]) -> tuple[str, Sequence[float]]:
    """One activation and its numbers, taken off the front of the node's lists."""
    key = name.lower()
    if key not in ACTIVATIONS:
        raise InputError(f"the activation {name!r} is unknown: {nearest(key, ACTIVATIONS)}")
    defaults = ACTIVATIONS[key][1]
    lists = (alphas, betas)
    return key, tuple(
        own.pop(0) if own else default for own, default in zip(lists, defaults, strict=False)
    )
