"""To and from torch's layers and cells: values, weights, and what torch has not."""

import pytest
import torch

from gatewise import InputError, nn
from gatewise.compiler import Gate, State, cell, tanh
from gatewise.interop import from_torch, to_torch
from gatewise.nn import Recurrent

X = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
PROJECTION = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
THEIRS = {
    "lstm": lambda **options: torch.nn.LSTM(5, 4, **options),
    "gru": lambda **options: torch.nn.GRU(5, 4, **options),
    "elman": lambda **options: torch.nn.RNN(5, 4, **options),
    "elman_relu": lambda **options: torch.nn.RNN(5, 4, nonlinearity="relu", **options),
}


@cell
def leaky(a: Gate, h: State):
    return 0.5 * h + 0.5 * tanh(a)


def parts(state):
    return tuple(state) if isinstance(state, tuple) else (state,)


def gradients(layer, y, x):
    return torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("bidirectional", [True, False], ids=["both", "forward"])
def test_a_layer_goes_there_and_back(name, bias, bidirectional):
    theirs = THEIRS[name](num_layers=2, bias=bias, bidirectional=bidirectional).double()
    layer = from_torch(theirs)
    assert layer.cell.name == name
    x = X.clone().requires_grad_()
    y, state = layer(x)
    want, last = theirs(x.transpose(0, 1))
    torch.testing.assert_close(y, want.transpose(0, 1))
    torch.testing.assert_close(tuple(state), parts(last))
    torch.testing.assert_close(gradients(layer, y, x), gradients(theirs, want.transpose(0, 1), x))
    back = to_torch(layer)
    assert back.batch_first
    assert type(back) is type(theirs)
    torch.testing.assert_close(back.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(back(X)[0], y)


@PROJECTION
def test_a_projection_and_dropout_stay():
    theirs = torch.nn.LSTM(5, 4, 2, dropout=0.25, bidirectional=True, proj_size=2).double().eval()
    layer = from_torch(theirs)
    assert (layer.proj_size, layer.dropout, layer.training) == (2, 0.25, False)
    torch.testing.assert_close(layer(X)[0], theirs(X.transpose(0, 1))[0].transpose(0, 1))
    back = to_torch(layer)
    assert (back.proj_size, back.dropout, back.training) == (2, 0.25, False)
    torch.testing.assert_close(back.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize(
    ("theirs", "options"),
    [
        (torch.nn.LSTMCell, {}),
        (torch.nn.GRUCell, {}),
        (torch.nn.RNNCell, {}),
        (torch.nn.RNNCell, {"nonlinearity": "relu"}),
    ],
    ids=["lstm", "gru", "elman", "elman_relu"],
)
def test_a_cell_is_a_layer_that_is_stepped(theirs, options, bias):
    one = theirs(5, 4, bias=bias, dtype=torch.float64, **options)
    layer = from_torch(one)
    _, state = layer.step(X[:, 0])
    y, state = layer.step(X[:, 1], state)
    want = one(X[:, 1], one(X[:, 0]))
    torch.testing.assert_close(tuple(s[0] for s in state), parts(want))
    torch.testing.assert_close(y, parts(want)[0])


@pytest.mark.parametrize("ours", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("batch_first", [True, False])
def test_drop_ins_too(ours, batch_first):
    drop_in = ours(5, 4, 2, batch_first=batch_first, dtype=torch.float64)
    x = X if batch_first else X.transpose(0, 1)
    back = to_torch(drop_in)
    assert type(back) is getattr(torch.nn, ours.__name__)
    torch.testing.assert_close(back(x)[0], drop_in(x)[0])
    torch.testing.assert_close(
        from_torch(drop_in)(X)[0], back(x)[0].transpose(0, 0 if batch_first else 1)
    )


def test_a_cell_is_known_by_its_equations():
    from dataclasses import replace

    from gatewise import cells

    mine = replace(cells.lstm, name="mine")
    assert type(to_torch(Recurrent(mine, 5, 4))) is torch.nn.LSTM


def test_weights_are_copied_and_no_seed_is_used_up():
    theirs = torch.nn.LSTM(5, 4)
    torch.manual_seed(0)
    layer = from_torch(theirs)
    drawn = torch.randn(3)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.randn(3))
    with torch.no_grad():
        theirs.weight_ih_l0.zero_()
    assert layer.weight_ih_l0.any()
    assert layer.weight_ih_l0.requires_grad


def test_parametrized_weights_are_read_as_they_are():
    theirs = torch.nn.GRU(5, 4, dtype=torch.float64)
    torch.nn.utils.parametrizations.weight_norm(theirs, "weight_hh_l0")
    torch.testing.assert_close(
        from_torch(theirs)(X)[0], theirs(X.transpose(0, 1))[0].transpose(0, 1)
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_torch(torch.nn.Linear(3, 4)), "module of type Linear"),
        (lambda: to_torch(torch.nn.Linear(3, 4)), "layer of type Linear"),
        (lambda: to_torch(Recurrent(leaky, 5, 4)), "no layer of the cell leaky"),
        (lambda: to_torch(Recurrent("peephole_lstm", 5, 4)), "no layer of the cell peephole_lstm"),
        (lambda: to_torch(Recurrent("lstm", 5, 4, zoneout=0.1)), "no zoneout"),
        (lambda: to_torch(Recurrent("lstm", 5, 4, zoneout={"h": 0.1})), "no zoneout"),
        (lambda: to_torch(Recurrent("lstm", 5, 4, recurrent_dropout=0.1)), "no recurrent_dropout"),
        (lambda: to_torch(Recurrent("lstm", 5, 4, weight_dropout=0.1)), "no weight_dropout"),
        (lambda: to_torch(Recurrent("lstm", 5, 4, learn_state=True)), "no learned initial state"),
        (
            lambda: to_torch(Recurrent("lstm", 5, 4, bidirectional=True, merge="sum")),
            "no merge='sum'",
        ),
        (lambda: to_torch(Recurrent("elman", 5, 4, proj_size=2)), "RNN has no proj_size"),
    ],
    ids=range(11),
)
def test_what_torch_has_not_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_what_only_names_itself_does_not_matter():
    forward = Recurrent("lstm", 5, 4, merge="sum", dropout=0.5)
    assert to_torch(forward).dropout == 0
    assert type(to_torch(Recurrent("gru", 5, 4, zoneout={}))) is torch.nn.GRU
