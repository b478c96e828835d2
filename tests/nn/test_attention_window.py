"""Windowed attention against attention with a band mask; blocks, streams, lengths."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import WindowedAttention

SHAPES = settings(max_examples=25, deadline=None)


def made(window, num_heads=2):
    torch.manual_seed(0)
    return WindowedAttention(4, window=window, num_heads=num_heads).double()


def data(batch, time):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, time, 4, generator=generator, dtype=torch.float64)


def written_out(attention, x):
    """One sequence, [time, features], query by query and head by head."""
    w_q, w_k, w_v = np.split(attention.project.weight.detach().numpy(), 3)
    size = 4 // attention.num_heads
    out = []
    for t in range(len(x)):
        seen = x[max(0, t - attention.window + 1) : t + 1]
        parts = []
        for head in range(attention.num_heads):
            rows = slice(head * size, (head + 1) * size)
            scores = (seen @ w_k[rows].T) @ (w_q[rows] @ x[t]) / np.sqrt(size)
            weights = np.exp(scores) / np.exp(scores).sum()
            parts.append(weights @ (seen @ w_v[rows].T))
        out.append(attention.output.weight.detach().numpy() @ np.concatenate(parts))
    return np.array(out).reshape(-1, 4)


@SHAPES
@given(window=st.integers(1, 6), time=st.integers(0, 14), num_heads=st.sampled_from([1, 2, 4]))
def test_it_is_attention_to_the_last_steps(window, time, num_heads):
    attention, x = made(window, num_heads), data(2, time)
    y, _ = attention(x)
    for k in range(2):
        np.testing.assert_allclose(y[k].detach(), written_out(attention, x[k].numpy()), rtol=1e-9)


@SHAPES
@given(window=st.integers(1, 6), time=st.integers(1, 14))
def test_steps_are_the_sequence(window, time):
    attention, x = made(window), data(3, time)
    y, last = attention(x)
    state = None
    for t in range(time):
        out, state = attention.step(x[:, t], state)
        torch.testing.assert_close(out, y[:, t])
        assert state.keys.shape == (3, 2, window, 2)
    torch.testing.assert_close(state, last)


@SHAPES
@given(window=st.integers(1, 6), time=st.integers(0, 14), cut=st.integers(0, 14))
def test_parts_with_the_state_kept_are_the_whole(window, time, cut):
    attention, x = made(window), data(3, time)
    y, last = attention(x)
    first, state = attention(x[:, :cut])
    second, end = attention(x[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), y)
    torch.testing.assert_close(end, last)


@SHAPES
@given(
    window=st.integers(1, 4),
    before=st.lists(st.integers(0, 4), min_size=3, max_size=3),
    after=st.lists(st.integers(0, 6), min_size=3, max_size=3),
)
def test_lengths_are_each_sequence_alone(window, before, after):
    attention = made(window)
    parts = data(3, 10).split([4, 6], 1)
    padded = [part.clone() for part in parts]
    for part, lengths in zip(padded, (before, after), strict=True):
        for k, length in enumerate(lengths):
            part[k, length:] = float("nan")
    _, state = attention(padded[0], lengths=before)
    y, last = attention(padded[1], state, lengths=after)
    for k in range(3):
        _, alone = attention(parts[0][k : k + 1, : before[k]])
        want, end = attention(parts[1][k : k + 1, : after[k]], alone)
        torch.testing.assert_close(y[k, : after[k]], want[0])
        assert not y[k, after[k] :].any()
        torch.testing.assert_close(tuple(part[k] for part in last), tuple(p[0] for p in end))


@pytest.mark.parametrize("window", [1, 3, 9])
def test_gradients(window):
    attention, x = made(window), data(2, 8)
    x[1, 5:] = float("nan")
    names = [name for name, _ in attention.named_parameters()]
    _, state = attention(data(2, 2))
    real = torch.arange(8) < torch.tensor([[8], [5]])

    def run(given, keys, values, *weights):
        own = dict(zip(names, weights, strict=True))
        x = torch.full((2, 8, 4), torch.nan, dtype=torch.float64)
        x = x.masked_scatter(real.unsqueeze(-1), given)
        before = state._replace(keys=keys, values=values)
        y, end = torch.func.functional_call(attention, own, (x, before), {"lengths": [8, 5]})
        return y, end.keys, end.values

    inputs = (x[real], state.keys, state.values, *attention.parameters())
    inputs = [part.detach().requires_grad_() for part in inputs]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_nothing_past_the_end_reaches_a_gradient():
    attention, x = made(3), data(2, 8)
    x[1, 5:] = float("nan")
    x.requires_grad_()
    y, _ = attention(x, lengths=[8, 5])
    y.square().sum().backward()
    assert not x.grad[1, 5:].any()
    for parameter in attention.parameters():
        assert torch.isfinite(parameter.grad).all()


def test_second_derivatives_by_plain_products():
    attention, x = made(2), data(1, 4).requires_grad_()
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert torch.autograd.gradgradcheck(lambda x: attention(x)[0], x, fast_mode=True)


def test_copies_and_text():
    attention = made(3)
    assert "4, window=3, num_heads=2" in repr(attention)
    _, state = attention(data(2, 5))
    again = pickle.loads(pickle.dumps(state))
    torch.testing.assert_close(again, state)
    torch.testing.assert_close(copy.deepcopy(attention)(data(2, 5))[1], state)
    assert attention(data(0, 5))[0].shape == (0, 5, 4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: WindowedAttention(4, window=0), "window=0"),
        (lambda: WindowedAttention(4, window=2, num_heads=3), "num_heads=3"),
        (lambda: made(2)(data(1, 3)[..., :3]), "with 4 features"),
        (lambda: made(2).step(data(1, 3)), "give .batch, input."),
        (lambda: made(2).step(data(2, 3)[:, 0], made(2)(data(1, 3))[1]), "batch of 2"),
        (lambda: made(2)(data(2, 3), lengths=[4, 0]), "between 0 and the 3"),
        (lambda: made(2)(data(2, 3).float()), "x of type torch.float32"),
    ],
    ids=range(7),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
