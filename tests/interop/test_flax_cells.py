"""Flax's parameters, beside a transcription of the equations in its documentation."""

import numpy as np
import pytest
import torch

from gatewise import InputError
from gatewise.interop import from_flax

BATCH, TIME, INPUT, UNITS = 3, 5, 4, 6
DRAW = np.random.default_rng(0)
BIASED = {"lstm": "h", "gru": "i", "simple": "i"}
GATES = {"lstm": "ifgo", "gru": "rzn"}
KINDS = {
    "OptimizedLSTMCell": "lstm",
    "LSTMCell": "lstm",
    "GRUCell": "gru",
    "SimpleCell": "simple",
}


def dense(features, columns, bias):
    made = {"kernel": DRAW.normal(size=(features, columns))}
    return made | ({"bias": DRAW.normal(size=columns)} if bias else {})


def one_by_one(kind, nnx=False):
    """A dictionary for each gate, as of linen's cells and of nnx's `LSTMCell`."""
    params = {}
    for gate in GATES.get(kind, [""]):
        for side, features in (("i", INPUT), ("h", UNITS)):
            name = f"{side}{gate}_" if nnx and side + gate == "if" else side + gate
            bias = side == BIASED[kind] or name == "hn"
            params[name] = dense(features, UNITS, bias)
    return params


def side_by_side(kind):
    """All gates in one kernel, as of nnx's `OptimizedLSTMCell`, `GRUCell` and `SimpleCell`."""
    columns = UNITS * len(GATES.get(kind, [""]))
    return {
        "dense_i": dense(INPUT, columns, BIASED[kind] == "i"),
        "dense_h": dense(UNITS, columns, BIASED[kind] == "h"),
    }


def loop(kind, params, x):
    def sums(side, value):
        if f"dense_{side}" in params:
            own = params[f"dense_{side}"]
            whole = value @ own["kernel"] + own.get("bias", 0)
            return np.split(whole, whole.shape[1] // UNITS, axis=1)
        named = [params.get(side + g) or params[f"{side}{g}_"] for g in GATES.get(kind, [""])]
        return [value @ own["kernel"] + own.get("bias", 0) for own in named]

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for x_t in x.swapaxes(0, 1):
        of_x, of_h = sums("i", x_t), sums("h", h)
        if kind == "lstm":
            i, f, g, o = (a + b for a, b in zip(of_x, of_h, strict=True))
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
        elif kind == "gru":
            r, z = sigma(of_x[0] + of_h[0]), sigma(of_x[1] + of_h[1])
            h = (1 - z) * np.tanh(of_x[2] + r * of_h[2]) + z * h
        else:
            h = np.tanh(of_x[0] + of_h[0])
        outputs.append(h)
    return np.stack(outputs, 1)


@pytest.mark.parametrize("kind", BIASED)
@pytest.mark.parametrize(
    "layout",
    [one_by_one, lambda kind: one_by_one(kind, nnx=True), side_by_side],
    ids=["linen", "nnx", "side-by-side"],
)
def test_cells(kind, layout):
    params = layout(kind)
    x = DRAW.normal(size=(BATCH, TIME, INPUT))
    for given in (params, {"params": params}, {"params": {"cell": params}}):
        y, _ = from_flax(given, kind)(torch.from_numpy(x))
        torch.testing.assert_close(y, torch.from_numpy(loop(kind, params, x)))


SHORT = {**dense(INPUT, UNITS, False), "bias": np.ones(5)}


def without(kind, name, layout=one_by_one):
    return {key: value for key, value in layout(kind).items() if key != name}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_flax(one_by_one("lstm"), "lsmt"), "did you mean 'lstm'"),
        (lambda: from_flax(without("lstm", "if"), "lstm"), "no kernel of 'if'"),
        (lambda: from_flax(one_by_one("lstm"), "gru"), "no kernel of 'ir'"),
        (lambda: from_flax({"params": np.ones(3)}, "lstm"), "params holds ndarray"),
        (lambda: from_flax(side_by_side("gru"), "lstm"), "kernel of the state"),
        (lambda: from_flax(one_by_one("gru") | {"hn": dense(5, 6, False)}, "gru"), "kernel of hn"),
        (lambda: from_flax(one_by_one("gru") | {"in": SHORT}, "gru"), "bias of in"),
    ],
    ids=range(7),
)  # fmt: skip
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def flax():
    return pytest.importorskip("flax", reason="flax is not installed here")


def same(params, kind, x, want):
    y, _ = from_flax(params, kind)(torch.from_numpy(x))
    torch.testing.assert_close(y, torch.from_numpy(np.asarray(want)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_beside_linen(flax, kind):
    import jax
    from flax import linen

    x = DRAW.normal(size=(BATCH, TIME, INPUT)).astype(np.float32)
    layer = linen.RNN(getattr(linen, kind)(UNITS, bias_init=linen.initializers.normal(1.0)))
    variables = layer.init(jax.random.key(0), x)
    same(jax.tree.map(np.asarray, variables), KINDS[kind], x, layer.apply(variables, x))


@pytest.mark.parametrize("kind", KINDS)
def test_beside_nnx(flax, kind):
    from flax import nnx

    x = DRAW.normal(size=(BATCH, TIME, INPUT)).astype(np.float32)
    bias = nnx.initializers.normal(1.0)
    cell = getattr(nnx, kind)(INPUT, UNITS, bias_init=bias, rngs=nnx.Rngs(0))
    params = nnx.to_pure_dict(nnx.state(cell, nnx.Param))
    same(params, KINDS[kind], x, nnx.RNN(cell)(x))
