"""ONNX's own tests of its nodes LSTM, GRU and RNN, through `from_onnx`."""

import warnings

import numpy as np
import pytest
import torch

from gatewise.interop import from_onnx

pytestmark = pytest.mark.external

EVERYWHERE = ("defaults", "with_initial_bias", "batchwise", "reverse", "bidirectional")
NAMES = [
    *[f"test_{kind}_{name}" for kind in ("lstm", "gru", "simple_rnn") for name in EVERYWHERE],
    "test_lstm_with_peepholes",
    "test_gru_seq_length",
    "test_rnn_seq_length",
]
INPUTS = ("X", "W", "R", "B", "lengths", "h", "c", "P")


@pytest.fixture(scope="module")
def cases():
    """All of onnx's tests of single nodes, by name; it makes them while they are asked for."""
    loader = pytest.importorskip("onnx.backend.test.loader", reason="onnx is not installed here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Other nodes' tests overflow on purpose.
        return {case.name: case for case in loader.load_model_tests(kind="node")}


def test_none_is_left_out(cases):
    kinds = {"LSTM", "GRU", "RNN"}
    found = {name for name, case in cases.items() if case.model.graph.node[0].op_type in kinds}
    assert found == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nodes(name, cases):
    case = cases[name]
    (node,) = case.model.graph.node
    numbers = {a.name: a.i for a in node.attribute}
    for inputs, outputs in case.data_sets:
        names = [value.name for value in case.model.graph.input]
        feeds = dict(zip(names, inputs, strict=True))
        given = {own: feeds[name] for own, name in zip(INPUTS, node.input, strict=False) if name}
        made = ours(node, feeds, given, numbers)
        wanted = [value.name for value in case.model.graph.output]
        for name, want in zip(wanted, outputs, strict=True):
            atol = max(case.atol, 1e-6)
            np.testing.assert_allclose(made[name], want, rtol=case.rtol, atol=atol)


def ours(node, feeds, given, numbers):
    """The node's outputs by name, in its layout."""
    batch_first = bool(numbers.get("layout", 0))

    def turned(tensor):
        return tensor if batch_first else tensor.transpose(0, 1)

    state = [torch.from_numpy(given[name]) for name in "hc" if name in given]
    if batch_first:
        state = [part.transpose(0, 1) for part in state]
    lengths = given["lengths"].tolist() if "lengths" in given else None
    layer = from_onnx(node, feeds)
    y, last = layer(turned(torch.from_numpy(given["X"])), state or None, lengths=lengths)
    y = y.unflatten(-1, (-1, numbers["hidden_size"]))
    results = [y if batch_first else y.permute(1, 2, 0, 3)]
    results += [part.transpose(0, 1) if batch_first else part for part in last]
    named = zip(node.output, results, strict=False)
    return {name: part.detach().numpy() for name, part in named if name}
