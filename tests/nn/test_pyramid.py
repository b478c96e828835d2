"""Layers that shorten time: the listener's wiring, rounding of lengths, gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gatewise import InputError
from gatewise.nn import PyramidRecurrent


def made(num_layers=3, cell="lstm", **options):
    torch.manual_seed(0)
    listener = PyramidRecurrent(cell, 3, 4, num_layers=num_layers, **options).double()
    for weight in listener.parameters():
        nn.init.normal_(weight, std=0.5)
    return listener


def data(batch=3, time=9):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, time, 3, generator=generator, dtype=torch.float64)


def paired(y):
    """Listen, Attend and Spell, pair by pair; zero where the second of a pair is lacking."""
    y = list(y.unbind(1))
    if len(y) % 2:
        y.append(torch.zeros_like(y[0]))
    return torch.stack([torch.cat(pair, -1) for pair in zip(y[::2], y[1::2], strict=True)], 1)


@pytest.mark.parametrize("time", [1, 4, 7, 8, 9])
def test_it_is_the_listener(time):
    listener, x = made(), data(time=time)
    y, ends = x, []
    for k, layer in enumerate(listener.layers):
        y = paired(y) if k else y
        theirs = nn.LSTM(layer.input_size, 4, batch_first=True, bidirectional=True).double()
        theirs.load_state_dict(layer.state_dict())
        y, end = theirs(y)
        ends.append(end)
    got, state = listener(x)
    torch.testing.assert_close(got, y)
    torch.testing.assert_close(state.h, torch.cat([h for h, _ in ends]))
    torch.testing.assert_close(state.c, torch.cat([c for _, c in ends]))
    assert listener.output_size == 8


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    num_layers=st.integers(1, 3),
    factor=st.integers(1, 3),
    bidirectional=st.booleans(),
)
def test_lengths_are_each_sequence_alone(lengths, num_layers, factor, bidirectional):
    listener = made(num_layers, factor=factor, bidirectional=bidirectional)
    x = data(len(lengths))
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = listener(x, lengths=lengths)
    y.square().sum().backward()
    shorter = listener.output_lengths(lengths).tolist()
    assert torch.equal(listener.output_lengths(torch.tensor(lengths)), torch.tensor(shorter))
    for k, length in enumerate(lengths):
        want = length
        for _ in range(num_layers - 1):
            want = math.ceil(want / factor)
        assert shorter[k] == want
        alone, last = listener(data(len(lengths))[k : k + 1, :length])
        torch.testing.assert_close(y[k, : shorter[k]], alone[0])
        assert not y[k, shorter[k] :].any()
        assert not x.grad[k, length:].any()
        torch.testing.assert_close(tuple(s[:, k] for s in state), tuple(s[:, 0] for s in last))


def test_gradients():
    listener, x = made(cell="gru"), data(2, 5)
    names = [name for name, _ in listener.named_parameters()]

    def run(x, *weights):
        own = dict(zip(names, weights, strict=True))
        y, state = torch.func.functional_call(listener, own, (x,), {"lengths": [5, 2]})
        return y, state.h

    inputs = [part.detach().requires_grad_() for part in (x, *listener.parameters())]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_dropout_lies_between_layers_and_only_in_training():
    listener, x = made(dropout=0.5), data()
    whole = listener.eval()(x)[0]
    torch.testing.assert_close(whole, made()(x)[0])
    assert not torch.equal(listener.train()(x)[0], whole)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PyramidRecurrent("lsmt", 3, 4), "did you mean 'lstm'"),
        (lambda: PyramidRecurrent("lstm", 3, 4, num_layers=0), "num_layers=0"),
        (lambda: PyramidRecurrent("lstm", 3, 4, factor=0), "factor=0"),
        (lambda: made()(data()[..., :2]), "with 3 features"),
        (lambda: made()(data()[0]), "give .batch, time, input."),
        (lambda: made()(data(), lengths=[10, 0, 1]), "between 0 and the 9"),
    ],
    ids=range(6),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
