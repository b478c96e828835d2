"""From Keras's recurrent layers, or the arrays that their `get_weights` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .. import cells
from ..compiler import Cell
from ..errors import InputError, nearest
from ..nn import Recurrent
from .activations import activated, activation
from .backward import Backward
from .weights import Weights, blocks, built, checked, direction

_KINDS = {"lstm": (4, "ifgo"), "gru": (3, "zrn"), "simple_rnn": (1, "a")}
"""Each kind's number of gates and their order."""

_CELLS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "simple_rnn"}

_ACTIVATIONS = {
    "hard_sigmoid": activation("hardsigmoid", 1 / 6, 0.5),
    "linear": lambda x: x,
    "relu": activation("relu"),
    "sigmoid": activation("sigmoid"),
    "softplus": activation("softplus"),
    "softsign": activation("softsign"),
    "tanh": activation("tanh"),
}

_MERGES = {"concat": "concat", "sum": "sum", "mul": "mul", "ave": "mean", None: None}


def from_keras(
    source: Any,
    kind: str | None = None,
    *,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool | None = None,
    go_backwards: bool = False,
    merge: str | None = "concat",
) -> Recurrent | Backward:
    """Make a layer with the weights of one of Keras's.

    Of a Keras layer everything that matters in evaluation is taken over; its dropout, which drops
    inputs and not what lies between layers, is not. Keras gives outputs of `go_backwards=True` in
    the order in which they were computed; ours stand at the steps that they belong to.

    Args:
        source: A built `keras.layers.LSTM`, `GRU` or `SimpleRNN`, one of their cells, `RNN` over
            one of these, or `Bidirectional` around one of these; or the arrays of its
            `get_weights()`: kernel [input, gates * units], recurrent kernel [units, gates * units]
            and, if it has one, bias, for both directions one after the other. What follows is for
            arrays; a layer says it itself.
        kind: `"lstm"`, `"gru"` or `"simple_rnn"`; None to read it off the shapes.
        activation: Keras's name of the activation of candidate and output.
        recurrent_activation: Keras's name of the activation of the gates.
        reset_after: Whether a GRU resets after its product, Keras's default; None to read it off
            the bias, which then has two rows.
        go_backwards: Whether time is read from the last step to the first.
        merge: How two directions' outputs become one: Keras's `merge_mode`.

    Returns:
        A layer with a copy of the weights, a `Backward` where time is read backwards.

    Raises:
        InputError: Shapes, names or kind are none of these.

    Example:
        >>> import numpy as np
        >>> kernel, recurrent, bias = np.ones((3, 12)), np.ones((4, 12)), np.zeros((2, 12))
        >>> from_keras([kernel, recurrent, bias])
        Recurrent(gru, 3, 4)
        >>> from_keras([kernel, recurrent], "gru", reset_after=False)
        Recurrent(gru_reset_before, 3, 4, bias=False)
    """
    if hasattr(source, "get_weights"):
        arrays, said = _described(source)
        return from_keras(arrays, **said)
    if merge not in _MERGES:
        raise InputError(
            f"merge={merge!r}: give None or one of these; {nearest(str(merge), _NAMED)}"
        )
    arrays = [checked(array, "an array of weights") for array in source]
    cell, directions = read(arrays, kind, reset_after)
    cell = _with(cell, activation, recurrent_activation)
    layer = built(cell, [directions], merge=_MERGES[merge])
    if go_backwards and len(directions) == 2:
        raise InputError(
            "go_backwards=True with the weights of two directions: leave it out, the second one "
            "reads backwards already"
        )
    return Backward(layer) if go_backwards else layer


_NAMED = [name for name in _MERGES if name]


def read(
    arrays: Sequence[Tensor], kind: str | None = None, reset_after: bool | None = None
) -> tuple[Cell, list[Weights]]:
    """Name Keras's weights as ours, for each direction; gradients flow through it.

    Args:
        arrays: What `get_weights` gives, as tensors.
        kind: As in `from_keras`.
        reset_after: As in `from_keras`.

    Returns:
        The cell with Keras's default activations, and the weights of each direction.
    """
    if len(arrays) not in (2, 3, 4, 6):
        raise InputError(
            f"{len(arrays)} arrays of weights: give kernel, recurrent kernel and, if there is one, "
            "bias, once or for two directions"
        )
    half = len(arrays) if len(arrays) < 4 else len(arrays) // 2
    found = [_one(arrays[k : k + half], kind, reset_after) for k in range(0, len(arrays), half)]
    cell, _ = found[0]
    if any(other != cell for other, _ in found):
        raise InputError("the two directions are of different kinds: Recurrent has one cell")
    return cell, [weights for _, weights in found]


def _one(
    arrays: Sequence[Tensor], kind: str | None, reset_after: bool | None
) -> tuple[Cell, Weights]:
    kernel, recurrent, *rest = arrays
    checked(kernel, "kernel", -1, -1)
    checked(recurrent, "recurrent kernel", -1, kernel.shape[1])
    units = recurrent.shape[0]
    if kind is not None and kind not in _KINDS:
        raise InputError(f"kind={kind!r}: {nearest(kind, _KINDS)}")
    known = {count: name for name, (count, _) in _KINDS.items() if kind in (None, name)}
    kind = known[blocks(recurrent, "recurrent kernel", units, sorted(known))]
    bias = rest[0] if rest else None
    if kind != "gru" and reset_after is not None:
        raise InputError(f"reset_after={reset_after!r} with kind={kind!r}: it is only for a GRU")
    if kind == "gru":
        reset_after = _resets_after(bias, reset_after)
    rows = kernel.shape[1]
    if bias is not None:
        checked(bias, "bias", *((2, rows) if reset_after else (rows,)))
    cell = {"lstm": cells.lstm, "simple_rnn": cells.elman}.get(kind)
    if cell is None:
        cell = cells.gru if reset_after else cells.gru_reset_before
    biases = () if bias is None else tuple(bias) if reset_after else (bias,)
    return cell, direction(cell, _KINDS[kind][1], kernel.T, recurrent.T, *biases)


def _resets_after(bias: Tensor | None, said: bool | None) -> bool:
    if said is not None:
        return said
    return bias is None or bias.dim() == 2


def _with(cell: Cell, activation: str, recurrent_activation: str) -> Cell:
    """The cell with activations by Keras's names."""
    names = {"activation": activation, "recurrent_activation": recurrent_activation}
    for argument, name in names.items():
        if not isinstance(name, str) or name not in _ACTIVATIONS:
            raise InputError(f"{argument}={name!r}: {nearest(str(name), _ACTIVATIONS)}")
    gate, own = _ACTIVATIONS[recurrent_activation], _ACTIVATIONS[activation]
    if (activation, recurrent_activation) == ("tanh", "sigmoid"):
        return cell
    if cell == cells.elman:
        known = {"tanh": cells.elman, "relu": cells.elman_relu}
        return known.get(activation) or activated(cell, f"elman_{activation}", gate, own, own)
    return activated(cell, f"{cell.name}_{recurrent_activation}_{activation}", gate, own, own)


def _described(layer: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arrays of a Keras layer, and what `from_keras` must be told about them."""
    if not hasattr(layer, "forward_layer"):
        return _described_one(layer)
    arrays, said = _described_one(layer.forward_layer)
    more, other = _described_one(layer.backward_layer)
    if said.pop("go_backwards") or not other.pop("go_backwards"):
        raise InputError(
            f"layer {layer.name!r} has a forward layer that reads backwards: give the two layers "
            "one by one"
        )
    if said != other:
        raise InputError(
            f"layer {layer.name!r} has directions of different kinds: give the two layers one by "
            "one"
        )
    return arrays + more, {**said, "merge": layer.merge_mode}


def _described_one(layer: Any) -> tuple[list[Any], dict[str, Any]]:
    cell = getattr(layer, "cell", layer)
    kind = _CELLS.get(type(cell).__name__)
    if kind is None:
        raise InputError(
            f"a Keras layer of type {type(layer).__name__} over {type(cell).__name__}: give an "
            "LSTM, GRU or SimpleRNN, or Bidirectional around one"
        )
    if not getattr(cell, "built", True):
        raise InputError(
            f"the Keras layer {layer.name!r} has no weights yet: call it on data, or build it"
        )
    config = cell.get_config()
    said = {"kind": kind, "go_backwards": bool(getattr(layer, "go_backwards", False))}
    kept = ("activation", "recurrent_activation", "reset_after")
    return cell.get_weights(), said | {key: config[key] for key in kept if key in config}
