"""A plugin for pytest that puts our layers behind Keras's LSTM, GRU and SimpleRNN.

What Keras calls the inner loop of a layer, weights, mask and all, is run by `from_keras` of that
layer. Keras's own loop runs where its layer drops something while training, which ours cannot take
over, or where only shapes are asked for. `GATEWISE_COUNTS` names the file for how often each ran.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import wraps
from pathlib import Path

import torch
from keras import layers
from keras.src import tree
from keras.src.backend import convert_to_tensor

from gatewise.interop import from_keras
from gatewise.interop.keras_layers import read
from gatewise.interop.weights import named

COUNTS: Counter[str] = Counter()


def masked(run, x, mask):
    """Run over the steps that are not masked; a masked step shows the output before it.

    Keras masks any steps, ours are those past a sequence's end: the others move to the front.
    """
    order = torch.argsort((~mask).to(torch.int8), dim=1, stable=True).unsqueeze(-1)
    y, state = run(x.gather(1, order.expand_as(x)), lengths=mask.sum(1))
    place = (mask.cumsum(1) - 1).unsqueeze(-1)
    shown = y.gather(1, place.clamp(min=0).expand_as(y))
    return torch.where(place < 0, 0, shown), state


def ours(layer, sequences, initial_state, mask):
    """Give what Keras's inner loop gives: last output, outputs, states."""
    cell = layer.cell
    held = [cell.kernel, cell.recurrent_kernel, *([cell.bias] if cell.use_bias else [])]
    tensors = [convert_to_tensor(weight) for weight in held]
    _, weights = read(tensors, reset_after=getattr(cell, "reset_after", None))
    made = from_keras(layer)
    made = getattr(made, "layer", made)  # Keras turns time around itself.
    x = convert_to_tensor(sequences).to(tensors[0].dtype)
    states = initial_state if tree.is_nested(initial_state) else [initial_state]
    start = [convert_to_tensor(s).to(x.dtype).unsqueeze(0) for s in states]

    def run(x, lengths=None):
        call = {"lengths": lengths}
        return torch.func.functional_call(made, named([weights]), (x, start), call)

    x = x.flip(1) if layer.go_backwards else x
    if mask is None:
        y, last = run(x)
    else:
        mask = convert_to_tensor(mask, dtype="bool")
        mask = mask.flip(1) if layer.go_backwards else mask
        y, last = masked(run, x, mask)
        if layer.zero_output_for_mask:
            y = torch.where(mask.unsqueeze(-1), y, 0)
    end = y[:, -1]
    return end, y if layer.return_sequences else end.unsqueeze(1), [s[0] for s in last]


def take_the_place(kind):
    own = kind.inner_loop

    @wraps(own)
    def inner_loop(self, sequences, initial_state, mask, training=False):
        mask = mask[0] if tree.is_nested(mask) else mask
        drops = training and (self.dropout or self.recurrent_dropout)
        if drops or convert_to_tensor(sequences).device.type == "meta":
            COUNTS["dropout" if drops else "shapes"] += 1
            return own(self, sequences, initial_state, mask, training=training)
        COUNTS["ours"] += 1
        COUNTS["masked"] += mask is not None
        return ours(self, sequences, initial_state, mask)

    kind.inner_loop = inner_loop


def pytest_configure():
    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        take_the_place(kind)


def pytest_unconfigure():
    Path(os.environ["GATEWISE_COUNTS"]).write_text(json.dumps(COUNTS))
