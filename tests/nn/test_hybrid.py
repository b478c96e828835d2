"""Recurrence, windowed attention and a gated network in one block: equations, streams, lengths."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gatewise import InputError
from gatewise.nn import HybridBlock


def made(cell="lstm", **options):
    torch.manual_seed(0)
    block = HybridBlock(cell, 4, **{"window": 3, "num_heads": 2, **options}).double()
    for weight in block.parameters():
        nn.init.normal_(weight, std=0.5)
    return block


def data(batch=3, time=7):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, time, 4, generator=generator, dtype=torch.float64)


def test_it_is_its_equations():
    block, x = made(hidden_size=6, feedforward_size=5), data()
    w = dict(block.named_parameters())

    def norm(k, x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * w[f"norms.{k}.weight"]

    theirs = nn.LSTM(4, 6, batch_first=True).double()
    theirs.load_state_dict(block.recurrent.state_dict())
    want = x + theirs(norm(0, x))[0] @ w["mix.weight"].T
    query, keys, values = (norm(1, want) @ w["attention.project.weight"].T).split(4, -1)
    place = torch.arange(7)
    near = (place[:, None] - place).abs() < 3
    mask = near & (place <= place[:, None])
    heads = []
    for q, k, v in zip(query.split(2, -1), keys.split(2, -1), values.split(2, -1), strict=True):
        scores = (q @ k.transpose(1, 2) / 2**0.5).masked_fill(~mask, -torch.inf)
        heads.append(scores.softmax(-1) @ v)
    want = want + torch.cat(heads, -1) @ w["attention.output.weight"].T
    gate, up = (norm(2, want) @ w["gate.weight"].T).split(5, -1)
    want = want + (gate * torch.sigmoid(gate) * up) @ w["shrink.weight"].T
    torch.testing.assert_close(block(x)[0], want)


@pytest.mark.parametrize("cell", ["lstm", "slstm", "gru"])
def test_steps_are_the_sequence(cell):
    block, x = made(cell), data()
    y, last = block(x)
    state, outputs = None, []
    for now in x.unbind(1):
        out, state = block.step(now, state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, 1), y)
    torch.testing.assert_close(state, last)
    first, state = block(x[:, :2])
    second, end = block(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), y)
    torch.testing.assert_close(end, last)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=3), window=st.integers(1, 9))
def test_lengths_are_each_sequence_alone(lengths, window):
    block = made(window=window)
    x = data(len(lengths))
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = block(x, lengths=lengths)
    y.square().sum().backward()
    for k, length in enumerate(lengths):
        alone, last = block(data(len(lengths))[k : k + 1, :length])
        torch.testing.assert_close(y[k, :length], alone[0])
        assert not y[k, length:].any()
        assert not x.grad[k, length:].any()
        torch.testing.assert_close(state.recurrent.c[:, k], last.recurrent.c[:, 0])
        for part, own in zip(state.window, last.window, strict=True):
            torch.testing.assert_close(part[k], own[0])
    assert all(torch.isfinite(p.grad).all() for p in block.parameters())


def test_gradients():
    block, x = made("gru"), data(2, 5)
    names = [name for name, _ in block.named_parameters()]

    def run(x, *weights):
        own = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(block, own, (x,), {"lengths": [5, 2]})[0]

    inputs = [part.detach().requires_grad_() for part in (x, *block.parameters())]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_dropout_only_in_training():
    block, x = made(dropout=0.5), data()
    whole = block.eval()(x)[0]
    torch.testing.assert_close(whole, made()(x)[0])
    assert not torch.equal(block.train()(x)[0], whole)


def test_copies_sizes_and_an_empty_batch():
    block, x = made(), data()
    torch.testing.assert_close(copy.deepcopy(block)(x), block(x))
    state = block(x)[1]
    torch.testing.assert_close(pickle.loads(pickle.dumps(state)), state)
    assert block(x[:0])[0].shape == (0, 7, 4)
    assert block.shrink.in_features == 10
    assert block.float()(x.float())[0].dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: HybridBlock("lsmt", 4, window=2), "did you mean 'lstm'"),
        (lambda: HybridBlock("lstm", 4, window=0), "window=0"),
        (lambda: HybridBlock("lstm", 4, window=2, num_heads=3), "num_heads=3"),
        (lambda: HybridBlock("lstm", 4, window=2, hidden_size=0), "hidden_size=0"),
        (lambda: HybridBlock("lstm", 4, window=2, feedforward_size=0), "feedforward_size=0"),
        (lambda: made()(data()[..., :3]), "with 4 features"),
        (lambda: made().step(data()), "give .batch, input."),
        (lambda: made()(data(), lengths=[8, 0, 1]), "between 0 and the 7"),
        (lambda: made()(data(2), made()(data())[1]), "state of shape"),
    ],
    ids=range(9),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
