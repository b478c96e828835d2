"""Floor: the number below, without a slope, in every kind of text."""

import math

import numpy as np
import pytest
import torch

from gatewise.compiler import Cell, Port, equations, floor, step_source, vjp_source
from gatewise.compiler.expr import evaluate, var
from gatewise.compiler.grad import vjp
from gatewise.compiler.simplify import simplify
from gatewise.errors import InputError

from ..cells.stepping import load

NUMBERS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 1e-300, -1e-300, 2.0**52 + 0.5, -(2.0**52),
           4503599627370495.5, 1e300, -1e300, math.inf, -math.inf, math.nan]  # fmt: skip


def fraction_cell():
    a, h = var("a"), var("h")
    ports = (Port("a", "gate"), Port("h", "state"))
    return Cell("fraction", ports, (a + h - floor(a + h),))


@pytest.mark.parametrize("number", NUMBERS)
def test_it_means_what_torch_means(number):
    (value,) = evaluate([floor(var("a"))], {"a": number})
    right = torch.tensor(number, dtype=torch.float64).floor().item()
    assert math.copysign(1, value) == math.copysign(1, right) or math.isnan(right)
    assert value == right or (math.isnan(value) and math.isnan(right))


def test_no_gradient_flows_through_it():
    a, d = var("a"), var("d")
    assert evaluate(vjp([floor(a)], [d], [a]), {"a": 1.5, "d": 3.0}) == [0.0]
    assert evaluate(vjp([a - floor(a)], [d], [a]), {"a": 1.5, "d": 3.0}) == [3.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_its_text_is_that_of_torch(dtype):
    cell = fraction_cell()
    a = torch.linspace(-3, 3, 25, dtype=dtype, requires_grad=True)
    h = torch.full_like(a, 0.3).requires_grad_()
    (output,) = load(step_source(cell))["stage_0"](a, h)
    torch.testing.assert_close(output, torch.remainder(a + h, 1))
    along = torch.linspace(-1, 2, 25, dtype=dtype)
    expected = torch.autograd.grad(output, [a, h], along)
    actual = load(vjp_source(cell))["stage_0_vjp"](a.detach(), h.detach(), along)
    torch.testing.assert_close(actual, expected)
    assert r"\lfloor" in equations(cell)


def test_of_a_constant_it_is_a_constant():
    a = var("a")
    assert simplify([a + floor(1.5 + 0 * a)]) == simplify([a + 1])
    with pytest.raises(TypeError, match=r"numpy\.floor cannot take an equation .* use floor"):
        np.floor(a)


def test_it_survives_as_data():
    cell = fraction_cell()
    assert Cell.from_key(cell.key) == cell
    with pytest.raises(InputError, match="no operation of this version"):
        Cell.from_key(cell.key.replace('"floor"', '"flour"'))
