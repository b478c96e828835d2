"""To and from torch's own recurrent layers and cells."""

from __future__ import annotations

from typing import Any

from torch import nn

from .. import cells
from ..compiler import Cell
from ..connectivity import Dense
from ..errors import InputError
from ..nn import GRU, LSTM, Recurrent
from .weights import built

_MODES: dict[str, Cell] = {
    "LSTM": cells.lstm,
    "GRU": cells.gru,
    "RNN_TANH": cells.elman,
    "RNN_RELU": cells.elman_relu,
}
"""What torch calls a kind of layer, and our cell of the same equations."""


def from_torch(module: nn.RNNBase | nn.RNNCellBase) -> Recurrent:
    """Make a layer with the weights of one of torch's.

    The layer is batch first, whatever `module.batch_first` says; the state of an LSTM is in torch's
    order, (h, c). A `state_dict` of torch's also loads into a `Recurrent` as it is.

    Args:
        module: `torch.nn.LSTM`, `GRU`, `RNN`, or one of their cells, `LSTMCell`, `GRUCell`,
            `RNNCell`; also `gatewise.nn.LSTM` and `GRU`.

    Returns:
        A layer with a copy of the weights, in the same mode, training or evaluation. One step of a
        cell is `layer.step(x, state)`, with a first axis of one layer in each part of the state.

    Raises:
        InputError: It is none of these.

    Example:
        >>> import torch
        >>> theirs = torch.nn.GRU(3, 4, num_layers=2, batch_first=True)
        >>> layer = from_torch(theirs)
        >>> x = torch.randn(2, 5, 3)
        >>> torch.allclose(layer(x)[0], theirs(x)[0], atol=1e-6)
        True
    """
    if isinstance(module, nn.RNNBase):
        biases = ["bias_ih", "bias_hh"] if module.bias else []
        names = ["weight_ih", "weight_hh", *biases, *["weight_hr"] * bool(module.proj_size)]
        rows = [dict(zip(names, weights, strict=True)) for weights in module.all_weights]
        directions = 2 if module.bidirectional else 1
        layer = built(
            _MODES[module.mode],
            [rows[k : k + directions] for k in range(0, len(rows), directions)],
            dropout=module.dropout,
            proj_size=module.proj_size,
        )
    else:
        mode = _cell_mode(module)
        names = ["weight_ih", "weight_hh", *["bias_ih", "bias_hh"] * bool(module.bias)]
        layer = built(_MODES[mode], [[{name: getattr(module, name) for name in names}]])
    return layer.train(module.training)


def to_torch(layer: Recurrent | LSTM | GRU) -> nn.RNNBase:
    """Make torch's own layer with the weights of one of ours.

    Args:
        layer: A layer of the cell lstm, gru, elman or elman_relu, without what torch's lacks.

    Returns:
        `torch.nn.LSTM`, `GRU` or `RNN` with a copy of the weights, in the same mode; batch first,
        unless the layer is a drop-in for torch's that is not.

    Raises:
        InputError: torch has no such layer; the sentence says why.

    Example:
        >>> import torch
        >>> layer = Recurrent("lstm", 3, 4, bidirectional=True)
        >>> to_torch(layer)
        LSTM(3, 4, batch_first=True, bidirectional=True)
    """
    mode = layer.mode if isinstance(layer, nn.RNNBase) else _mode(layer)
    kind, _, nonlinearity = mode.partition("_")
    own: dict[str, Any] = {}
    if nonlinearity:
        own["nonlinearity"] = nonlinearity.lower()
    if kind == "LSTM":
        own["proj_size"] = layer.proj_size
    weight = layer.weight_ih_l0
    made: nn.RNNBase = getattr(nn, kind)(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        bias=layer.bias,
        batch_first=layer.batch_first if isinstance(layer, nn.RNNBase) else True,
        # Between layers there is nothing to drop in one, and torch would warn of it.
        dropout=layer.dropout if layer.num_layers > 1 else 0.0,
        bidirectional=layer.bidirectional,
        device="meta",
        dtype=weight.dtype,
        **own,
    ).to_empty(device=weight.device)
    made.load_state_dict(layer.state_dict())
    return made.train(layer.training)


def _cell_mode(module: object) -> str:
    if isinstance(module, nn.LSTMCell):
        return "LSTM"
    if isinstance(module, nn.GRUCell):
        return "GRU"
    if isinstance(module, nn.RNNCell):
        return f"RNN_{module.nonlinearity.upper()}"
    raise InputError(
        f"module of type {type(module).__name__}: give a torch.nn.LSTM, GRU or RNN, or one of "
        "their cells LSTMCell, GRUCell, RNNCell"
    )


def _mode(layer: Recurrent) -> str:
    """What torch calls the layer's kind; refuses what torch has not."""
    if not isinstance(layer, Recurrent):
        raise InputError(
            f"layer of type {type(layer).__name__}: give a gatewise.nn.Recurrent, LSTM or GRU"
        )
    equations = layer.cell.outputs, layer.cell.inputs
    known = {mode: (cell.outputs, cell.inputs) for mode, cell in _MODES.items()}
    mode = next((mode for mode, theirs in known.items() if theirs == equations), None)
    if mode is None:
        raise InputError(
            f"torch has no layer of the cell {layer.cell.name}, only of lstm, gru, elman and "
            "elman_relu: keep the layer as it is, or save its state_dict"
        )
    for has, what in _lacking(layer, mode):
        if has:
            raise InputError(
                f"torch.nn.{mode.partition('_')[0]} has no {what}: build the layer without it and "
                "load this one's state_dict into that"
            )
    return mode


def _lacking(layer: Recurrent, mode: str) -> list[tuple[bool, str]]:
    """What the layer has that torch's may lack: whether it has it, and its name."""
    zoneout = layer.zoneout
    zoned = any(zoneout.values()) if isinstance(zoneout, dict) else bool(zoneout)
    merged = layer.bidirectional and layer.merge != "concat"
    return [
        (zoned, "zoneout"),
        (bool(layer.recurrent_dropout), "recurrent_dropout"),
        (bool(layer.weight_dropout), "weight_dropout"),
        (layer.learn_state, "learned initial state"),
        (merged, f"merge={layer.merge!r}"),
        (mode != "LSTM" and bool(layer.proj_size), "proj_size"),
        (not isinstance(layer.connectivity, Dense), f"connectivity {layer.connectivity.key}"),
    ]
