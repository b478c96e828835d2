"""`ConvRecurrent`: against NumPy, against dense layers, lengths, states, noise, wrong input."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.cells import every_cell
from gatewise.compiler import FromInput, State, Weight, cell, layer_norm, tanh
from gatewise.nn import ConvRecurrent, Recurrent
from gatewise.nn.stepped.convolution import convolution
from tests.cells.oracles import logistic

from .sequences import check_each_alone, check_pieces, check_steps


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


X = normal(3, 5, 2, 4, 3)


@cell
def alone(a: FromInput, h: State, u: Weight = 0.5):
    return tanh(a + u * h)


def slide(x, w, b=None, stride=1, dilation=1, padding=0):
    """Correlate [batch, channels, *space] with [rows, channels, *kernel]: NumPy, place by place."""
    dims = x.ndim - 2
    stride, dilation = ((n,) * dims if isinstance(n, int) else n for n in (stride, dilation))
    padding = ((padding, padding),) * dims if isinstance(padding, int) else padding
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, axis=range(2, 2 + dims))
    places = tuple(slice(None, None, s) for s in stride)
    covered = tuple(slice(None, None, d) for d in dilation)
    windows = windows[(slice(None), slice(None), *places, *covered)]
    axes = [1, *range(2 + dims, 2 + 2 * dims)], [1, *range(2, 2 + dims)]
    y = np.tensordot(windows, w, axes=axes)
    y = np.moveaxis(y, -1, 1)
    return y if b is None else y + b.reshape(-1, *[1] * dims)


def shi(x, weights, dims=2, padding=1):
    """Shi et al. 2015, equation 3, in NumPy; x is [batch, time, channels, *space]."""
    w = {name.removesuffix("_l0"): weight.detach().numpy() for name, weight in weights.items()}
    hidden = w["weight_hh"].shape[1]
    b = w["bias_ih"] + w["bias_hh"]
    peep = {k: w[f"p_{k}"].reshape(hidden, *(w[f"p_{k}"].shape[1:] or (1,) * dims)) for k in "ifo"}
    h = c = np.zeros((x.shape[0], hidden, *x.shape[3:]))
    outputs = []
    for t in range(x.shape[1]):
        both = slide(x[:, t], w["weight_ih"], b, padding=padding) + slide(
            h, w["weight_hh"], padding=padding
        )
        i, f, g, o = np.split(both, 4, axis=1)
        i, f = logistic(i + peep["i"] * c), logistic(f + peep["f"] * c)
        c = f * c + i * np.tanh(g)
        h = logistic(o + peep["o"] * c) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def drawn_anew(layer, seed=1):
    torch.manual_seed(seed)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer.double()


@pytest.mark.parametrize("space", [None, (4, 3)], ids=["channel", "place"])
def test_peephole_convlstm_is_the_papers(space):
    layer = drawn_anew(ConvRecurrent("peephole_lstm", 2, 3, 3, spatial_size=space))
    y, state = layer(X)
    assert layer.p_i_l0.shape == (3, *(space or ()))
    want = shi(X.numpy(), layer.state_dict())
    for got, wanted in zip((y, state.h[0], state.c[0]), want, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, rtol=1e-10, atol=1e-12)


def as_matrix(weight, space, **options):
    """The dense matrix of a convolution: [rows * places, channels * places]."""
    size = weight.shape[1] * int(np.prod(space))
    basis = np.eye(size).reshape(size, weight.shape[1], *space)
    return torch.tensor(slide(basis, weight.detach().numpy(), **options).reshape(size, -1).T)


@pytest.mark.parametrize("name", every_cell())
def test_every_cell_is_the_dense_one_with_the_convolutions_matrix(name):
    """The same numbers from `Recurrent`, whose units are all channels at all places."""
    space, hidden = (4,), 2
    size = space if every_cell()[name].weights else None
    conv = drawn_anew(ConvRecurrent(name, 2, hidden, 3, dims=1, spatial_size=size))
    dense = Recurrent(name, 2 * 4, hidden * 4).double()
    with torch.no_grad():
        for key, weight in conv.named_parameters():
            own = key.removesuffix("_l0")
            if own.startswith("weight"):
                new = as_matrix(weight, space, padding=1)
            elif own.startswith("bias"):
                new = weight.repeat_interleave(4)
            else:
                new = weight.flatten()
            getattr(dense, key).copy_(new)
    x = normal(2, 3, 2, 4).requires_grad_()
    y, state = conv(x)
    want, last = dense(x.flatten(2))
    torch.testing.assert_close(y.flatten(2), want)
    for got, end in zip(state, last, strict=True):
        torch.testing.assert_close(got.flatten(2), end)
    weights = normal(*y.shape, seed=2)
    got, wanted = (
        torch.autograd.grad((out * weights.reshape(out.shape)).sum(), x) for out in (y, want)
    )
    torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("name", ["peephole_lstm", "gru_reset_before"])
def test_gradients_of_weights_are_finite_differences(name):
    layer = ConvRecurrent(name, 1, 2, (2, 1), stride=(2, 1), recurrent_kernel_size=(3, 1))
    layer = drawn_anew(layer)
    x = normal(2, 2, 1, 3, 2).requires_grad_()
    names = [n for n, _ in layer.named_parameters()]

    def run(x, *weights):
        y, state = torch.func.functional_call(
            layer, dict(zip(names, weights, strict=True)), (x,), {"lengths": torch.tensor([2, 1])}
        )
        return (y, *state)

    torch.autograd.gradcheck(run, (x, *layer.parameters()))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dims=st.integers(1, 3), padding=st.sampled_from(["same", "valid", 1, 2]))
def test_convolutions_are_numpys(data, dims, padding):
    def per_axis(least, most):
        return tuple(data.draw(st.integers(least, most)) for _ in range(dims))

    kernel, stride, dilation = per_axis(1, 3), per_axis(1, 3), per_axis(1, 2)
    space = per_axis(5, 6)
    own = convolution(kernel, stride, padding, dilation)
    x, w, b = normal(2, 3, *space), normal(4, 3, *kernel, seed=1), normal(4, seed=2)
    want = slide(x.numpy(), w.numpy(), b.numpy(), stride, dilation, own.padding)
    got = own(x.movedim(1, -1), w, b).movedim(-1, 1)
    assert own.places(space) == want.shape[2:]
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-10, atol=1e-12)
    if padding == "same":
        assert own.places(space) == tuple(-(-n // s) for n, s in zip(space, stride, strict=True))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layers_one_after_another(dims):
    deep = drawn_anew(
        ConvRecurrent("gru", 2, 3, 3, dims=dims, num_layers=2, stride=2, padding=1, dilation=2)
    )
    first = ConvRecurrent("gru", 2, 3, 3, dims=dims, stride=2, padding=1, dilation=2).double()
    second = ConvRecurrent("gru", 3, 3, 3, dims=dims).double()
    for layer, own in enumerate((first, second)):
        own.load_state_dict({
            name.replace(f"_l{layer}", "_l0"): weight
            for name, weight in deep.state_dict().items() if name.endswith(f"_l{layer}")
        })  # fmt: skip
    x = normal(2, 4, 2, *(7, 6, 5)[:dims])
    y, state = deep(x)
    between, ends = first(x)
    want, last = second(between)
    torch.testing.assert_close(y, want)
    torch.testing.assert_close(state.h, torch.cat([ends.h, last.h]))
    assert y.shape[3:] == (3, 2, 2)[:dims]


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    name=st.sampled_from(["lstm", "gru_reset_before", "slstm"]),
    num_layers=st.integers(1, 2),
)
def test_lengths_are_each_sequence_alone(lengths, name, num_layers):
    layer = drawn_anew(ConvRecurrent(name, 2, 3, 3, num_layers=num_layers))
    check_each_alone(layer, X, lengths)


@pytest.mark.parametrize("name", ["lstm", "gru", "indrnn"])
def test_chunks_and_steps_with_the_state_kept_are_the_whole(name):
    layer = drawn_anew(ConvRecurrent(name, 2, 3, 3, num_layers=2, stride=(2, 1)))
    check_pieces(layer, X, [2, X.shape[1] - 2])
    assert check_steps(layer, X).h.shape == (2, 3, 2, 3)


def test_a_normalised_cell_normalises_over_the_channels_of_a_place():
    """With kernels of one place each place is a sequence of its own."""
    normed = layer_norm(every_cell()["lstm"], "ba")
    conv = drawn_anew(ConvRecurrent(normed, 2, 3, 1, bias=False))
    flat = Recurrent(normed, 2, 3, bias=False).double()
    flat.load_state_dict({
        name: weight.flatten(1) if name.startswith("weight") else weight
        for name, weight in conv.state_dict().items()
    })  # fmt: skip
    want, _ = flat(X.permute(0, 3, 4, 1, 2).flatten(0, 2))
    y, _ = conv(X)
    torch.testing.assert_close(y.permute(0, 3, 4, 1, 2).flatten(0, 2), want)


def test_it_is_one_graph():
    layer = ConvRecurrent("gru", 2, 3, 3, zoneout=0.1)
    x = X.float()[:, :2]
    want = layer.eval()(x)
    got = torch.compile(layer, backend="eager", fullgraph=True)(x)
    torch.testing.assert_close(got, want)


def test_maps_may_be_of_any_size_without_weights_by_place():
    layer = ConvRecurrent("peephole_lstm", 2, 3, 3)
    for space in ((1, 1), (5, 2)):
        assert layer(torch.randn(1, 2, 2, *space))[0].shape == (1, 2, 3, *space)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_no_sequences_or_no_steps(shape, dims):
    layer = ConvRecurrent("lstm", 2, 3, 3, dims=dims, num_layers=2)
    x = torch.zeros(*shape, 2, *[4] * dims, requires_grad=True)
    y, state = layer(x, lengths=torch.zeros(shape[0], dtype=torch.int64))
    assert y.shape == (*shape, 3, *[4] * dims)
    assert state.c.shape == (2, shape[0], 3, *[4] * dims)
    assert not state.c.any()


def test_zoneout_keeps_channels_at_places_at_random():
    layer = ConvRecurrent("elman", 2, 8, 3, zoneout={"h": 0.5})
    x = torch.randn(4, 1, 2, 6, 6)
    torch.manual_seed(0)
    y, _ = layer(x)
    half, _ = layer.eval()(x)
    kept = y == 0
    torch.testing.assert_close(y, torch.where(kept, 0.0, 2 * half))
    for axes in [(1, 2, 3, 4), (0, 1, 3, 4), (0, 1, 2, 4), (0, 1, 2, 3)]:
        assert (kept.double().mean(axes) - 0.5).abs().max() < 0.15


@pytest.mark.parametrize(
    "options",
    [
        {"recurrent_dropout": 0.4},
        {"recurrent_dropout": 0.4, "recurrent_dropout_kind": "gal"},
        {"weight_dropout": 0.4},
        {"dropout": 0.4},
    ],
    ids=["semeniuta", "gal", "weights", "between"],
)
def test_noise_is_for_training_only(options):
    layer = ConvRecurrent("lstm", 2, 4, 3, num_layers=2, **options)
    plain = ConvRecurrent("lstm", 2, 4, 3, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    x = X.float()
    torch.manual_seed(3)
    y, _ = layer(x)
    torch.manual_seed(3)
    torch.testing.assert_close(layer(x)[0], y)
    assert not torch.equal(layer(x)[0], y)
    torch.testing.assert_close(layer.eval()(x)[0], plain(x)[0])


def test_noise_of_a_whole_sequence_is_the_same_at_all_steps():
    layer = ConvRecurrent("elman", 2, 6, 1, recurrent_dropout=0.5, recurrent_dropout_kind="gal")
    with torch.no_grad():
        layer.weight_hh_l0.copy_(torch.eye(6)[..., None, None] * 50)
        layer.weight_ih_l0.zero_()
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
    y, _ = layer(X.float(), torch.ones(1, 3, 6, 4, 3))
    assert ((y == 0) == (y[:, :1] == 0)).all()
    assert 0 < (y[:, 0] == 0).float().mean() < 1
    with pytest.raises(InputError, match="drop_h"):
        layer.step(X.float()[:, 0])


def test_initial_weights():
    layer = ConvRecurrent("peephole_lstm", 5, 8, 3)
    total = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    assert [float(block.detach().unique()) for block in total] == [0, 1, 0, 0]
    for block in layer.weight_hh_l0.detach().flatten(1).chunk(4):
        torch.testing.assert_close(block @ block.T, torch.eye(8))
    bound = (6 / (9 * (5 + 8))) ** 0.5
    assert bound / 2 < layer.weight_ih_l0.abs().max() <= bound
    assert not layer.p_i_l0.any()


def test_initial_weights_by_a_scheme():
    layer = ConvRecurrent(
        "peephole_lstm", 2, 4, 3, init={"bias.f": 2.0, "p_o": 0.5, "weight_ih": 0}
    )
    total = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    assert [float(block.detach().unique()) for block in total] == [0, 2, 0, 0]
    assert (layer.p_o_l0 == 0.5).all()
    assert not layer.weight_ih_l0.any()
    assert repr(layer).endswith("init={'bias.f': 2.0, 'p_o': 0.5, 'weight_ih': 0})")


@pytest.mark.parametrize("kernel", [(3, 3), (2, 3), (4, 1)], ids=str)
def test_the_identity_keeps_maps_where_they_are(kernel):
    layer = ConvRecurrent("elman_relu", 2, 3, kernel, init="identity").double()
    start = normal(1, 3, 3, 4, 3).abs()
    y, state = layer(torch.zeros_like(X), start)
    torch.testing.assert_close(y, start[0].unsqueeze(1).expand_as(y))
    torch.testing.assert_close(state.h, start)


def test_copies_and_text():
    layer = ConvRecurrent(alone, 2, 3, (3, 1), stride=2, zoneout=0.1).double().eval()
    assert repr(layer) == (
        "ConvRecurrent(alone, 2, 3, kernel_size=(3, 1), zoneout=0.1, stride=(2, 2), "
        "padding=((1, 1), (0, 0)), dilation=(1, 1))"
    )
    y, state = layer(X)
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        torch.testing.assert_close(other(X), (y, state))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ConvRecurrent("lsmt", 2, 3, 3), "did you mean 'lstm'"),
        (lambda: ConvRecurrent("lstm", 0, 3, 3), "input_channels=0"),
        (lambda: ConvRecurrent("lstm", 2, 3, 0), "kernel_size=0"),
        (lambda: ConvRecurrent("lstm", 2, 3, 1.5), "kernel_size=1.5"),
        (lambda: ConvRecurrent("lstm", 2, 3, (3, 3), dims=3), "3 of them"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, dims=4), "dims=4"),
        (lambda: ConvRecurrent("lstm", 2, 3, (1, 1, 1, 1)), "dims=4"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, stride=0), "stride=0"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, padding="sane"), "did you mean 'same'"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, padding=-1), "padding=-1"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, recurrent_kernel_size="3"), "recurrent_kernel"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, spatial_size=(4, 3)), "no weights of its own"),
        (lambda: ConvRecurrent("peephole_lstm", 2, 3, 3, spatial_size=4.0), "spatial_size=4.0"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, zoneout=1.0), "zoneout=1.0"),
        (lambda: ConvRecurrent(alone, 2, 3, 3, weight_dropout=0.1), "no recurrent weights"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, init={"bias.q": 1.0}), "names 'bias.q'"),
        (lambda: ConvRecurrent("lstm", 3, 3, 3)(X.float()), "with 3 channels"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3, dims=1)(X.float()), "1 axes of space"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3)(X), r"x\.to\("),
        (lambda: ConvRecurrent("lstm", 2, 3, 5, padding="valid")(X.float()), "does not fit"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3)(X.float(), torch.zeros(1, 3, 3, 4, 3)), "h, c"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3)(X.float(), lengths=[6, 0, 1]), "the 5 time steps"),
        (lambda: ConvRecurrent("lstm", 2, 3, 3).step(X.float()), "give one step"),
        (
            lambda: ConvRecurrent("peephole_lstm", 2, 3, 3, spatial_size=(4, 4))(X.float()),
            "spatial_size=\\(4, 4\\)",
        ),
    ],
    ids=range(24),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
