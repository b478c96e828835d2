"""The signature is the declaration; what is no cell is refused with one sentence."""

import math
import sys

import numpy as np
import pytest
import torch

from gatewise.compiler import (
    Cell,
    FromInput,
    FromState,
    Gate,
    Given,
    Hyper,
    State,
    Weight,
    cell,
    equations,
    maximum,
    sigmoid,
    step_source,
    tanh,
    vjp_source,
    where,
)
from gatewise.errors import InputError


@cell(bias={"n": 0.5, "z": -1.0})
def mixed(
    z: Gate, n_x: FromInput, n_h: FromState, s: FromInput, h: State, m: State,
    w: Weight = 0.25, v: Weight = 0.0, keep: Hyper = 0.9,
):  # fmt: skip
    """One of each kind."""
    z = sigmoid(z + w * m)
    m = keep * m + (1 - keep) * s * v
    return z * h + (1 - z) * tanh(n_x + n_h), m


def test_the_signature_is_the_declaration():
    assert mixed.name == "mixed"
    assert mixed.doc == mixed.__doc__ == "One of each kind."
    assert mixed.inputs == {
        "z": "gate", "n_x": "from_input", "n_h": "from_state", "s": "from_input", "h": "state",
        "m": "state", "w": "weight", "v": "weight", "keep": "hyper",
    }  # fmt: skip
    assert mixed.input_rows == ("z", "n_x", "s")
    assert mixed.state_rows == ("z", "n_h")
    assert mixed.states == ("h", "m")
    assert mixed.weights == {"w": 0.25, "v": 0.0}
    assert mixed.bias == {"z": -1.0, "n_x": 0.5}
    assert [mixed.block(row) for row in mixed.state_rows] == ["z", "n"]


def test_a_hyper_is_a_constant_that_can_be_changed():
    other = mixed.with_(keep=0.5)
    assert (mixed.hypers, other.hypers) == ({"keep": 0.9}, {"keep": 0.5})
    assert other != mixed
    assert other.key != mixed.key
    assert other.with_(keep=0.9) == mixed
    assert "0.9" in step_source(mixed)
    assert "0.9" not in step_source(other)
    assert "keep" in equations(mixed)
    with pytest.raises(InputError, match="no Hyper 'kep': did you mean 'keep'"):
        mixed.with_(kep=0.5)
    with pytest.raises(InputError, match="keep of cell mixed must start from a finite number"):
        mixed.with_(keep=math.inf)


def test_values_keep_the_names_of_the_function():
    assert dict(mixed.labels).keys() == {"z", "m"}

    @cell
    def compact(i: Gate, g: Gate, h: State):
        return sigmoid(i) * tanh(g)

    assert "i_t = torch.sigmoid(i)" in step_source(compact)
    assert r"h_{t} &= i_{t} \odot g_{t}" in equations(compact)


def test_tracing_leaves_a_profiler_alone():
    def profiler(*_):
        return None

    sys.setprofile(profiler)
    try:

        @cell
        def fine(a: Gate, h: State):
            return tanh(a)

        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_a_name_may_be_that_of_a_module():
    @cell
    def awkward(torch: Gate, t0: Gate, h: State, h_t: State):
        shared = torch * t0
        return tanh(shared) * shared, maximum(h_t, 0.5) + shared

    import torch as real

    from ..cells.stepping import load

    a, b, c = (real.randn(3) for _ in range(3))
    h, h_t = load(step_source(awkward))["stage_0"](a, b, c)
    real.testing.assert_close(h, real.tanh(a * b) * a * b)
    real.testing.assert_close(h_t, real.clamp(c, min=0.5) + a * b)


def test_a_docstring_does_not_make_a_cell_another():
    def body(a: Gate, h: State):
        return tanh(a)

    first = cell(body)
    body.__doc__ = "Other words."
    assert cell(body) == first
    assert hash(cell(body)) == hash(first)


def test_what_is_given_is_noise_that_nobody_draws():
    @cell
    def timed(a: Gate, h: State, dt: Given = 1.0):
        return dt * tanh(a) + h

    assert timed.noises == {"dt": 1.0}
    assert timed.draws == {}
    assert "d_dt" not in vjp_source(timed)
    assert r"\mathrm{dt}_{t}" in equations(timed)


def returns_too_many(a: Gate, h: State):
    return tanh(a), tanh(a)


def returns_nothing(a: Gate, h: State):
    tanh(a)


def unannotated(a, h: State):
    return tanh(a)


def wrongly_annotated(a: float, h: State):
    return tanh(a)


def stateless(a: Gate):
    return ()


def constant_state(a: Gate, h: State, c: State, alpha: Hyper = 1.0):
    return tanh(a), 2 * alpha


def hyper_without_value(a: Gate, h: State, alpha: Hyper):
    return alpha * tanh(a)


def given_without_value(a: Gate, h: State, dt: Given):
    return dt * tanh(a)


def gate_with_default(h: State, a: Gate = 1.0):  # pyright: ignore
    return tanh(a)


def many(h: State, *gates: Gate):
    return h


def vanishing_state(a: Gate, h: State, c: State, alpha: Hyper = 0.0):
    return tanh(a), alpha * c


def applied_to_a_constant(k: FromState, h: State, one: Hyper = 1.0):
    return k(one)


def divides_by_zero(a: Gate, h: State, zero: Hyper = 0.0):
    return tanh(a) + 1 / zero


def unfindable(a: "Gat", h: State):  # noqa: F821  # pyright: ignore
    return tanh(a)


def applied_twice(k: FromState, h: State):
    return k(2 * h) + k(3 * h)


def plain_and_applied(k: Gate, h: State):
    return k + k(2 * h)


def applied_weight(h: State, w: Weight):
    return w(2 * h)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (returns_too_many, "declares 1 states .h. and returns 2 values"),
        (returns_nothing, "returns NoneType None: return one expression per State"),
        (unannotated, "a of cell unannotated has no annotation: use Gate, FromInput"),
        (wrongly_annotated, "a of cell wrongly_annotated has the annotation .*float.*: use Gate"),
        (stateless, "declares no State"),
        (constant_state, "the new c of cell constant_state is a constant"),
        (vanishing_state, "the new c of cell vanishing_state is a constant"),
        (applied_to_a_constant, "applies k to a constant"),
        (hyper_without_value, "alpha of cell .* is a Hyper without a value"),
        (given_without_value, "dt of cell .* is a Given without a value"),
        (gate_with_default, "a of cell gate_with_default has a default"),
        (many, r"takes \*gates"),
        (unfindable, "annotation that cannot be found .*Gat"),
        (applied_twice, "applies k to two values"),
        (plain_and_applied, "uses 'k' without declaring it|both plain and applied"),
        (applied_weight, "w of cell applied_weight is a weight: only a Gate or FromState"),
        (lambda a, h: a, "cannot be a name|has no annotation"),
    ],
)
def test_what_is_no_cell_is_refused(function, sentence):
    with pytest.raises(InputError, match=sentence):
        cell(function)


def test_constants_that_have_no_value_are_refused_by_name():
    with pytest.raises(InputError, match=r"div\(1.0, 0.0\) in the equations is not a finite"):
        cell(divides_by_zero)


def test_a_bias_must_name_a_gate():
    with pytest.raises(InputError, match="bias of cell body names 'forget', which is no gate"):

        @cell(bias={"forget": 1.0})
        def body(f: Gate, h: State):
            return tanh(f)


def if_on_a_value(a: Gate, h: State):
    return a if a > 0 else h


def builtin_max(a: Gate, h: State):
    return max(a, h)


def of_math(a: Gate, h: State):
    return math.tanh(a)


def of_numpy(a: Gate, h: State):
    return np.tanh(a)


def of_numpy_abs(a: Gate, h: State):
    return np.absolute(a)


def of_torch(a: Gate, h: State):
    return torch.sigmoid(a)


def strange_power(a: Gate, h: State):
    return a**0.5


def where_on_a_bool(a: Gate, h: State):
    return where(a == h, a, h)


def adds_a_string(a: Gate, h: State):
    return a + "h"


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (if_on_a_value, "write where"),
        (builtin_max, "maximum"),
        (of_math, "functions of `math` .* tanh"),
        (of_numpy, "numpy.tanh cannot take an equation .*: use tanh from gatewise.compiler"),
        (of_numpy_abs, "use abs_ from gatewise.compiler"),
        (of_torch, "torch.sigmoid cannot take an equation .*: use sigmoid from"),
        (strange_power, "write sqrt"),
        (where_on_a_bool, "where takes a comparison"),
        (adds_a_string, "not str"),
    ],
)
def test_what_cannot_be_traced_says_what_to_write(function, sentence):
    with pytest.raises(TypeError, match=sentence):
        cell(function)


def test_a_cell_is_made_of_functions():
    with pytest.raises(InputError, match="cell takes a function, not Cell"):
        cell(mixed)
    assert isinstance(mixed, Cell)
