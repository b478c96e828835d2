"""The drop-ins beside torch's layers: packed input, lengths, saving, tracing, transforms."""

import copy
import pickle
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gatewise import InputError, engine, nn

PAIRS = pytest.mark.parametrize(
    ("ours", "torchs"), [(nn.LSTM, torch.nn.LSTM), (nn.GRU, torch.nn.GRU)], ids=["lstm", "gru"]
)


def pair(ours, torchs, *sizes, **options):
    torch.manual_seed(3)
    theirs = torchs(*sizes, **options)
    torch.manual_seed(3)
    return ours(*sizes, **options), theirs


def parts(state):
    return (state,) if isinstance(state, torch.Tensor) else tuple(state)


def equal(got, want):
    for a, b in zip(parts(got), parts(want), strict=True):
        assert torch.equal(a, b)


def alike(ours, theirs, *inputs):
    """Both give the same: to the bit where the same kernel runs, else as near as types allow."""
    want = theirs(*inputs)
    for name, same in (("native", equal), (None, torch.testing.assert_close)):
        with engine(name) if name else nullcontext():
            got = ours(*inputs)
        for a, b in zip(got, want, strict=True):
            if isinstance(a, PackedSequence):
                a, b = a.data, b.data
            same(parts(a), parts(b))


@PAIRS
def test_same_seed_gives_the_same_weights_and_outputs(ours, torchs):
    a, b = pair(ours, torchs, 5, 4, 3, True, True, 0.5, True)
    equal(a.state_dict().values(), b.state_dict().values())
    assert list(a.state_dict()) == list(b.state_dict())
    x = torch.randn(2, 6, 5)

    def seeded(layer):
        def run(x):
            torch.manual_seed(0)  # The layers drop the same activations.
            return layer(x)

        return run

    alike(seeded(a), seeded(b), x)


@PAIRS
def test_attributes_and_state_dict_go_either_way(ours, torchs):
    a, b = pair(ours, torchs, 5, 4, num_layers=2, bias=False, bidirectional=True)
    for name in ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
                 "bidirectional", "proj_size", "mode"):  # fmt: skip
        assert getattr(a, name) == getattr(b, name)
    assert len(a.all_weights) == len(b.all_weights)
    with torch.no_grad():
        for weight in b.parameters():
            weight.normal_()
    a.load_state_dict(b.state_dict())
    b.load_state_dict(a.state_dict())
    alike(a, b, torch.randn(6, 2, 5))


@PAIRS
@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    bidirectional=st.booleans(),
    batch_first=st.booleans(),
    with_state=st.booleans(),
)
def test_packed_input(ours, torchs, lengths, bidirectional, batch_first, with_state):
    a, b = pair(ours, torchs, 3, 4, 2, bidirectional=bidirectional, batch_first=batch_first)
    a, b = a.double(), b.double()
    batch, rows = len(lengths), 4 if bidirectional else 2
    x = torch.randn(batch, max(lengths), 3, dtype=torch.float64)
    x = x if batch_first else x.transpose(0, 1)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first, enforce_sorted=False)
    state = torch.randn(rows, batch, 4, dtype=torch.float64)
    hx = None if not with_state else (state, -state) if ours is nn.LSTM else state
    want, want_state = b(packed, hx)
    alike(a, b, packed, hx)
    with engine("reference"):
        got, got_state = a(packed, hx)
    torch.testing.assert_close(got.data, want.data)
    torch.testing.assert_close(parts(got_state), parts(want_state))
    padded, _ = pad_packed_sequence(want, batch_first)
    for name in ("cpu", "native", "reference"):
        with engine(name):
            got, got_state = a(x, hx, lengths=lengths)
        torch.testing.assert_close(got, padded)
        torch.testing.assert_close(parts(got_state), parts(want_state))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
@pytest.mark.parametrize("name", ["cpu", "native", "reference"])
def test_lengths_with_a_projection(name):
    layer, theirs = pair(nn.LSTM, torch.nn.LSTM, 3, 5, 2, bidirectional=True, proj_size=2)
    x, lengths = torch.randn(6, 3, 3), torch.tensor([2, 6, 1])
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    want, want_state = theirs(packed)
    with engine(name):
        got, got_state = layer(x, lengths=lengths)
    torch.testing.assert_close(got, pad_packed_sequence(want)[0])
    torch.testing.assert_close(got_state, want_state)


def test_lengths_and_packed_input_exclude_each_other():
    packed = pack_padded_sequence(torch.randn(4, 1, 3), torch.tensor([4]))
    with pytest.raises(InputError, match="one of the two"):
        nn.LSTM(3, 4)(packed, lengths=[4])


@PAIRS
def test_no_time_step_is_refused_as_in_torch(ours, torchs):
    for layer in (ours(3, 4), torchs(3, 4)):
        with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
            layer(torch.zeros(0, 2, 3))


@PAIRS
def test_wrong_states_are_refused_as_in_torch(ours, torchs):
    x, flat, wrong = torch.zeros(5, 2, 3), torch.zeros(1, 4), torch.zeros(1, 3, 4)
    for state in (flat, wrong):
        hx = (state, state) if ours is nn.LSTM else state
        with pytest.raises(RuntimeError) as theirs:
            torchs(3, 4)(x, hx)
        with pytest.raises(RuntimeError) as raised:
            ours(3, 4)(x, hx)
        assert str(raised.value) == str(theirs.value)


def test_a_gru_has_no_projection():
    with pytest.raises(ValueError, match="proj_size argument is only supported for LSTM"):
        nn.GRU(3, 4, proj_size=2)


@PAIRS
def test_pickle_deepcopy_and_other_types(ours, torchs):
    layer, theirs = pair(ours, torchs, 3, 4, 2)
    x = torch.randn(5, 2, 3)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        equal(other(x)[0], layer(x)[0])
        with torch.no_grad():
            other.weight_ih_l0.zero_()
        assert not torch.equal(other(x)[0], layer(x)[0])
    alike(layer.double(), theirs.double(), x.double())


@PAIRS
def test_replaced_weights_are_seen(ours, torchs):
    layer, theirs = pair(ours, torchs, 3, 4)
    x, weight = torch.randn(5, 2, 3), torch.nn.Parameter(torch.randn_like(layer.weight_hh_l0))
    layer.weight_hh_l0 = theirs.weight_hh_l0 = weight
    alike(layer, theirs, x)


@PAIRS
def test_compiles_without_a_graph_break(ours, torchs):
    layer, theirs = pair(ours, torchs, 3, 4, 2, bidirectional=True)
    x = torch.randn(5, 2, 3, requires_grad=True)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    got, want = compiled(x)[0], theirs(x)[0]
    torch.testing.assert_close(got, want)
    grads = [
        torch.autograd.grad(y.square().sum(), [x, *module.parameters()])
        for y, module in ((got, layer), (want, theirs))
    ]
    torch.testing.assert_close(*grads)


@PAIRS
@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_transforms_of_torch_func(ours, torchs):
    layer, theirs = pair(ours, torchs, 3, 4)
    x, v = torch.randn(2, 5, 1, 3)
    many = torch.stack([x, v, x + v])
    got = torch.func.vmap(lambda one: layer(one)[0])(many)
    torch.testing.assert_close(got, torch.stack([theirs(one)[0] for one in many]))
    _, along = torch.func.jvp(lambda one: layer(one)[0], (x,), (v,))
    jacobian = torch.autograd.functional.jacobian(lambda one: theirs(one)[0], x)
    torch.testing.assert_close(along, torch.tensordot(jacobian, v, 3))
    with pytest.raises(InputError, match=r"torch\.func"), engine("native"):
        torch.func.jvp(lambda one: layer(one)[0], (x,), (v,))
