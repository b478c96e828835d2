"""haste's weights, beside a transcription of the equations in its documentation."""

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.interop import from_haste

BATCH, TIME, INPUT, HIDDEN = 3, 5, 4, 6
DRAW = np.random.default_rng(0)


def weights(gates):
    shapes = {
        "kernel": (INPUT, gates * HIDDEN),
        "recurrent_kernel": (HIDDEN, gates * HIDDEN),
        "bias": (gates * HIDDEN,),
    }
    if gates == 3:
        shapes["recurrent_bias"] = (gates * HIDDEN,)
    return {name: DRAW.normal(size=shape) for name, shape in shapes.items()}


def loop(gates, own, x):
    def sigma(a):
        return 1 / (1 + np.exp(-a))

    h = c = np.zeros((len(x), HIDDEN))
    outputs = []
    for x_t in x.swapaxes(0, 1):
        of_x = np.split(x_t @ own["kernel"] + own["bias"], gates, axis=1)
        of_h = np.split(h @ own["recurrent_kernel"] + own.get("recurrent_bias", 0), gates, axis=1)
        if gates == 4:
            i, g, f, o = (a + b for a, b in zip(of_x, of_h, strict=True))
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
        else:
            z, r = sigma(of_x[0] + of_h[0]), sigma(of_x[1] + of_h[1])
            h = z * h + (1 - z) * np.tanh(of_x[2] + r * of_h[2])
        outputs.append(h)
    return np.stack(outputs, 1)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3)])
def test_layers(kind, gates):
    own = weights(gates)
    x = DRAW.normal(size=(BATCH, TIME, INPUT))
    y, _ = from_haste(own, kind)(torch.from_numpy(x))
    torch.testing.assert_close(y, torch.from_numpy(loop(gates, own, x)))


def norm(a, gain, shift=0.0):
    return gain * (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5) + shift


def normalised_loop(kind, own, x):
    """haste's layers with layer norm, as its documentation and its scripts have them."""

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    h = c = np.zeros((len(x), HIDDEN))
    outputs = []
    for x_t in x.swapaxes(0, 1):
        of_x = norm(x_t @ own["kernel"], own["gamma"][0]) + own["bias"]
        if kind == "indrnn":
            h = np.tanh(of_x + own["recurrent_scale"] * h)
            outputs.append(h)
            continue
        of_h = norm(h @ own["recurrent_kernel"], own["gamma"][1])
        if kind == "lstm":
            i, g, f, o = np.split(of_x + of_h, 4, axis=1)
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(norm(c, own["gamma_h"], own["beta_h"]))
        else:
            (xz, xr, xg), (hz, hr, hg) = (
                np.split(v, 3, axis=1) for v in (of_x, of_h + own["recurrent_bias"])
            )
            z, r = sigma(xz + hz), sigma(xr + hr)
            h = z * h + (1 - z) * np.tanh(xg + r * hg)
        outputs.append(h)
    return np.stack(outputs, 1)


def normalised(kind):
    gates = {"lstm": 4, "gru": 3, "indrnn": 1}[kind]
    own = weights(gates) | {"gamma": DRAW.normal(size=(2, gates * HIDDEN))}
    if kind == "lstm":
        own |= {name: DRAW.normal(size=HIDDEN) for name in ("gamma_h", "beta_h")}
    if kind == "indrnn":
        own["recurrent_scale"] = own.pop("recurrent_kernel")[0]
    return own


@pytest.mark.parametrize("kind", ["lstm", "gru", "indrnn"])
def test_layers_with_layer_norm(kind):
    own = normalised(kind)
    x = DRAW.normal(size=(BATCH, TIME, INPUT))
    layer = from_haste(own, f"layer_norm_{kind}")
    assert layer.layer_norm == "ba"
    want = torch.from_numpy(normalised_loop(kind, own, x))
    torch.testing.assert_close(layer(torch.from_numpy(x))[0], want)


def test_independent_units():
    own = normalised("indrnn")
    x = DRAW.normal(size=(BATCH, TIME, INPUT))
    h, outputs = np.zeros((BATCH, HIDDEN)), []
    for x_t in x.swapaxes(0, 1):
        h = np.tanh(x_t @ own["kernel"] + own["bias"] + own["recurrent_scale"] * h)
        outputs.append(h)
    y, _ = from_haste(own, "indrnn")(torch.from_numpy(x))
    torch.testing.assert_close(y, torch.from_numpy(np.stack(outputs, 1)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_haste(weights(4), "lsmt"), "did you mean 'lstm'"),
        (lambda: from_haste(weights(4), "gru"), "lacks 'recurrent_bias'"),
        (lambda: from_haste(weights(3), "lstm"), "must have 24 entries"),
        (lambda: from_haste(weights(4) | {"bias": np.ones(5)}, "lstm"), "bias of shape"),
        (lambda: from_haste(weights(4) | {"kernel": np.ones((4, 5))}, "lstm"), "kernel of shape"),
        (lambda: from_haste(weights(4), "layer_norm_lstm"), "lacks 'gamma'"),
        (lambda: from_haste(weights(1), "indrnn"), "lacks 'recurrent_scale'"),
    ],
    ids=range(7),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
