"""`MatrixLSTM` beside the paper's equations in NumPy: layers, lengths, steps, initial weights."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import MatrixLSTM
from gatewise.nn.parallel.matrix_lstm import FORMS

from .sequences import check_pieces, check_steps, check_transforms
from .test_matrix_memory import logistic, memory_oracle

X = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))
every_form = pytest.mark.parametrize("form", FORMS)


def layer_oracle(layer, x):
    """A layer of one direction from its zero state, [batch, time, hidden]."""
    weight, bias, scale = (p.detach().numpy() for p in layer.parameters())
    heads, hidden = layer.num_heads, layer.hidden_size
    size = hidden // heads
    rows = x @ weight.T + bias
    q, k, v, o, i, f = np.split(rows, np.cumsum([hidden] * 4 + [heads]), -1)
    y = np.empty_like(q)
    for b in range(len(x)):
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            start = np.zeros((size, size)), np.zeros(size), 0.0
            read, *_ = memory_oracle(
                q[b, :, part], k[b, :, part] / np.sqrt(size), v[b, :, part],
                i[b, :, head], f[b, :, head], *start,
            )  # fmt: skip
            mean, var = read.mean(-1, keepdims=True), read.var(-1, keepdims=True)
            y[b, :, part] = (read - mean) / np.sqrt(var + 1e-5)
    return logistic(o) * y * scale


def drawn(*sizes, scale=0.5, **settings):
    """A layer whose gates listen to the input."""
    torch.manual_seed(0)
    layer = MatrixLSTM(*sizes, **settings)
    for name, parameter in layer.named_parameters():
        if name.startswith("norm"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        elif name.startswith("weight"):
            torch.nn.init.normal_(parameter, std=scale)
    return layer


@every_form
def test_the_layer_is_the_papers_equations(form):
    layer = drawn(5, 6, num_heads=2, form=form, chunk_size=8, dtype=torch.float64)
    x = torch.randn(2, 30, 5, dtype=torch.float64)
    y, _ = layer(x)
    np.testing.assert_allclose(y.detach(), layer_oracle(layer, x.numpy()), rtol=1e-9, atol=1e-9)


@every_form
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    num_layers=st.integers(1, 2),
    bidirectional=st.booleans(),
)
def test_lengths_are_each_sequence_alone(form, lengths, num_layers, bidirectional):
    layer = drawn(
        5, 4, num_heads=2, form=form, chunk_size=4, num_layers=num_layers,
        bidirectional=bidirectional, dtype=torch.float64,
    )  # fmt: skip
    x = X[: len(lengths)].double()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = layer(x, lengths=lengths)
    for k, length in enumerate(lengths):
        alone, last = layer(X[k, :length].double())
        torch.testing.assert_close(y[k, :length], alone)
        assert not y[k, length:].any()
        torch.testing.assert_close(tuple(s[:, k] for s in state), tuple(last))
    leaves = [x, *layer.parameters()]
    for gradient in torch.autograd.grad(y.sum() + sum(s.sum() for s in state), leaves):
        assert gradient.isfinite().all()


@every_form
def test_steps_are_the_sequence(form):
    layer = drawn(5, 8, num_heads=2, form=form, num_layers=2, dtype=torch.float64)
    x = torch.randn(2, 90, 5, dtype=torch.float64)
    assert check_steps(layer, x, rtol=1e-10, atol=1e-10).c.shape == (2, 2, 4, 4)


@every_form
def test_pieces_with_the_state_kept_are_the_whole(form):
    layer = drawn(5, 8, num_heads=2, form=form, num_layers=2, dtype=torch.float64)
    x = torch.randn(2, 200, 5, dtype=torch.float64)
    check_pieces(layer, x, [70, 0, 1, 129], rtol=1e-10, atol=1e-10)


def test_the_backward_direction_is_the_forward_one_turned_around():
    layer, one = drawn(5, 4, num_heads=2, bidirectional=True), MatrixLSTM(5, 4, num_heads=2)
    named = layer.named_parameters()
    one.load_state_dict({k.removesuffix("_reverse"): v for k, v in named if k.endswith("_reverse")})
    y, state = layer(X)
    turned, last = one(X.flip(1))
    torch.testing.assert_close(y[..., 4:], turned.flip(1))
    torch.testing.assert_close(state.c[1:], last.c)


def test_long_sequences_run_in_chunks():
    layer = MatrixLSTM(2, 8, num_heads=2)
    x = torch.randn(1, 16_384, 2)
    y, state = layer(x)
    y.sum().backward()
    assert y.shape == (1, 16_384, 8)
    assert state.c.shape == (1, 1, 2, 4, 4)
    assert layer.weight_ih_l0.grad.isfinite().all()
    tail, _ = layer(x[:, 16_000:], layer(x[:, :16_000])[1])
    torch.testing.assert_close(tail, y[:, 16_000:], rtol=1e-5, atol=1e-5)


def test_what_is_kept_grows_with_time():
    def kept(time):
        sizes = []
        layer, hooks = MatrixLSTM(2, 8, num_heads=2), torch.autograd.graph.saved_tensors_hooks
        with hooks(lambda t: sizes.append(t.numel()), lambda _: None):
            layer(torch.randn(1, time, 2))
        return sum(sizes)

    assert kept(4096) - kept(2048) == 2 * (kept(2048) - kept(1024))


def test_nothing_in_nothing_out():
    layer = MatrixLSTM(5, 8)
    y, state = layer(torch.zeros(0, 6, 5))
    assert (y.shape, state.c.shape) == ((0, 6, 8), (1, 0, 4, 2, 2))
    start = layer(X)[1]
    for form in FORMS:
        layer.form = form
        y, state = layer(X[:, :0], start)
        assert y.shape == (3, 0, 8)
        torch.testing.assert_close(tuple(state), tuple(start))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@every_form
def test_transforms_of_torch_func(form):
    check_transforms(drawn(5, 4, num_heads=2, form=form, chunk_size=4).double(), X.double())


def test_initial_weights():
    layer = MatrixLSTM(5, 8, num_heads=4)
    bound = (6 / (5 + 8)) ** 0.5
    *blocks, gates = layer.weight_ih_l0.detach().split(8)
    for block in blocks:
        assert bound / 2 < block.abs().max() <= bound
    assert not gates.any()
    assert not layer.bias_ih_l0[:32].any()
    assert 0 < layer.bias_ih_l0[32:36].abs().max() < 0.6
    assert layer.bias_ih_l0[36:].tolist() == [3, 4, 5, 6]
    assert layer.norm_l0.tolist() == [1] * 8


def test_copies_and_text():
    layer = drawn(5, 4, num_heads=2, num_layers=2, bidirectional=True, form="parallel")
    text = "MatrixLSTM(5, 4, num_heads=2, form='parallel', num_layers=2, bidirectional=True)"
    assert repr(layer) == text
    y, state = layer(X)
    other = MatrixLSTM(5, 4, num_heads=2, num_layers=2, bidirectional=True)
    other.load_state_dict(layer.state_dict())
    for copied in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer), other):
        torch.testing.assert_close(copied(X)[0], y)
    again = pickle.loads(pickle.dumps(state))
    assert torch.equal(again.n, state.n)
    assert type(again) is type(state)


@every_form
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_16_bits(form, dtype):
    layer = MatrixLSTM(5, 8, num_heads=2, form=form, dtype=dtype)
    y, state = layer(X.to(dtype))
    assert (y.dtype, state.c.dtype) == (dtype, torch.float32)
    later, _ = layer(X.to(dtype), state)
    assert later.isfinite().all()
    torch.testing.assert_close(y.float(), layer.float()(X)[0], rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MatrixLSTM(5, 8, form="paralell"), "did you mean 'parallel'"),
        (lambda: MatrixLSTM(5, 6), "the same number of units"),
        (lambda: MatrixLSTM(5, 4, num_heads=4), "at least two"),
        (lambda: MatrixLSTM(5, 4, num_heads=0), "num_heads=0"),
        (lambda: MatrixLSTM(5, 8, chunk_size=0.5), "chunk_size=0.5"),
        (lambda: MatrixLSTM(5, 8)(X[..., :4]), "with 5 features"),
        (lambda: MatrixLSTM(5, 8)(X, (torch.zeros(1, 3, 8),)), "give c, n, m of shapes"),
        (lambda: MatrixLSTM(5, 8)(X, lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: MatrixLSTM(5, 8, bidirectional=True).step(X[:, 0]), "the future"),
    ],
    ids=range(9),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
