"""One step of one sequence at a time: ours beside torch's cell and ONNX Runtime."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import gatewise

from . import onnx_peer
from .contest import contest
from .models import Answer, Trial, in_double
from .part import Part
from .settings import Settings
from .shapes import StepShape
from .timing import geometric_mean

CHECKED = 16
"""Steps that are compared with a whole sequence in float64."""

INT8_TOLERANCE = 0.05
"""Of the largest output: weights of eight bits are good for a hundredth or two."""

SMALL, LARGE = 128, 256
"""Units up to which the calls decide, and from which on the weights do."""

STREAM, STREAM_NUMPY, STREAM_INT8, STEP = "stream", "stream, NumPy", "stream, int8", "layer.step"
CELL, ONNX = "torch.nn.LSTMCell", "onnx"


def measure(settings: Settings) -> Part:
    part = Part()
    if not onnx_peer.is_there():
        part.notes.append("stream: onnx and onnxruntime are not both installed, so left out.")
    for shape in settings.steps:
        part.rows += _one_shape(shape, settings, part.notes)
    part.figures |= _figures(part.rows)
    return part


def _one_shape(shape: StepShape, settings: Settings, notes: list[str]) -> list[dict[str, object]]:
    torch.manual_seed(0)
    layer = nn.LSTM(shape.input, shape.hidden, batch_first=True)
    xs = torch.randn(CHECKED, shape.input)
    with torch.no_grad():
        expected = {"y": in_double(layer)(xs.double()[None])[0][0]}
    ours = gatewise.nn.Recurrent("lstm", shape.input, shape.hidden)
    ours.load_state_dict(layer.state_dict())

    rows = []
    for threads in settings.each_thread_count():
        case = {"part": "stream", "case": str(shape), "mode": "step", "threads": threads}
        own, peers = _ours(ours, xs, notes), {CELL: Cell(layer, xs)}
        if onnx_peer.is_there():
            model = onnx_peer.graph(layer, states=True)
            peers[ONNX] = onnx_peer.Steps(model, xs.numpy(), threads)
        found, _ = contest(
            case,
            {**own, **peers},
            expected,
            settings.budget,
            tolerances={STREAM_INT8: INT8_TOLERANCE},
            own_pools=threads > 1 and ONNX in peers,
            ours=tuple(own),
        )
        rows += found
    return rows


def _ours(layer: gatewise.nn.Recurrent, xs: Tensor, notes: list[str]) -> dict[str, Trial]:
    """Our ways to run a step; a stream that this engine refuses is said to be left out."""
    trials: dict[str, Trial] = {STEP: LayerStep(layer, xs)}
    made: dict[str, tuple[dict[str, Any], list]] = {
        STREAM: ({}, list(xs)),
        STREAM_NUMPY: ({}, list(xs.numpy())),
        STREAM_INT8: ({"weights": "int8"}, list(xs.numpy())),
    }
    for name, (arguments, steps) in made.items():
        try:
            trials[name] = Stream(partial(_stream, layer, arguments), steps)
        except gatewise.InputError as missing:
            note = f"stream: {name} is left out: {missing}."
            notes += [] if note in notes else [note]
    return trials


def _stream(layer: Any, arguments: dict[str, Any]) -> Any:
    return layer.stream(**arguments)


class Stream:
    """Our stream object, which keeps the state."""

    def __init__(self, make: Callable[[], Any], xs: list) -> None:
        self.make, self.xs = make, xs
        self.step, self.x = make().step, xs[0]

    def __call__(self) -> object:
        """Do what is timed."""
        return self.step(self.x)

    def answer(self) -> Answer:
        """Give what is compared."""
        stream = self.make()
        # A stream may use one output again and again.
        found = [np.asarray(stream.step(x)).reshape(-1).copy() for x in self.xs]
        return {"y": torch.from_numpy(np.stack(found))}


class LayerStep:
    """`Recurrent.step`, the state handed from call to call."""

    def __init__(self, layer: gatewise.nn.Recurrent, xs: Tensor) -> None:
        self.layer, self.xs, self.x = layer, xs, xs[0]
        self.state: Any = None

    def __call__(self) -> Tensor:
        """Do what is timed."""
        return self._step(self.x)

    def answer(self) -> Answer:
        """Give what is compared."""
        self.state = None
        return {"y": torch.stack([self._step(x) for x in self.xs])}

    def _step(self, x: Tensor) -> Tensor:
        with torch.inference_mode():
            y, self.state = self.layer.step(x, self.state)
        return y


class Cell:
    """`torch.nn.LSTMCell`, the state handed from call to call."""

    def __init__(self, layer: nn.LSTM, xs: Tensor) -> None:
        self.cell = nn.LSTMCell(layer.input_size, layer.hidden_size)
        weights = layer.state_dict().items()
        self.cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in weights})
        self.xs = xs.unsqueeze(1)
        self.x = self.xs[0]
        self._start()

    def __call__(self) -> Tensor:
        """Do what is timed."""
        return self._step(self.x)

    def answer(self) -> Answer:
        """Give what is compared."""
        self._start()
        return {"y": torch.cat([self._step(x) for x in self.xs])}

    def _start(self) -> None:
        zero = torch.zeros(1, self.cell.hidden_size)
        self.state = (zero, zero)

    def _step(self, x: Tensor) -> Tensor:
        with torch.inference_mode():
            self.state = self.cell(x, self.state)
        return self.state[0]


def _figures(rows: list[dict]) -> dict[str, float]:
    """Geometric means over the layers, of the less favourable number of threads."""
    there = {row.get("ours", STEP) for row in rows}
    with_torch = STREAM if STREAM in there else STEP
    with_numpy = STREAM_NUMPY if STREAM_NUMPY in there else STEP
    wanted = {
        "step_lstmcell_ratio": (with_torch, CELL, 0, SMALL),
        "step_onnx_ratio": (with_numpy, ONNX, 0, SMALL),
        "step_large_lstmcell_ratio": (with_torch, CELL, LARGE, math.inf),
        "step_large_onnx_ratio": (with_numpy, ONNX, LARGE, math.inf),
        "step_int8_onnx_ratio": (STREAM_INT8, ONNX, LARGE, math.inf),
    }
    figures = {}
    for name, (ours, peer, least, most) in wanted.items():
        ratios: dict[int, list[float]] = {}
        for row in rows:
            hidden = int(row["case"].split("x")[1])
            if row.get("ours", STEP) == ours and row["peer"] == peer and least <= hidden <= most:
                ratios.setdefault(row["threads"], []).append(row["ratio"])
        if ratios:
            figures[name] = min(map(geometric_mean, ratios.values()))
    return figures
