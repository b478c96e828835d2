"""`Recurrent`: layers, directions, merging, states, steps, initial weights, wrong input."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatewise import InputError, cells
from gatewise.cells import every_cell
from gatewise.compiler import FromState, Gate, State, cell, sigmoid, tanh
from gatewise.nn import MinGRU, Recurrent

from .sequences import check_steps

X = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
PACKED = pack_padded_sequence(X, [6, 4, 1], batch_first=True)
TORCHS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}


@cell
def leaky(f: Gate, g: Gate, h: State):
    """Ten lines that a user wrote."""
    f = sigmoid(f)
    return f * h + (1 - f) * tanh(g)


@cell
def blind(v: FromState, h: State):
    return tanh(v)


@pytest.mark.parametrize("name", TORCHS)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize("bidirectional", [True, False], ids=["both", "forward"])
def test_weights_load_into_torchs_layer(name, bias, bidirectional):
    layer = Recurrent(name, 5, 4, num_layers=2, bias=bias, bidirectional=bidirectional)
    theirs = TORCHS[name](5, 4, 2, bias=bias, bidirectional=bidirectional, batch_first=True)
    assert [(k, v.shape) for k, v in layer.state_dict().items()] == [
        (k, v.shape) for k, v in theirs.state_dict().items()
    ]
    theirs.load_state_dict(layer.state_dict())
    y, state = layer(X)
    want, last = theirs(X)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(tuple(state), last if name == "lstm" else (last,))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
def test_a_projected_lstm_is_torchs():
    layer = Recurrent("lstm", 5, 4, num_layers=2, bidirectional=True, proj_size=2)
    theirs = torch.nn.LSTM(5, 4, 2, bidirectional=True, proj_size=2, batch_first=True)
    theirs.load_state_dict(layer.state_dict())
    assert layer.output_size == 4
    torch.testing.assert_close(layer(X)[0], theirs(X)[0])


def test_peepholes_have_names_like_torchs():
    names = Recurrent("peephole_lstm", 5, 4, num_layers=2, bidirectional=True).state_dict()
    assert {"p_i_l0", "p_f_l1", "p_o_l1_reverse"} < set(names)


@pytest.mark.parametrize("name", every_cell())
@settings(max_examples=6, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    num_layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    learn_state=st.booleans(),
)
def test_lengths_are_each_sequence_alone(name, lengths, num_layers, bidirectional, learn_state):
    torch.manual_seed(0)
    layer = Recurrent(
        name, 5, 4, num_layers=num_layers, bidirectional=bidirectional, learn_state=learn_state
    )
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    x = X[: len(lengths)].clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("inf")
    y, state = layer(x, lengths=lengths)
    for k, length in enumerate(lengths):
        alone, last = layer(X[k, :length])
        torch.testing.assert_close(y[k, :length], alone)
        assert not y[k, length:].any()
        torch.testing.assert_close(tuple(s[:, k] for s in state), tuple(last))


@pytest.mark.parametrize("own", [*every_cell().values(), leaky], ids=lambda cell: cell.name)
def test_steps_are_the_sequence(own):
    layer = Recurrent(own, 5, 4, num_layers=2, learn_state=True)
    assert check_steps(layer, X).h.shape == (2, 4)


def test_halves_with_the_state_kept_are_the_whole():
    layer = Recurrent("lstm", 5, 4, num_layers=2)
    y, last = layer(X)
    first, state = layer(X[:, :2])
    second, end = layer(X[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), y)
    torch.testing.assert_close(end, last)
    by_name, _ = layer(X[:, 2:], {"c": state.c, "h": state.h})
    torch.testing.assert_close(by_name, second)
    one, _ = Recurrent("gru", 5, 4)(X, torch.zeros(1, 3, 4))
    assert one.shape == (3, 6, 4)


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "mean", None])
def test_merging_directions(merge):
    torch.manual_seed(0)
    layer = Recurrent("gru", 5, 4, bidirectional=True, merge=merge)
    torch.manual_seed(0)
    forward, backward = Recurrent("gru", 5, 4, bidirectional=True)(X)[0].chunk(2, -1)
    want = {
        "concat": torch.cat([forward, backward], -1),
        "sum": forward + backward,
        "mul": forward * backward,
        "mean": (forward + backward) / 2,
        None: (forward, backward),
    }[merge]
    got, _ = layer(X)
    torch.testing.assert_close(got, want)
    deep, _ = Recurrent("gru", 5, 4, num_layers=3, bidirectional=True, merge=merge)(X)
    assert (deep if merge else deep[0]).shape[-1] == layer.output_size


def test_the_backward_direction_is_the_forward_one_turned_around():
    layer = Recurrent("lstm", 5, 4, bidirectional=True)
    one = Recurrent("lstm", 5, 4)
    named = layer.named_parameters()
    one.load_state_dict({k.removesuffix("_reverse"): v for k, v in named if k.endswith("_reverse")})
    y, state = layer(X)
    turned, last = one(X.flip(1))
    torch.testing.assert_close(y[..., 4:], turned.flip(1))
    torch.testing.assert_close(state.c[1:], last.c)


@pytest.mark.parametrize("sorted_", [True, False], ids=["sorted", "unsorted"])
@pytest.mark.parametrize("merge", ["concat", None])
def test_packed_sequences_are_those_with_lengths(sorted_, merge):
    lengths = [6, 4, 1] if sorted_ else [4, 1, 6]
    packed = pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=sorted_)
    layer = Recurrent("peephole_lstm", 5, 4, num_layers=2, bidirectional=True, merge=merge)
    start = {name: torch.randn(4, 3, 4) for name in "ch"}
    y, state = layer(packed, start)
    want, last = layer(X, start, lengths=lengths)
    torch.testing.assert_close(state, last)
    pairs = zip(y, want, strict=True) if merge is None else [(y, want)]
    for got, padded in pairs:
        assert got.batch_sizes is packed.batch_sizes
        back, counts = pad_packed_sequence(got, batch_first=True)
        assert counts.tolist() == lengths
        torch.testing.assert_close(back, padded)


def test_packed_sequences_are_torchs():
    packed = pack_padded_sequence(X, [4, 1, 6], batch_first=True, enforce_sorted=False)
    layer, theirs = Recurrent("gru", 5, 4), torch.nn.GRU(5, 4, batch_first=True)
    theirs.load_state_dict(layer.state_dict())
    (y, state), (want, last) = layer(packed), theirs(packed)
    torch.testing.assert_close(tuple(y), tuple(want))
    torch.testing.assert_close(state.h, last)


def test_dropout_lies_between_layers_and_only_in_training():
    layer = Recurrent("lstm", 5, 64, num_layers=2, dropout=0.5)
    whole = layer.eval()(X)[0]
    torch.testing.assert_close(layer(X)[0], whole)
    layer.train()
    assert not torch.equal(layer(X)[0], whole)
    single = Recurrent("lstm", 5, 64, dropout=0.5)
    torch.testing.assert_close(single(X)[0], single.eval()(X)[0])


def test_a_learned_state_is_where_sequences_start():
    layer = Recurrent("lstm", 5, 4, num_layers=2, learn_state=True)
    assert layer.initial_h.shape == (2, 4)
    assert not layer.initial_c.any()
    with torch.no_grad():
        layer.initial_c.normal_()
    y, state = layer(X, lengths=[6, 0, 3])
    torch.testing.assert_close(state.c[:, 1], layer.initial_c)
    y.sum().backward()
    assert layer.initial_c.grad.abs().sum() > 0


def test_initial_weights():
    layer = Recurrent("lstm", 5, 8, num_layers=2)
    total = (layer.bias_ih_l1 + layer.bias_hh_l1).chunk(4)
    assert [float(block.detach().unique()) for block in total] == [0, 1, 0, 0]
    for block in layer.weight_hh_l0.detach().chunk(4):
        torch.testing.assert_close(block @ block.T, torch.eye(8))
    bound = (6 / (5 + 8)) ** 0.5
    for block in layer.weight_ih_l0.detach().chunk(4):
        assert block.abs().max() <= bound
        assert block.abs().max() > bound / 2
    assert not Recurrent("peephole_lstm", 5, 8).p_i_l0.any()
    assert Recurrent("gru", 5, 8, dtype=torch.bfloat16).weight_hh_l0.dtype == torch.bfloat16


def test_copies_and_text():
    layer = Recurrent(leaky, 5, 4, num_layers=2, bidirectional=True, merge="sum")
    assert repr(layer) == ("Recurrent(leaky, 5, 4, num_layers=2, bidirectional=True, merge='sum')")
    y, state = layer(X)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        torch.testing.assert_close(other(X)[0], y)
    again = pickle.loads(pickle.dumps(state))
    assert torch.equal(again.h, state.h)
    assert type(again) is type(state)


def test_states_travel_through_pytrees():
    _, state = Recurrent("lstm", 5, 4)(X)
    doubled = torch.utils._pytree.tree_map(lambda s: 2 * s, state)
    assert torch.equal(doubled.c, 2 * state.c)


def test_lengths_may_be_of_any_whole_type():
    layer = Recurrent("gru", 5, 4)
    want, _ = layer(X, lengths=[6, 0, 3])
    for dtype in (torch.int32, torch.uint8):
        torch.testing.assert_close(layer(X, lengths=torch.tensor([6, 0, 3], dtype=dtype))[0], want)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Recurrent("lsmt", 5, 4), "did you mean 'lstm'"),
        (lambda: Recurrent(torch.nn.LSTM, 5, 4), "neither a cell nor the name"),
        (lambda: Recurrent("lstm", 0, 4), "input_size=0"),
        (lambda: Recurrent(blind, 5, 4), "looks at no input"),
        (lambda: Recurrent("lstm", 5, 4.0), "hidden_size=4.0"),
        (lambda: Recurrent("lstm", 5, 4, num_layers=True), "num_layers=True"),
        (lambda: Recurrent("lstm", 5, 4, dropout=1.0), "dropout=1.0"),
        (lambda: Recurrent("lstm", 5, 4, merge="concta"), "did you mean 'concat'"),
        (lambda: Recurrent("lstm", 5, 4, proj_size=-1), "proj_size=-1"),
        (lambda: Recurrent("lstm", 5, 4, proj_size=4), "proj_size=4"),
        (lambda: Recurrent("gru", 5, 4, proj_size=2), "unit by unit"),
        (lambda: Recurrent("gru_reset_before", 5, 4, proj_size=2), "unit by unit"),
        (lambda: Recurrent("lstm", 5, 4)(X[..., :4]), "with 5 features"),
        (lambda: Recurrent("lstm", 5, 4)(X.double()), r"x\.to\("),
        (lambda: Recurrent("lstm", 5, 4)(X, torch.zeros(1, 3, 4)), "give h, c of shapes"),
        (lambda: Recurrent("lstm", 5, 4)(X, {"h": torch.zeros(1, 3, 4)}), "give h, c"),
        (lambda: Recurrent("lstm", 5, 4)(X, lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: Recurrent("lstm", 5, 4)(X, lengths=[-1, 0, 1]), "between 0 and the 6"),
        (lambda: Recurrent("lstm", 5, 4)(X, lengths=[1, 2]), "each of the 3 sequences"),
        (lambda: Recurrent("lstm", 5, 4)(X, lengths=torch.ones(3)), "whole number"),
        (lambda: Recurrent("lstm", 5, 4, bidirectional=True).step(X[:, 0]), "the future"),
        (lambda: Recurrent("lstm", 5, 4)(PACKED, lengths=[6, 4, 1]), "one of the two"),
        (lambda: Recurrent("lstm", 5, 4)(PACKED, given={"dt": X[..., 0]}), "beside a packed x"),
        (lambda: MinGRU(5, 4)(PACKED), "x is packed: give x and lengths"),
    ],
    ids=range(24),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_a_cell_is_its_value_not_its_name():
    assert Recurrent(cells.lstm, 5, 4).cell == Recurrent("lstm", 5, 4).cell
