"""The mean over units: values, gradients, text, and who cannot run it yet."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import gatewise
from gatewise import cells
from gatewise.compiler import (
    Cell,
    Gate,
    Port,
    State,
    Weight,
    cell,
    equations,
    layer_norm,
    mean,
    recurrent_dropout,
    sigmoid,
    step_source,
    tanh,
    vjp_source,
    zoneout,
)
from gatewise.compiler.expr import const, evaluate, rewrite, var, walk
from gatewise.compiler.grad import vjp
from gatewise.compiler.simplify import simplify

from ..cells.stepping import load
from .running import agree, check_derivatives, drawn
from .test_expressions import LEAVES, wider

averaged = mean  # One parameter below is called mean.


@cell
def centred(a: Gate, h: State, mean: Weight = 0.5):
    """Means of a gate, of the state and of a vector, which is called as the primitive is."""
    return tanh(a - averaged(a)) + averaged(mean * a) * h + averaged(mean)


@cell
def staged(r: Gate, n: Gate, h: State):
    """A mean of a product, and one that a later stage is handed."""
    level = averaged(sigmoid(r))
    n = n(level * h)
    return tanh(n - averaged(n)) * level


@cell
def pooled(a: Gate, h: State):
    """All units agree."""
    return averaged(tanh(a))


CELLS = {"centred": centred, "staged": staged, "pooled": pooled}


def centred_step(x, old, w, m):
    (h,) = old
    a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    v = w["mean"]
    return (torch.tanh(a - a.mean()) + (v * a).mean() * h + v.mean(),)


def staged_step(x, old, w, m):
    (h,) = old
    W, U = w["weight_ih"].chunk(2), w["weight_hh"].chunk(2)
    b = [p + q for p, q in zip(w["bias_ih"].chunk(2), w["bias_hh"].chunk(2), strict=True)]
    level = torch.sigmoid(W[0] @ x + U[0] @ h + b[0]).mean()
    n = W[1] @ x + U[1] @ (level * h) + b[1]
    return (torch.tanh(n - n.mean()) * level,)


def pooled_step(x, old, w, m):
    (h,) = old
    a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    return (torch.tanh(a).mean().expand(len(h)),)


STEPS = {"centred": centred_step, "staged": staged_step, "pooled": pooled_step}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("lengths", [None, [5, 0, 2]], ids=["full", "ragged"])
def test_values_and_gradients(name, reverse, lengths):
    agree(drawn(CELLS[name], lengths=lengths, reverse=reverse), STEPS[name])


@pytest.mark.parametrize("name", CELLS)
def test_derivatives(name):
    for order in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):
        check_derivatives(drawn(CELLS[name]), order)


def test_a_number_is_its_own_mean():
    x = var("x")
    assert evaluate([mean(x) + mean(3)], {"x": 2.0}) == [5.0]


def test_its_gradient_is_the_mean_of_the_gradient():
    x, d = var("x"), var("d")
    assert vjp([mean(x)], [d], [x]) == [mean(d)]


def test_what_simplifies():
    x, y = var("x"), var("y")
    same = [mean(const(2.0)), mean(mean(x)), mean(x * y) + 0, mean(x + 0)]
    assert simplify(same) == (const(2.0), mean(x), mean(x * y), mean(x))
    for kept in (mean(x) * y, mean(x * mean(y)), mean(x) + mean(y), mean(-x), mean(x) - x):
        assert simplify([kept]) == (kept,)


NUMPY = {
    "neg": np.negative, "abs": np.abs, "add": np.add, "sub": np.subtract, "mul": np.multiply,
    "div": np.divide, "maximum": np.maximum, "minimum": np.minimum, "exp": np.exp, "log": np.log,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "relu": lambda a: np.maximum(a, 0),
    "softplus": lambda a: np.logaddexp(0, a), "logsigmoid": lambda a: -np.logaddexp(0, -a),
    "where": lambda a, b, then, other: np.where(a < b, then, other), "floor": np.floor,
    "mean": lambda a: np.broadcast_to(np.mean(a, -1, keepdims=True), np.shape(a)),
}  # fmt: skip


def in_numpy(outputs, values):
    known = {}
    shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
    for node in walk(outputs):
        if node.op == "const":
            known[node] = np.full(shape, node.value)
        elif node.op == "var":
            known[node] = np.broadcast_to(values[node.value], shape)
        else:
            known[node] = NUMPY[node.op](*(known[a] for a in node.args))
    return [known[o] for o in outputs]


def averaging(inner):
    return st.one_of(wider(inner), st.builds(mean, inner))


AVERAGES = st.recursive(LEAVES, averaging, max_leaves=12)


@settings(max_examples=80, deadline=None)
@given(AVERAGES, st.integers(0, 99))
def test_any_graph_means_the_same_in_every_form(expression, seed):
    draw = np.random.default_rng(seed).normal
    point = {"x": draw(size=(2, 5)), "y": draw(size=5), "h": draw(size=(2, 5))}
    (want,) = in_numpy([expression], point)
    (simple,) = simplify([expression])
    atol = 1e-9 * (1 + np.abs(want).max())
    np.testing.assert_allclose(in_numpy([simple], point)[0], want, rtol=1e-9, atol=atol)

    ports = (Port("x", "gate"), Port("y", "weight"), Port("h", "state"))
    made = Cell("drawn", ports, (expression + var("h") + 0.5 * (var("x") - var("y")),))
    assert Cell.from_key(made.key) == made
    assert equations(made).count("{") == equations(made).count("}")
    (stage,) = made.stages
    reads = [torch.tensor(point[n], requires_grad=True) for n in stage.reads]
    (output,) = load(step_source(made))["stage_0"](*reads)
    (want,) = in_numpy(made.outputs, point)
    np.testing.assert_allclose(output.detach(), want, rtol=1e-9, atol=atol)

    cotangent = torch.linspace(-1, 1, 10, dtype=torch.float64).view(2, 5)
    right = torch.autograd.grad(output, reads, cotangent)
    found = load(vjp_source(made))["stage_0_vjp"](*(r.detach() for r in reads), cotangent)
    for got, gradient in zip(found, right, strict=True):
        summed = got.sum_to_size(gradient.shape)
        size = 1 + float(gradient.abs().max())
        torch.testing.assert_close(summed, gradient, rtol=1e-9, atol=1e-9 * size)


def test_text():
    source = step_source(pooled)
    assert source.count("def mean(values):") == 1
    assert "return (h_t,)" in source
    assert "def mean" not in step_source(cells.lstm) + vjp_source(cells.lstm)
    assert "def stage_0(a, h, mean_):" in step_source(centred)
    assert equations(pooled).splitlines()[2] == r"h_{t} &= \overline{a_{t}}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64])
def test_shape_and_type_stay(dtype):
    a = torch.ones(3, 4, dtype=dtype)
    (h,) = load(step_source(pooled))["stage_0"](a)
    (slope,) = load(vjp_source(pooled))["stage_0_vjp"](a, a)
    assert {(t.shape, t.dtype) for t in (h, slope)} == {(a.shape, dtype)}
    (empty,) = load(step_source(pooled))["stage_0"](a[:0])
    assert empty.shape == (0, 4)


@pytest.mark.parametrize("name", CELLS)
def test_cells_with_means_survive_as_data(name):
    made = CELLS[name]
    again = Cell.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made == Cell.from_key(made.key)
    assert made.to_dict()["format"] == 1
    for emit in (step_source, vjp_source, equations):
        assert emit(again) == emit(made)


def test_labels_and_copies_know_nothing_of_it():
    assert rewrite([mean(var("x"))], lambda node: node)[mean(var("x"))] is mean(var("x"))
    assert zoneout(pooled, {"h": 0.5}).outputs[0].op == "add"
    masked = recurrent_dropout(staged, 0.5, "gal")
    assert [stage.products for stage in masked.stages] == [
        (("r_h", "t0"),), (("n_h", "t1"),), ()
    ]  # fmt: skip


def test_foreign_means_are_refused_with_the_right_name():
    with pytest.raises(TypeError, match=r"use mean from gatewise\.compiler"):
        torch.mean(var("x"))


def test_steps_are_the_sequence():
    layer = gatewise.nn.Recurrent(layer_norm(cells.lstm), 3, 4, bias=False)
    x = torch.randn(2, 5, 3)
    y, state = layer(x)
    before = None
    for t in range(5):
        one, before = layer.step(x[:, t], before)
        torch.testing.assert_close(one, y[:, t])
    torch.testing.assert_close(before, state)
