"""Keras's weights: beside a transcription of its documented equations, and beside Keras itself."""

import itertools

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.interop import Backward, from_keras

BATCH, TIME, INPUT, UNITS = 3, 5, 4, 6
KINDS = ["lstm", "gru", "gru_reset_before", "simple_rnn"]
ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "linear": lambda a: a,
    "softsign": lambda a: a / (1 + np.abs(a)),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "hard_sigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
}


def arrays(kind, use_bias=True, seed=0):
    draw = np.random.default_rng(seed)
    gates = {"lstm": 4, "simple_rnn": 1}.get(kind, 3)
    found = [draw.normal(size=(INPUT, gates * UNITS)), draw.normal(size=(UNITS, gates * UNITS))]
    if use_bias:
        rows = (2,) if kind == "gru" else ()
        found.append(draw.normal(size=(*rows, gates * UNITS)))
    return found


def loop(kind, weights, x, activation="tanh", recurrent_activation="sigmoid"):
    """Keras's layers as their documentation gives them, [batch, time, units], and the states."""
    kernel, recurrent, *bias = weights
    act, gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    bias = bias[0] if bias else np.zeros(kernel.shape[1])
    before, after = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for x_t in x.swapaxes(0, 1):
        of_x = np.split(x_t @ kernel + before, kernel.shape[1] // UNITS, axis=1)
        of_h = np.split(h @ recurrent + after, kernel.shape[1] // UNITS, axis=1)
        if kind == "lstm":
            i, f, g, o = (a + b for a, b in zip(of_x, of_h, strict=True))
            c = gate(f) * c + gate(i) * act(g)
            h = gate(o) * act(c)
        elif kind == "simple_rnn":
            h = act(of_x[0] + of_h[0])
        else:
            z, r = gate(of_x[0] + of_h[0]), gate(of_x[1] + of_h[1])
            inner = r * of_h[2] if kind == "gru" else (r * h) @ recurrent[:, 2 * UNITS :]
            h = z * h + (1 - z) * act(of_x[2] + inner)
        outputs.append(h)
    return np.stack(outputs, 1), (h, c) if kind == "lstm" else (h,)


def sample():
    return np.random.default_rng(9).normal(size=(BATCH, TIME, INPUT))


def same(got, want):
    torch.testing.assert_close(got, torch.from_numpy(np.ascontiguousarray(want)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no-bias"])
def test_arrays_of_one_direction(kind, use_bias):
    given = arrays(kind, use_bias)
    said = {"reset_after": False} if kind == "gru_reset_before" else {}
    layer = from_keras(given, **said)
    assert layer.cell.name == {"simple_rnn": "elman"}.get(kind, kind)
    assert layer.bias is use_bias
    want, last = loop(kind, given, sample())
    y, state = layer(torch.from_numpy(sample()))
    same(y, want)
    for got, expected in zip(state, last, strict=True):
        same(got[0], expected)
    assert repr(from_keras(given, kind.removesuffix("_reset_before"), **said)) == repr(layer)


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave", None])
def test_arrays_of_both_directions(merge):
    there, back = arrays("gru"), arrays("gru", seed=1)
    layer = from_keras(there + back, merge=merge)
    x = sample()
    forward, _ = loop("gru", there, x)
    backward = loop("gru", back, x[:, ::-1])[0][:, ::-1]
    want = {
        "concat": lambda: np.concatenate([forward, backward], -1),
        "sum": lambda: forward + backward,
        "mul": lambda: forward * backward,
        "ave": lambda: (forward + backward) / 2,
        None: lambda: (forward, backward),
    }[merge]()
    y, _ = layer(torch.from_numpy(x))
    if merge is None:
        for got, expected in zip(y, want, strict=True):
            same(got, expected)
    else:
        same(y, want)


def test_reading_backwards():
    given, x = arrays("lstm"), sample()
    layer = from_keras(given, go_backwards=True)
    assert isinstance(layer, Backward)
    want, (h, _) = loop("lstm", given, x[:, ::-1])
    y, state = layer(torch.from_numpy(x))
    same(y, want[:, ::-1])
    same(state.h[0], h)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "linear", "softsign"])
@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "hard_sigmoid", "softplus"])
def test_activations(kind, activation, recurrent_activation):
    given = [0.3 * array for array in arrays(kind)]
    layer = from_keras(given, activation=activation, recurrent_activation=recurrent_activation)
    want, _ = loop(kind, given, sample(), activation, recurrent_activation)
    same(layer(torch.from_numpy(sample()))[0], want)


def test_float32_stays_and_memory_is_not_shared():
    given = [array.astype(np.float32) for array in arrays("lstm")]
    layer = from_keras(given)
    given[0][:] = 0
    assert layer.weight_ih_l0.dtype == torch.float32
    assert layer.weight_ih_l0.any()


LSTM = arrays("lstm")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_keras(LSTM[:1]), "1 arrays of weights"),
        (lambda: from_keras(LSTM, "lsmt"), "did you mean 'lstm'"),
        (lambda: from_keras(LSTM, "gru"), "must have 18 entries"),
        (lambda: from_keras([LSTM[0][:, 1:], LSTM[1]]), "recurrent kernel of shape"),
        (lambda: from_keras([LSTM[0][:, :12], LSTM[1][:, :12]]), "6 or 18 or 24 entries"),
        (lambda: from_keras([*LSTM[:2], LSTM[2][1:]]), "bias of shape"),
        (lambda: from_keras([LSTM[0].astype(int), *LSTM[1:]]), "of type int64"),
        (lambda: from_keras(LSTM, reset_after=True), "only for a GRU"),
        (lambda: from_keras(arrays("gru"), reset_after=False), "bias of shape"),
        (lambda: from_keras(LSTM + arrays("gru")), "different kinds"),
        (lambda: from_keras(LSTM, activation="tanhh"), "did you mean 'tanh'"),
        (lambda: from_keras(LSTM, recurrent_activation=None), "recurrent_activation=None"),
        (lambda: from_keras(LSTM + LSTM, merge="avg"), "merge='avg'"),
        (lambda: from_keras(LSTM + LSTM, go_backwards=True), "two directions"),
    ],
    ids=range(14),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


class Cell:
    """As much of a Keras cell as is looked at; the class is named as Keras's."""

    def __init__(self, kind, weights, **config):
        self.weights, self.config = weights, config
        self.__class__ = type(kind, (Cell,), {})

    def get_weights(self):
        return self.weights

    def get_config(self):
        return self.config


class Layer:
    name = "mine"

    def __init__(self, cell, go_backwards=False):
        self.cell, self.go_backwards = cell, go_backwards

    def get_weights(self):
        return self.cell.get_weights()


class Bidirectional(Layer):
    def __init__(self, forward_layer, backward_layer, merge_mode="ave"):
        self.forward_layer, self.backward_layer = forward_layer, backward_layer
        self.merge_mode = merge_mode


def one(kind="LSTMCell", go_backwards=False, **config):
    weights = arrays("lstm" if kind == "LSTMCell" else "gru")
    return Layer(Cell(kind, weights, **config), go_backwards)


def test_objects_say_what_they_are():
    x = torch.from_numpy(sample())
    given = one(activation="relu", recurrent_activation="sigmoid", dropout=0.5)
    want = from_keras(LSTM, activation="relu")
    assert torch.equal(from_keras(given)(x)[0], want(x)[0])
    assert torch.equal(from_keras(given.cell)(x)[0], want(x)[0])
    assert isinstance(from_keras(one(go_backwards=True)), Backward)
    both = from_keras(Bidirectional(one(), one(go_backwards=True)))
    assert (both.merge, both.bidirectional) == ("mean", True)


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (Bidirectional(one(), one("GRUCell", go_backwards=True)), "different kinds"),
        (Bidirectional(one(go_backwards=True), one()), "reads backwards"),
        (one("StackedRNNCells"), "over StackedRNNCells"),
        (one(activation={"class_name": "mine"}), "activation="),
    ],
    ids=range(4),
)
def test_wrong_objects(layer, says):
    with pytest.raises(InputError, match=says):
        from_keras(layer)


def test_a_layer_without_weights_is_refused():
    layer = one()
    layer.cell.built = False
    with pytest.raises(InputError, match="no weights yet"):
        from_keras(layer)


@pytest.fixture(scope="module")
def layers():
    """`keras.layers` on torch; most environments have no Keras, `make test-external` has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        yield pytest.importorskip("keras", reason="keras is not installed here").layers


@pytest.mark.parametrize("wrapped", ["forward", "go_backwards", "bidirectional"])
@pytest.mark.parametrize("kind", KINDS)
def test_beside_keras(layers, kind, wrapped):
    name = {"lstm": "LSTM", "simple_rnn": "SimpleRNN"}.get(kind, "GRU")
    options = {"reset_after": False} if kind == "gru_reset_before" else {}
    for activation, use_bias in itertools.product(["tanh", "relu"], [True, False]):
        theirs = getattr(layers, name)(
            UNITS, activation=activation, use_bias=use_bias, return_sequences=True,
            bias_initializer="random_normal", go_backwards=wrapped == "go_backwards", **options,
        )  # fmt: skip
        if wrapped == "bidirectional":
            theirs = layers.Bidirectional(theirs, merge_mode="sum")
        x = torch.from_numpy(sample()).float()
        want = theirs(x)
        y, _ = from_keras(theirs)(x)
        torch.testing.assert_close(y, want.flip(1) if wrapped == "go_backwards" else want)
