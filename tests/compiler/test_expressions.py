"""Random equations: every emitter says the same, and the derivative is autograd's."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.compiler import (
    Cell,
    Expr,
    Port,
    abs_,
    cos,
    equations,
    exp,
    log,
    logsigmoid,
    maximum,
    minimum,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    step_source,
    tanh,
    vjp_source,
    where,
)
from gatewise.compiler.expr import PRIMITIVES, const, evaluate, var, walk
from gatewise.compiler.grad import ADJOINTS, vjp
from gatewise.compiler.simplify import simplify

from ..cells.stepping import load

NAMES = ("x", "y", "h")
LEAVES = st.sampled_from([*map(var, NAMES), *map(const, (0.0, 1.0, -1.0, 0.5, -2.0))])
UNARY = [sigmoid, tanh, relu, softplus, logsigmoid, abs_, sin, cos, lambda a: -a, lambda a: a**3,
         lambda a: exp(minimum(a, 1)), lambda a: log(softplus(a) + 0.1),
         lambda a: sqrt(a * a + 0.1)]  # fmt: skip
BINARY = [maximum, minimum, lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b,
          lambda a, b: a / (1 + abs(b))]  # fmt: skip
CHOICES = [lambda a, b, c, d: where(a < b, c, d), lambda a, b, c, d: where(a >= b, c, d)]


def wider(inner):
    return st.one_of(
        st.builds(lambda f, a: f(a), st.sampled_from(UNARY), inner),
        st.builds(lambda f, a, b: f(a, b), st.sampled_from(BINARY), inner, inner),
        st.builds(lambda f, *a: f(*a), st.sampled_from(CHOICES), inner, inner, inner, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, wider, max_leaves=12)
# Whole numbers, so that ties and kinks are met; thirds, so that most points are smooth.
NUMBERS = st.integers(-6, 6).map(lambda n: n / 3)
POINTS = st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS))


def cell_of(expression):
    """Make a cell that computes an expression and stays a state whatever simplifies away."""
    ports = (Port("x", "gate"), Port("y", "weight"), Port("h", "state"))
    return Cell("drawn", ports, (expression + var("h") + 0.5 * (var("x") - var("y")),))


def close(actual, expected):
    return torch.testing.assert_close(
        torch.as_tensor(actual, dtype=torch.float64),
        torch.as_tensor(expected, dtype=torch.float64),
        rtol=1e-9,
        atol=1e-9 * (1 + float(torch.as_tensor(expected).abs().max())),
    )


@settings(max_examples=80, deadline=None)
@given(EXPRESSIONS, POINTS)
def test_simpler_means_the_same(expression, point):
    (simple,) = simplify([expression])
    assert simplify([simple]) == (simple,)
    assert len(walk([simple])) <= len(walk([expression]))
    close(evaluate([simple], point), evaluate([expression], point))


@settings(max_examples=80, deadline=None)
@given(EXPRESSIONS, POINTS)
def test_torch_text_and_its_backward(expression, point):
    cell = cell_of(expression)
    (stage,) = cell.stages
    reads = [torch.tensor([point[n]], dtype=torch.float64, requires_grad=True) for n in stage.reads]
    (output,) = load(step_source(cell))["stage_0"](*reads)
    close(output.detach(), evaluate(cell.outputs, point))

    cotangent = torch.tensor([0.7], dtype=torch.float64)
    expected = torch.autograd.grad(output, reads, cotangent)
    actual = load(vjp_source(cell))["stage_0_vjp"](*(r.detach() for r in reads), cotangent)
    close(torch.cat(actual), torch.cat(expected))

    gradient = vjp(stage.outputs, [var("d")], [var(n) for n in stage.reads])
    close(evaluate(gradient, point | {"d": 0.7}), torch.cat(expected))


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_latex_is_balanced_and_a_copy_is_equal(expression):
    cell = cell_of(expression)
    text = equations(cell)
    assert text.count("{") == text.count("}")
    assert text.count(r"\begin") == text.count(r"\end")
    assert text.splitlines()[-2].startswith("h_{t} &= ")
    assert Cell.from_key(cell.key) == cell


@pytest.mark.parametrize("op", PRIMITIVES)
def test_each_primitive_has_an_adjoint_that_is_its_slope(op):
    assert set(ADJOINTS) == set(PRIMITIVES)
    arity, _ = PRIMITIVES[op]
    names = ["a", "b", "c", "d"][:arity]
    node = Expr(op, tuple(map(var, names)))
    point = dict(zip(names, (0.6, 1.3, 0.4, -0.9), strict=False))
    gradient = evaluate(vjp([node], [const(1.0)], list(map(var, names))), point)
    for name, slope in zip(names, gradient, strict=True):
        ends = [evaluate([node], point | {name: point[name] + d})[0] for d in (1e-6, -1e-6)]
        assert math.isclose(slope, (ends[0] - ends[1]) / 2e-6, rel_tol=1e-8, abs_tol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_numbers_take_the_type_of_the_tensors(dtype):
    x, h = var("x"), var("h")
    chosen = where(x < h, 0.1, 0.3) + where(x < 1, 0.1, h) + maximum(x, 0.1) + minimum(0.1, h)
    ports = (Port("x", "gate"), Port("h", "state"))
    cell = Cell("typed", ports, (chosen,))
    a, b = torch.tensor([0.5, -0.5], dtype=dtype), torch.tensor([0.25, 0.75], dtype=dtype)
    (output,) = load(step_source(cell))["stage_0"](a, b)
    gradients = load(vjp_source(cell))["stage_0_vjp"](a, b, torch.ones_like(a))
    assert {t.dtype for t in (output, *gradients)} == {dtype}
    exact = [evaluate([chosen], {"x": x, "h": h})[0] for x, h in ((0.5, 0.25), (-0.5, 0.75))]
    torch.testing.assert_close(output, torch.tensor(exact, dtype=torch.float64).to(dtype))


@pytest.mark.parametrize("build", [maximum, minimum])
def test_a_tie_is_split_evenly(build):
    x, y, d = map(var, "xyd")
    gradient = vjp([build(x, y)], [d], [x, y])
    assert evaluate(gradient, {"x": 2.0, "y": 2.0, "d": 3.0}) == [1.5, 1.5]


@pytest.mark.parametrize("a", [-800.0, -40.0, 0.0, 40.0, 800.0])
def test_no_overflow_far_out(a):
    x = var("x")
    outputs = [sigmoid(x), softplus(x), logsigmoid(x)]
    tensor = torch.tensor(a, dtype=torch.float64)
    expected = [
        torch.sigmoid(tensor),
        torch.logaddexp(tensor, torch.zeros(())),
        torch.nn.functional.logsigmoid(tensor),
    ]
    for value, reference in zip(evaluate(outputs, {"x": a}), expected, strict=True):
        assert math.isclose(value, reference.item(), rel_tol=1e-12)


def test_equal_expressions_are_one_object_and_do_not_change():
    x, y = var("x"), var("y")
    assert x * y + 1 is x * y + 1.0
    assert simplify([x * y + y * x])[0].args[0] is simplify([x * y + y * x])[0].args[1]
    with pytest.raises(AttributeError, match="does not change"):
        x.op = "const"


def test_a_deep_graph_needs_no_deep_stack():
    deep = var("h")
    for _ in range(3000):
        deep = tanh(deep + var("x"))
    cell = Cell("deep", (Port("x", "gate"), Port("h", "state")), (deep,))
    load(step_source(cell))
    load(vjp_source(cell))
    assert equations(cell).count(r"\tanh") == 3000
    assert Cell.from_key(cell.key) == cell


def test_a_shared_graph_does_not_unfold():
    shared = var("h")
    for _ in range(200):
        shared = shared * shared + var("x")
    cell = Cell("shared", (Port("x", "gate"), Port("h", "state")), (shared,))
    assert len(step_source(cell).splitlines()) < 500
    assert len(equations(cell)) < 50_000
    assert len(repr(shared)) < 5000
