"""ONNX Runtime with the weights of a torch LSTM."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor, nn

from .models import Answer


def is_there() -> bool:
    """Whether both packages are installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime"))


class Sequences:
    """Whole sequences from a state of zero; time comes first, as its LSTM wants it."""

    def __init__(self, layer: nn.LSTM, x: Tensor, threads: int) -> None:
        self.session = session(graph(layer, states=False), threads)
        self.x = x.transpose(0, 1).contiguous().numpy()

    def __call__(self) -> np.ndarray:
        """Do what is timed."""
        return self.session.run(["y"], {"x": self.x})[0]

    def answer(self) -> Answer:
        """Give what is compared."""
        return {"y": torch.from_numpy(self()[:, 0]).transpose(0, 1)}


class Steps:
    """One step of one sequence at a time, the state handed from call to call."""

    def __init__(self, model: bytes, xs: np.ndarray, threads: int) -> None:
        self.session = session(model, threads)
        self.xs = xs[:, None, None]
        self.hidden = self.session.get_inputs()[1].shape[-1]
        self._start()

    def __call__(self) -> np.ndarray:
        """Do what is timed."""
        return self._step(self.xs[0])

    def answer(self) -> Answer:
        """Give what is compared."""
        self._start()
        return {"y": torch.from_numpy(np.stack([self._step(x).reshape(-1) for x in self.xs]))}

    def _start(self) -> None:
        self.h = np.zeros((1, 1, self.hidden), np.float32)
        self.c = self.h

    def _step(self, x: np.ndarray) -> np.ndarray:
        y, self.h, self.c = self.session.run(None, {"x": x, "h0": self.h, "c0": self.c})
        return y


def graph(layer: nn.LSTM, *, states: bool) -> bytes:
    """A model of one LSTM node.

    Args:
        layer: One layer, one direction, whose weights it gets.
        states: Whether the states go in and come out beside the sequence.
    """
    from onnx import TensorProto, helper, numpy_helper

    hidden = layer.hidden_size
    weights = {
        "W": _iofc(layer.weight_ih_l0),
        "R": _iofc(layer.weight_hh_l0),
        "B": torch.cat([_iofc(layer.bias_ih_l0), _iofc(layer.bias_hh_l0)]),
    }
    inputs, outputs = ["x", "W", "R", "B"], ["y"]
    shapes: dict[str, list] = {"x": ["time", "batch", layer.input_size]}
    results: dict[str, list] = {"y": ["time", 1, "batch", hidden]}
    if states:
        inputs, outputs = [*inputs, "", "h0", "c0"], [*outputs, "h", "c"]
        shapes |= {name: [1, "batch", hidden] for name in ("h0", "c0")}
        results |= {name: [1, "batch", hidden] for name in ("h", "c")}

    def ports(named: dict[str, list]) -> list:
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in named.items()]

    node = helper.make_node("LSTM", inputs, outputs, hidden_size=hidden)
    values = [numpy_helper.from_array(w.unsqueeze(0).numpy(), name) for name, w in weights.items()]
    made = helper.make_graph([node], "lstm", ports(shapes), ports(results), values)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    return model.SerializeToString()


def session(model: bytes, threads: int):
    """Load a model for so many threads; they spin within a call, as torch's do, and no longer."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _iofc(weight: Tensor) -> Tensor:
    """Blocks of rows in ONNX's order; torch has i, f, g, o."""
    i, f, g, o = weight.detach().chunk(4)
    return torch.cat([i, o, f, g])
