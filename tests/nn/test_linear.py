"""A product by oneDNN is torch's but for rounding, and so are its gradients."""

from __future__ import annotations

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from gatewise.nn import linear as module
from gatewise.nn.linear import linear

SHAPES = {"rows": (33, 16), "windows": (4, 9, 16), "one": (16,), "none": (0, 16)}


@pytest.fixture(autouse=True)
def _any_size(monkeypatch):
    monkeypatch.setattr(module, "_FEW", 0)


def drawn(shape, bias=True):
    torch.manual_seed(0)
    x = torch.randn(shape, requires_grad=True)
    weight = torch.randn(7, shape[-1], requires_grad=True)
    return (x, weight, torch.randn(7, requires_grad=True) if bias else None)


def is_ours(y):
    return type(y.grad_fn).__name__ == "_LinearBackward"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_values_and_gradients_of_both_orders(shape, bias):
    given = drawn(shape, bias)
    wanted = [g for g in given if g is not None]
    answers = []
    for function in (linear, F.linear):
        y = function(*given)
        first = torch.autograd.grad(y.sin().sum(), wanted, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), wanted)
        answers.append((y, *first, *second))
    assert is_ours(answers[0][0]) or not given[0].numel()
    for ours, torchs in zip(*answers, strict=True):
        assert ours.shape == torchs.shape
        scale = float(torchs.detach().abs().max()) if torchs.numel() else 1.0
        assert torch.allclose(ours, torchs, rtol=0.0, atol=1e-5 * scale)


def test_gradients_in_double_precision():
    x, weight, bias = (t.detach().double().requires_grad_() for t in drawn((5, 16)))
    y = linear(x, weight, bias)
    assert y.dtype == torch.float64
    assert torch.autograd.gradcheck(linear, (x, weight, bias))


def test_only_what_is_wanted_is_differentiated():
    x, weight, bias = drawn((33, 16))
    y = linear(x.detach(), weight, bias)
    assert is_ours(y)
    y.sum().backward()
    assert x.grad is None
    assert torch.allclose(weight.grad, x.detach().sum(0).expand(7, -1), atol=1e-4)
    assert torch.equal(bias.grad, torch.full((7,), 33.0))


def test_what_is_expanded_or_turned_gives_the_same():
    x, weight, bias = drawn((33, 16))
    for given in (x[:1].expand(20, -1), x.t()[:, :16], x[:, :8].repeat(1, 2)):
        assert torch.allclose(linear(given, weight, bias), F.linear(given, weight, bias), atol=1e-4)


def test_it_leaves_torch_alone_where_it_is_watched():
    x, weight, bias = drawn((33, 16))
    each = torch.func.vmap(linear, (0, None, None))(x.detach(), weight.detach(), bias.detach())
    assert torch.allclose(each, F.linear(x, weight, bias), atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(x, weight, bias).dtype == torch.bfloat16
    graph = make_fx(lambda x: linear(x, weight.detach(), bias.detach()))(x.detach()).graph
    assert not any("mkldnn" in str(node.target) for node in graph.nodes)
    (found,) = torch.autograd.grad(
        linear(x, weight, bias), x, torch.eye(7).expand(33, 7, 7).transpose(0, 1),
        is_grads_batched=True,
    )  # fmt: skip
    assert torch.allclose(found, weight.unsqueeze(1).expand(-1, 33, -1), atol=1e-5)
