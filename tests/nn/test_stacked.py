"""Connections between layers against torch's layers wired by hand."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatewise import InputError
from gatewise.nn import Recurrent, Stacked

CONNECTIONS = ["plain", "residual", "highway", "skip", "dense"]
EACH = pytest.mark.parametrize("connection", CONNECTIONS)
X = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def made(connection, cell="lstm", input_size=4, **options):
    torch.manual_seed(0)
    options = {"num_layers": 3, **options}
    deep = Stacked(cell, input_size, 4, connection=connection, **options).double()
    for weight in deep.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return deep


def wired_by_hand(deep, x):
    """The paper's wiring, of torch's LSTM."""
    reads, h, outputs = x, x, []
    for k, layer in enumerate(deep.layers):
        theirs = torch.nn.LSTM(
            layer.input_size, 4, batch_first=True, bidirectional=deep.bidirectional
        ).double()
        theirs.load_state_dict(layer.state_dict())
        if k and deep.norms:
            norm = deep.norms[k - 1]
            mean, var = reads.mean(-1, keepdim=True), reads.var(-1, correction=0, keepdim=True)
            reads = (reads - mean) / torch.sqrt(var + norm.eps) * norm.weight + norm.bias
        y, _ = theirs(reads)
        if deep.connection == "residual" and h.shape == y.shape:
            h = y + h
        elif deep.connection == "highway" and h.shape == y.shape:
            gate = deep.gates[k if len(deep.gates) == 3 else k - 1]
            t = torch.sigmoid(h @ gate.weight.T + gate.bias)
            h = t * y + (1 - t) * h
        else:
            h = y
        outputs.append(h)
        reads = {
            "skip": torch.cat([h, x], -1),
            "dense": torch.cat([x, *outputs], -1),
        }.get(deep.connection, h)
    if deep.connection == "skip":
        return torch.cat(outputs, -1)
    return reads


@EACH
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("layer_norm", [False, True], ids=["plain", "norm"])
@pytest.mark.parametrize("input_size", [3, 4])
def test_it_is_the_wiring(connection, bidirectional, layer_norm, input_size):
    deep = made(
        connection, input_size=input_size, bidirectional=bidirectional, layer_norm=layer_norm
    )
    x = X[..., :input_size].clone().requires_grad_()
    got, want = deep(x)[0], wired_by_hand(deep, x)
    assert got.shape[-1] == deep.output_size
    torch.testing.assert_close(got, want)
    grads = [torch.autograd.grad(y.square().sum(), x)[0] for y in (got, want)]
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("cell", ["lstm", "gru", "slstm"])
def test_plain_is_the_recurrent_layer(cell):
    deep = made("plain", cell, input_size=4, bidirectional=True)
    one = Recurrent(cell, 4, 4, num_layers=3, bidirectional=True).double()
    one.load_state_dict(
        {
            name.replace("_l0", f"_l{k}"): weight
            for k, layer in enumerate(deep.layers)
            for name, weight in layer.state_dict().items()
        }
    )
    torch.testing.assert_close(deep(X, lengths=[6, 2, 0]), one(X, lengths=[6, 2, 0]))
    state = tuple(torch.randn_like(part) for part in one(X)[1])
    if cell != "slstm":
        torch.testing.assert_close(deep(X, state), one(X, state))


@EACH
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    bidirectional=st.booleans(),
    layer_norm=st.booleans(),
)
def test_lengths_are_each_sequence_alone(connection, lengths, bidirectional, layer_norm):
    deep = made(connection, bidirectional=bidirectional, layer_norm=layer_norm)
    x = X[: len(lengths)].clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = deep(x, lengths=lengths)
    y.square().sum().backward()
    for k, length in enumerate(lengths):
        alone, last = deep(X[k, :length])
        torch.testing.assert_close(y[k, :length], alone)
        assert not y[k, length:].any()
        assert not x.grad[k, length:].any()
        torch.testing.assert_close(tuple(s[:, k] for s in state), tuple(last))
    assert all(torch.isfinite(p.grad).all() for p in deep.parameters() if p.grad is not None)


@EACH
def test_steps_are_the_sequence(connection):
    deep = made(connection, layer_norm=True, learn_state=True)
    y, last = deep(X)
    state, outputs = None, []
    for x in X.unbind(1):
        out, state = deep.step(x, state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, 1), y)
    torch.testing.assert_close(state, last)
    assert last.c.shape == (3, 3, 4)
    first, state = deep(X[:, :2])
    second, end = deep(X[:, 2:], {"c": state.c, "h": state.h})
    torch.testing.assert_close(torch.cat([first, second], 1), y)
    torch.testing.assert_close(end, last)
    torch.testing.assert_close(deep.step(X[0, 0])[0], y[0, 0])


@EACH
def test_gradients(connection):
    deep = made(connection, cell="gru", num_layers=2, layer_norm=True)
    names = [name for name, _ in deep.named_parameters()]
    real = torch.arange(3) < torch.tensor([[3], [1]])

    def run(given, h, *weights):
        own = dict(zip(names, weights, strict=True))
        x = torch.zeros(2, 3, 4, dtype=torch.float64).masked_scatter(real.unsqueeze(-1), given)
        y, state = torch.func.functional_call(deep, own, (x, h), {"lengths": [3, 1]})
        return y, state.h

    h = torch.randn(2, 2, 4, dtype=torch.float64)
    inputs = (X[:2, :3][real], h, *deep.parameters())
    inputs = [part.detach().requires_grad_() for part in inputs]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_highways_carry_in_the_beginning():
    deep = Stacked("lstm", 4, 4, num_layers=3, connection="highway")
    assert [gate.bias.unique().tolist() for gate in deep.gates] == [[-1.0]] * 3
    assert len(Stacked("lstm", 5, 4, num_layers=3, connection="highway").gates) == 2


def test_initial_weights_by_a_scheme():
    deep = Stacked("lstm", 4, 4, num_layers=3, init={"bias.f": 2.0})
    for layer in deep.layers:
        total = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().chunk(4)
        assert [float(block.unique()) for block in total] == [0, 2, 0, 0]


@EACH
def test_dropout_lies_between_layers_and_only_in_training(connection):
    deep = made(connection, dropout=0.5)
    whole = deep.eval()(X)[0]
    torch.testing.assert_close(whole, made(connection)(X)[0])
    assert not torch.equal(deep.train()(X)[0], whole)
    one = made(connection, num_layers=1, dropout=0.5)
    torch.testing.assert_close(one(X)[0], one.eval()(X)[0])


def test_options_reach_every_layer():
    options = {"zoneout": 0.2, "weight_dropout": 0.3, "layer_norm": "ba", "cell_clip": 1.0,
               "connectivity": "heads:2"}  # fmt: skip
    deep = made("residual", options=options)
    for layer in deep.layers:
        assert {name: getattr(layer, name) for name in ("zoneout", "layer_norm")} == {
            "zoneout": 0.2, "layer_norm": "ba"
        }  # fmt: skip
        assert "weight_hh_heads_l0" in dict(layer.named_parameters())
    torch.manual_seed(0)
    noisy = deep(X)[0]
    deep.eval()
    want, last = deep(X)
    assert not torch.allclose(noisy, want)
    state, outputs = None, []
    for x in X.unbind(1):
        out, state = deep.step(x, state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, 1), want)
    torch.testing.assert_close(state, last)


@EACH
def test_a_projection_is_what_layers_pass_on(connection):
    deep = made(connection, options={"proj_size": 2}, input_size=2)
    y, last = deep(X[..., :2])
    assert y.shape[-1] == deep.output_size
    assert last.h.shape[-1] == 2


def test_times_are_given_to_every_layer():
    deep = made("residual", cell="time_aware_lstm")
    gaps = torch.rand(3, 6, dtype=torch.float64)
    y, last = deep(X, given={"dt": gaps}, lengths=[6, 2, 4])
    x = X
    for k, layer in enumerate(deep.layers):
        out, end = layer(x, given={"dt": gaps}, lengths=[6, 2, 4])
        x = out + x * (torch.arange(6)[:, None] < torch.tensor([6, 2, 4])[:, None, None])
        torch.testing.assert_close(last.c[k], end.c[0])
    torch.testing.assert_close(y, x)
    state = None
    for t in range(6):
        one, state = deep.step(X[:, t], state, given={"dt": gaps[:, t]})
    torch.testing.assert_close(one, deep(X, given={"dt": gaps})[0][:, -1])


def test_packed_sequences_are_those_with_lengths():
    deep = made("skip", bidirectional=True)
    packed = pack_padded_sequence(X, [4, 1, 6], batch_first=True, enforce_sorted=False)
    y, state = deep(packed)
    want, last = deep(X, lengths=[4, 1, 6])
    torch.testing.assert_close(pad_packed_sequence(y, batch_first=True)[0], want)
    torch.testing.assert_close(state, last)


def test_copies_and_an_empty_batch():
    deep = made("dense")
    torch.testing.assert_close(copy.deepcopy(deep)(X), deep(X))
    assert deep(X[:0])[0].shape == (0, 6, 16)
    assert deep.float()(X.float())[0].dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Stacked("lsmt", 4, 4), "did you mean 'lstm'"),
        (lambda: Stacked("lstm", 4, 4, connection="resdual"), "did you mean 'residual'"),
        (lambda: Stacked("lstm", 4, 4, num_layers=0), "num_layers=0"),
        (lambda: Stacked("lstm", 4, 4, dropout=1.0), "dropout=1.0"),
        (lambda: Stacked("lstm", 4, 0), "hidden_size=0"),
        (lambda: Stacked("lstm", 4, 4, init="ortogonal"), "did you mean 'orthogonal'"),
        (lambda: Stacked("lstm", 4, 4, options={"zonout": 0.1}), "did you mean 'zoneout'"),
        (lambda: Stacked("lstm", 4, 4, options={"zoneout": 1.1}), "zoneout"),
        (lambda: made("plain")(X[..., :3]), "with 4 features"),
        (lambda: made("plain")(X, torch.zeros(3, 3, 4)), "give h, c, by name"),
        (lambda: made("plain")(X, {"h": torch.zeros(3, 3, 4)}), "give h, c, by name"),
        (lambda: made("plain")(X, (torch.zeros(2, 3, 4),) * 2), "of 3 rows each"),
        (lambda: made("plain")(X, lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: made("plain", bidirectional=True).step(X[:, 0]), "the future"),
    ],
    ids=range(14),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
