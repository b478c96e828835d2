"""ONNX nodes on random weights: beside a transcription of the specification, and ONNX Runtime."""

from functools import partial

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.interop import Backward, from_onnx

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'gatewise[export]'")

TIME, BATCH, INPUT, HIDDEN = 5, 3, 4, 6
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
LENGTHS = np.array([5, 3, 1], np.int32)

CASES = {
    "lstm": ("LSTM", "", {}),
    "lstm-bias": ("LSTM", "B", {}),
    "lstm-state": ("LSTM", "Bhc", {}),
    "lstm-peepholes": ("LSTM", "BPhc", {}),
    "lstm-lengths": ("LSTM", "Blhc", {}),
    "lstm-clip": ("LSTM", "Bhc", {"clip": 0.5}),
    "lstm-clip-peepholes": ("LSTM", "BPhc", {"clip": 0.7}),
    "lstm-coupled": ("LSTM", "Bhc", {"input_forget": 1}),
    "lstm-everything": (
        "LSTM",
        "BPlhc",
        {"input_forget": 1, "clip": 0.9, "activations": ["Sigmoid", "Softsign", "Relu"]},
    ),
    "lstm-activations": ("LSTM", "B", {"activations": ["HardSigmoid", "Relu", "Softsign"]}),
    "lstm-activations-with-numbers": (
        "LSTM",
        "Bhc",
        {
            "activations": ["HardSigmoid", "ScaledTanh", "Affine"],
            "activation_alpha": [0.3, 1.5, 0.5],
            "activation_beta": [0.4, 0.5, 0.1],
        },
    ),
    "gru": ("GRU", "", {}),
    "gru-reset-before": ("GRU", "Bh", {"linear_before_reset": 0}),
    "gru-reset-after": ("GRU", "Bh", {"linear_before_reset": 1}),
    "gru-lengths": ("GRU", "Blh", {"linear_before_reset": 1}),
    "gru-clip": ("GRU", "Bh", {"clip": 0.5}),
    "gru-clip-reset-after": ("GRU", "Bh", {"clip": 0.5, "linear_before_reset": 1}),
    "gru-activations": ("GRU", "Bh", {"activations": ["Sigmoid", "Softplus"]}),
    "rnn": ("RNN", "Bh", {}),
    "rnn-relu": ("RNN", "Bh", {"activations": ["Relu"]}),
    "rnn-lengths-clip": ("RNN", "Blh", {"clip": 0.4}),
    "rnn-elu": ("RNN", "B", {"activations": ["Elu"], "activation_alpha": [0.7]}),
    "rnn-leaky-relu": ("RNN", "B", {"activations": ["LeakyRelu"]}),
    "rnn-thresholded-relu": (
        "RNN",
        "B",
        {"activations": ["ThresholdedRelu"], "activation_alpha": [0.3]},
    ),
}
EACH_CASE = pytest.mark.parametrize("case", CASES)
EACH_WAY = pytest.mark.parametrize("way", ["forward", "reverse", "bidirectional"])


def sigmoid(x, a=None, b=None):
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {
    "Affine": lambda x, a, b: a * x + b,
    "Elu": lambda x, a, b: np.where(x >= 0, x, a * (np.exp(x) - 1)),
    "HardSigmoid": lambda x, a=0.2, b=0.5: np.minimum(np.maximum(a * x + b, 0), 1),
    "LeakyRelu": lambda x, a=0.01, b=None: np.where(x >= 0, x, a * x),
    "Relu": lambda x, a=None, b=None: np.maximum(x, 0),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x),
    "Sigmoid": sigmoid,
    "Softplus": lambda x, a=None, b=None: np.log(1 + np.exp(x)),
    "Softsign": lambda x, a=None, b=None: x / (1 + np.abs(x)),
    "Tanh": lambda x, a=None, b=None: np.tanh(x),
    "ThresholdedRelu": lambda x, a=1.0, b=None: np.where(x > a, x, 0),
}


def made(case, way):
    """The node and its inputs by name."""
    op, extra, attributes = CASES[case]
    draw = np.random.default_rng(0)
    directions = 2 if way == "bidirectional" else 1
    rows = GATES[op] * HIDDEN

    def normal(*shape):
        return draw.normal(size=shape).astype(np.float32)

    feeds = {
        "X": 2 * normal(TIME, BATCH, INPUT),
        "W": 0.5 * normal(directions, rows, INPUT),
        "R": 0.5 * normal(directions, rows, HIDDEN),
    }
    optional = {
        "B": normal(directions, 2 * rows),
        "l": LENGTHS,
        "h": normal(directions, BATCH, HIDDEN),
        "c": normal(directions, BATCH, HIDDEN),
        "P": normal(directions, 3 * HIDDEN),
    }
    feeds |= {name: value for name, value in optional.items() if name in extra}
    order = ["X", "W", "R", "B", "l", "h", *(["c", "P"] if op == "LSTM" else [])]
    inputs = [name if name in feeds else "" for name in order]
    twice = {
        name: list(value) * directions if isinstance(value, list) else value
        for name, value in attributes.items()
    }
    outputs = ["Y", "Y_h", "Y_c"] if op == "LSTM" else ["Y", "Y_h"]
    node = onnx.helper.make_node(
        op, inputs, outputs, name="mine", hidden_size=HIDDEN, direction=way, **twice
    )
    return node, feeds


def model_of(node, feeds, constant=()):
    """A model of one node; what is in `constant` is an initializer, the rest is fed."""
    kinds = {
        np.dtype(np.float32): onnx.TensorProto.FLOAT,
        np.dtype(np.int32): onnx.TensorProto.INT32,
    }
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node],
        "graph",
        [info(k, kinds[v.dtype], v.shape) for k, v in feeds.items() if k not in constant],
        [info(name, onnx.TensorProto.FLOAT, None) for name in node.output],
        [onnx.numpy_helper.from_array(feeds[k], k) for k in constant],
    )
    opset = onnx.helper.make_opsetid("", 22)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)


def ours(node, feeds):
    """What our layer gives, as the node lays it out."""
    layer = from_onnx(node, feeds)
    state = [torch.from_numpy(feeds[name]) for name in "hc" if name in feeds] or None
    x = torch.from_numpy(feeds["X"]).transpose(0, 1)
    y, last = layer(x, state, lengths=LENGTHS.tolist() if "l" in feeds else None)
    directions = len(feeds["W"])
    y = y.unflatten(-1, (directions, HIDDEN)).permute(1, 2, 0, 3)
    return [part.detach().numpy() for part in (y, *last)]


def specified(node, feeds):
    """What the operators' specification says, sequence by sequence and step by step."""
    op = node.op_type
    read = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    count = {"LSTM": 3, "GRU": 2, "RNN": 1}[op]
    default = {
        "LSTM": [b"Sigmoid", b"Tanh", b"Tanh"],
        "GRU": [b"Sigmoid", b"Tanh"],
        "RNN": [b"Tanh"],
    }
    names = [name.decode() for name in read.get("activations", default[op])][:count]
    numbers = list(zip(read.get("activation_alpha", []), read.get("activation_beta", [None] * 9),
                       strict=False))  # fmt: skip
    activations = [
        partial(FUNCTIONS[name], **dict(zip("ab", numbers[k], strict=True) if numbers else ()))
        for k, name in enumerate(names)
    ]
    limit = read.get("clip", np.inf)
    directions = len(feeds["W"])
    zeros = np.zeros((directions, BATCH, HIDDEN), np.float32)
    y = np.zeros((TIME, directions, BATCH, HIDDEN), np.float32)
    lasts = [feeds.get("h", zeros).copy(), feeds.get("c", zeros).copy()]
    for d in range(directions):
        reverse = read["direction"] == b"reverse" or d == 1
        for b in range(BATCH):
            end = feeds["l"][b] if "l" in feeds else TIME
            h, c = lasts[0][d, b], lasts[1][d, b]
            for t in range(end)[::-1] if reverse else range(end):
                h, c = step(op, read, feeds, d, feeds["X"][t, b], h, c, activations, limit)
                y[t, d, b] = h
            lasts[0][d, b], lasts[1][d, b] = h, c
    return [y, *lasts[: 2 if op == "LSTM" else 1]]


def step(op, read, feeds, d, x, h, c, activations, limit):
    def cut(a):
        return np.clip(a, -limit, limit)

    W, R = feeds["W"][d], feeds["R"][d]
    Wb, Rb = np.split(feeds["B"][d], 2) if "B" in feeds else (0 * W[:, 0], 0 * W[:, 0])
    of_x, of_h = np.split(W @ x + Wb, GATES[op]), np.split(R @ h + Rb, GATES[op])
    if op == "RNN":
        (f,) = activations
        return f(cut(of_x[0] + of_h[0])), c
    if op == "GRU":
        f, g = activations
        z, r = f(cut(of_x[0] + of_h[0])), f(cut(of_x[1] + of_h[1]))
        R_h, b_h = np.split(R, 3)[2], np.split(Rb, 3)[2]
        after = read.get("linear_before_reset", 0)
        inner = r * (R_h @ h + b_h) if after else R_h @ (r * h) + b_h
        return (1 - z) * g(cut(of_x[2] + inner)) + z * h, c
    f, g, shown = activations
    p_i, p_o, p_f = np.split(feeds["P"][d], 3) if "P" in feeds else (0, 0, 0)
    i = f(cut(of_x[0] + of_h[0] + p_i * c))
    forget = 1 - i if read.get("input_forget", 0) else f(cut(of_x[2] + of_h[2] + p_f * c))
    new = forget * c + i * g(cut(of_x[3] + of_h[3]))
    o = f(cut(of_x[1] + of_h[1] + p_o * new))
    return o * shown(new), new


@EACH_CASE
@EACH_WAY
def test_as_specified(case, way):
    node, feeds = made(case, way)
    for got, want in zip(ours(node, feeds), specified(node, feeds), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@EACH_CASE
@EACH_WAY
def test_as_onnxruntime(case, way):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed here")
    node, feeds = made(case, way)
    model = model_of(node, feeds).SerializeToString()
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for got, want in zip(ours(node, feeds), session.run(None, feeds), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_a_number_that_is_not_given_is_that_of_the_operator():
    # ONNX Runtime takes 0 here; the operator ThresholdedRelu, which the specification refers to, 1.
    CASES["default"] = ("RNN", "B", {"activations": ["ThresholdedRelu"]})
    node, feeds = made("default", "forward")
    del CASES["default"]
    for got, want in zip(ours(node, feeds), specified(node, feeds), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_plain_nodes_are_cells_of_the_catalogue():
    names = {case: from_onnx(*made(case, "forward")).cell.name for case in CASES}
    assert names["lstm-state"] == "lstm"
    assert names["lstm-peepholes"] == "peephole_lstm"
    assert names["gru"] == names["gru-reset-before"] == "gru_reset_before"
    assert names["gru-lengths"] == "gru"
    assert names["rnn"] == "elman"
    assert names["rnn-relu"] == "elman_relu"
    assert names["lstm-coupled"] == "coupled_lstm"
    assert names["lstm-activations"] == "lstm_hardsigmoid_relu_softsign"
    assert names["lstm-everything"] == "cifg_sigmoid_softsign_relu_clip"


def test_no_weights_are_made_up():
    layer = from_onnx(*made("lstm-everything", "forward"))
    assert set(dict(layer.named_parameters())) == {
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "p_f_l0", "p_o_l0"
    }  # fmt: skip
    assert layer.weight_ih_l0.shape == (3 * HIDDEN, INPUT)


def test_a_model_brings_its_weights():
    node, feeds = made("lstm-peepholes", "forward")
    want = from_onnx(node, feeds).state_dict()
    model = model_of(node, feeds, constant=("W", "R", "B", "P"))
    for given in ({}, {"node": "mine"}, {"node": "Y"}):
        torch.testing.assert_close(from_onnx(model, **given).state_dict(), want)
    held = onnx.helper.make_node(
        "Constant", [], ["W"], value=onnx.numpy_helper.from_array(feeds["W"])
    )
    model = model_of(node, feeds, constant=("R", "B", "P"))
    model.graph.node.insert(0, held)
    torch.testing.assert_close(from_onnx(model).state_dict(), want)


def test_batch_first_nodes_are_the_same_layer():
    node, feeds = made("gru-lengths", "bidirectional")
    want = from_onnx(node, feeds)
    node.attribute.append(onnx.helper.make_attribute("layout", 1))
    torch.testing.assert_close(from_onnx(node, feeds).state_dict(), want.state_dict())


def test_a_reversed_node_is_a_backward_layer():
    assert isinstance(from_onnx(*made("lstm", "reverse")), Backward)


def changed(case="lstm", way="forward", feeds=(), op=None, **attributes):
    node, own = made(case, way)
    kept = [a for a in node.attribute if a.name not in attributes]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(onnx.helper.make_attribute(k, v) for k, v in attributes.items())
    node.op_type = op or node.op_type
    return lambda: from_onnx(node, {**own, **dict(feeds)})


def two_nodes():
    node, feeds = made("lstm", "forward")
    other = onnx.helper.make_node("GRU", ["X", "W", "R"], ["Z"], name="other")
    model = model_of(node, feeds, constant=("W", "R"))
    model.graph.node.append(other)
    return model


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (changed(op="Gemm"), "of type Gemm"),
        (changed(direction="backward"), "direction='backward'"),
        (changed(hidden_size=5), "hidden_size=5"),
        (changed(way="bidirectional", direction="forward"), "W of shape"),
        (changed(feeds={"W": np.ones((1, 24, 4), int)}), "W of type int64"),
        (changed(feeds={"W": np.ones((1, 23, 4))}), "W of shape"),
        (changed(case="lstm-bias", feeds={"B": np.ones((1, 24))}), "B of shape"),
        (changed(case="lstm-peepholes", feeds={"P": np.ones((1, 6))}), "P of shape"),
        (changed(activations=["Sigmoid"]), "has 3 for each direction"),
        (changed(activations=["Sigmoid", "Tanh", "Tahn"]), "did you mean 'tanh'"),
        (
            changed("rnn", "bidirectional", activations=["Tanh", "Relu"]),
            "two directions must have the same",
        ),
        (
            changed(input_forget=1, activations=["HardSigmoid", "Tanh", "Tanh"]),
            "gate activation 'hardsigmoid'",
        ),
        (lambda: from_onnx(made("lstm", "forward")[0]), "no initializer"),
        (lambda: from_onnx(onnx.helper.make_node("LSTM", ["X"], ["Y"])), "no inputs W and R"),
        (lambda: from_onnx(two_nodes()), "there are: mine, other"),
        (lambda: from_onnx(two_nodes(), node="othr"), "did you mean 'other'"),
        (lambda: from_onnx(onnx.helper.make_model(onnx.GraphProto())), "no node LSTM"),
    ],
    ids=range(17),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_gradients_reach_the_weights_of_a_composed_cell():
    node, feeds = made("lstm-everything", "forward")
    layer = from_onnx(node, feeds).double()
    x = torch.from_numpy(feeds["X"]).double().transpose(0, 1)
    weights = dict(layer.named_parameters())

    def run(x, *values):
        given = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(layer, given, (x,))[0]

    values = [w.detach().clone().requires_grad_() for w in weights.values()]
    assert torch.autograd.gradcheck(run, (x.clone().requires_grad_(), *values), fast_mode=True)
