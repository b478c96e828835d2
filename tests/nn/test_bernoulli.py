"""Masks and dropout: how often, whose gradient, whose seed."""

from __future__ import annotations

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from gatewise import InputError
from gatewise.nn.regularization import bernoulli
from gatewise.nn.regularization.bernoulli import Dropout, mask

FAST = [True, False]


@pytest.fixture(params=FAST, ids=["compiled", "torch"])
def how(request, monkeypatch):
    """Both ways to draw: machine code, and torch alone where there is none."""
    if not request.param:
        monkeypatch.setattr(bernoulli, "can_drop", lambda x: False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_mask_has_its_mean_and_its_type(how, dtype):
    torch.manual_seed(0)
    drawn = mask(torch.zeros(1, dtype=dtype), (400, 500), 0.8, 1.0)
    assert drawn.dtype == dtype
    assert drawn.unique().tolist() == pytest.approx([0, 1.25], rel=1e-2)
    assert abs((drawn > 0).double().mean() - 0.8) < 4 * (0.16 / drawn.numel()) ** 0.5
    assert torch.equal(mask(drawn, (3,), 1.0, 0.5), torch.full((3,), 0.5, dtype=dtype))


def test_a_seed_decides_and_the_next_draw_is_another(how):
    torch.manual_seed(3)
    one, two = mask(torch.zeros(1), (99,), 0.5), mask(torch.zeros(1), (99,), 0.5)
    torch.manual_seed(3)
    assert torch.equal(one, mask(torch.zeros(1), (99,), 0.5))
    assert not torch.equal(one, two)


def test_both_ways_draw_the_same(monkeypatch):
    x, answers = torch.randn(5, 7, 3), []
    for function in (bernoulli.can_drop, lambda x: False):
        monkeypatch.setattr(bernoulli, "can_drop", function)
        torch.manual_seed(3)
        answers.append((mask(x, (9, 13), 0.3), Dropout(0.4)(x), torch.rand(2)))
    for one, other in zip(*answers, strict=True):
        assert torch.allclose(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dropout_scales_what_stays_and_gradients_alike(how, dtype):
    torch.manual_seed(0)
    drop, x = Dropout(0.3), torch.randn(7, 6, 5, dtype=dtype, requires_grad=True)
    y = drop(x)
    kept = (y != 0).to(dtype)
    assert torch.allclose(y, x * kept / 0.7)
    weights = torch.randn_like(x)
    (found,) = torch.autograd.grad((y * weights).sum(), x)
    assert torch.allclose(found, weights * kept / 0.7)
    assert drop.eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_dropout_is_differentiated_twice(how):
    torch.manual_seed(0)
    drop, x = Dropout(0.5), torch.randn(4, 9, requires_grad=True)
    y = drop(x)
    kept = (y != 0).float() * 2
    (first,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert torch.allclose(second, 6 * y * kept**2, atol=1e-5)


def test_many_gradients_at_once_are_dropped_alike(how):
    torch.manual_seed(0)
    x = torch.randn(5, requires_grad=True)
    y = Dropout(0.5)(x)
    (found,) = torch.autograd.grad(y, x, torch.eye(5), is_grads_batched=True)
    assert torch.equal(found, torch.diag((y != 0).float() * 2))


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_many_gradients_where_float64_is_the_default(how, doubles):
    torch.manual_seed(0)
    x = torch.randn(5, dtype=torch.float32, requires_grad=True)
    y = Dropout(0.5)(x)
    along = torch.eye(5, dtype=torch.float32)
    (found,) = torch.autograd.grad(y, x, along, is_grads_batched=True)
    assert torch.equal(found, torch.diag((y != 0).float() * 2))


def test_a_gradient_that_is_traced_can_be_run_again(how):
    torch.manual_seed(0)
    x = torch.randn(50, requires_grad=True)
    y = Dropout(0.5)(x)

    def gradient(along):
        (found,) = torch.autograd.grad(y, x, along, retain_graph=True)
        return found

    graph = make_fx(gradient)(torch.ones(50))
    assert torch.equal(graph(torch.ones(50)), (y != 0).float() * 2)


def test_the_default_device_is_not_the_masks():
    like = torch.ones(3)
    with torch.device("meta"):
        assert mask(like, (100,), 0.5).device == like.device


def test_gradients_of_another_order_in_memory(how):
    torch.manual_seed(0)
    x = torch.randn(6, 4, requires_grad=True)
    y = Dropout(0.5)(x)
    weights = torch.randn(4, 6).t()
    (found,) = torch.autograd.grad(y, x, weights)
    assert torch.equal(found, weights * (y != 0) * 2)


def test_a_rate_out_of_range_is_refused():
    with pytest.raises(InputError, match="rate"):
        Dropout(1.0)
