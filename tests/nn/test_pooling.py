"""One vector for each sequence: every name against a loop over sequences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import AttentionPooling, Pooling, Recurrent

EACH = pytest.mark.parametrize("kind", ["last", "mean", "max", "attention"])


def made(kind):
    torch.manual_seed(0)
    return Pooling(kind, 4).double()


def data(batch, time=6):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, time, 4, generator=generator, dtype=torch.float64)


def by_hand(pooling, x):
    if not len(x):
        return np.zeros(4)
    if pooling.kind != "attention":
        return {"last": x[-1], "mean": x.mean(0), "max": x.max(0)}[pooling.kind]
    w, b, u = (p.detach().numpy() for p in pooling.attention.parameters())
    scores = np.array([u[0] @ np.tanh(w @ step + b) for step in x])
    return np.exp(scores) @ x / np.exp(scores).sum()


@EACH
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 6), min_size=0, max_size=4))
def test_each_is_its_loop(kind, lengths):
    pooling, x = made(kind), data(len(lengths))
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    got = pooling(x, lengths=lengths)
    assert got.shape == (len(lengths), 4)
    for k, length in enumerate(lengths):
        want = by_hand(pooling, x[k, :length].numpy())
        np.testing.assert_allclose(got[k].detach(), want, rtol=1e-9)


@EACH
def test_without_lengths_all_steps_count(kind):
    pooling, x = made(kind), data(3)
    torch.testing.assert_close(pooling(x), pooling(x, lengths=[6, 6, 6]))
    assert not pooling(x[:, :0]).any()


@EACH
def test_gradients(kind):
    pooling, x = made(kind), data(3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pooling(x, lengths=[6, 2, 0]), x)
    with torch.no_grad():
        x[1, 2:] = float("nan")
        x[2] = float("nan")
    pooling(x, lengths=[6, 2, 0]).square().sum().backward()
    assert torch.isfinite(x.grad).all()
    assert not x.grad[1, 2:].any()
    assert all(torch.isfinite(p.grad).all() for p in pooling.parameters())


def test_the_last_of_both_directions_is_the_final_state():
    layer = Recurrent("gru", 3, 4, bidirectional=True)
    y, state = layer(torch.randn(3, 6, 3), lengths=[6, 2, 0])
    pooled = Pooling("last", 8, bidirectional=True)(y, lengths=[6, 2, 0])
    torch.testing.assert_close(pooled, torch.cat(list(state.h), -1))
    assert repr(Pooling("last", 8, bidirectional=True)) == "Pooling('last', 8, bidirectional=True)"


def test_attention_says_where_it_looked():
    pooling = AttentionPooling(4, 7).double()
    x = data(3)
    pooled, weights = pooling(x, lengths=[6, 2, 0])
    torch.testing.assert_close(pooled, torch.einsum("bt,btf->bf", weights, x))
    torch.testing.assert_close(weights.sum(1), torch.tensor([1, 1, 0], dtype=torch.float64))
    assert pooling.hidden.out_features == 7


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Pooling("lats", 4), "did you mean 'last'"),
        (lambda: Pooling("last", 0), "input_size=0"),
        (lambda: Pooling("last", 3, bidirectional=True), "an even number"),
        (lambda: made("max")(data(2)[..., :3]), "with 4 features"),
        (lambda: made("attention")(data(2)[..., :3]), "with 4 features"),
        (lambda: made("mean")(data(2), lengths=[7, 1]), "between 0 and the 6"),
        (lambda: AttentionPooling(4, -1), "hidden_size=-1"),
        (lambda: made("attention")(data(2).float()), "x of type torch.float32"),
    ],
    ids=range(8),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
