"""`MinLSTM` and `MinGRU` beside the paper's equations in NumPy: steps, lengths, long, saturated."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import MinGRU, MinLSTM

from .sequences import check_pieces, check_steps, check_transforms

LAYERS = {"min_lstm": MinLSTM, "min_gru": MinGRU}
VERSIONS = ["log", "vanilla"]
X = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0))

every_layer = pytest.mark.parametrize("kind", LAYERS.values(), ids=LAYERS)
every_version = pytest.mark.parametrize("version", VERSIONS)


def logistic(a):
    return 1 / (1 + np.exp(-a))


def g(a, version):
    """Feng et al. 2024, appendix B: what makes the candidate positive."""
    return a if version == "vanilla" else np.where(a >= 0, a + 0.5, logistic(a))


def oracle(kind, version, weight, bias, x, h):
    """All outputs of one layer, [batch, time, hidden], from the sequential listings."""
    rows = x @ weight.T + bias
    if kind is MinLSTM:
        i, f, candidate = np.split(rows, 3, -1)
        i, f = logistic(i), logistic(f)
        i, f = i / (f + i), f / (f + i)
    else:
        z, candidate = np.split(rows, 2, -1)
        i, f = logistic(z), 1 - logistic(z)
    added = i * g(candidate, version)
    outputs = []
    for t in range(x.shape[1]):
        h = f[:, t] * h + added[:, t]
        outputs.append(h)
    return np.stack(outputs, 1)


def drawn(kind, *sizes, scale=1.0, **settings):
    torch.manual_seed(0)
    layer = kind(*sizes, **settings)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return layer


def arrays(layer, suffix="l0"):
    return [getattr(layer, f"{name}_{suffix}").detach().double().numpy()
            for name in ("weight_ih", "bias_ih")]  # fmt: skip


@every_layer
@every_version
def test_it_is_the_papers_equations(kind, version):
    layer = drawn(kind, 5, 4, version=version, dtype=torch.float64)
    x = torch.randn(2, 150, 5, dtype=torch.float64)
    start = torch.rand(1, 2, 4, dtype=torch.float64)
    y, state = layer(x, start)
    want = oracle(kind, version, *arrays(layer), x.numpy(), start[0].numpy())
    np.testing.assert_allclose(y.detach(), want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state.h[0].detach(), want[:, -1], rtol=1e-12, atol=1e-12)


@every_layer
@every_version
def test_gradients(kind, version):
    layer = drawn(kind, 3, 2, version=version, num_layers=2, dtype=torch.float64)
    x = torch.randn(2, 70, 3, dtype=torch.float64, requires_grad=True)
    start = torch.rand(2, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(x, start, *_):
        y, state = layer(x, start, lengths=[70, 66])
        return y, state.h

    inputs = (x, start, *layer.parameters())
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


@every_layer
def test_float32_follows_float64_over_100_000_steps(kind):
    layer = drawn(kind, 2, 3)
    with torch.no_grad():
        # Memories of up to some ten thousand steps.
        layer.bias_ih_l0[:3] -= torch.tensor([0.0, 4.0, 8.0])
    x = torch.randn(1, 100_000, 2)
    y, _ = layer(x)
    rows = [*arrays(layer), x.double().numpy(), np.zeros((1, 3))]
    np.testing.assert_allclose(y.detach(), oracle(kind, "log", *rows), rtol=1e-5)


@every_layer
@every_version
@pytest.mark.parametrize("level", [-1e4, -100.0, 100.0, 1e4])
def test_saturated_gates_are_numbers(kind, version, level):
    layer = drawn(kind, 5, 4, version=version)
    gates = 4 if kind is MinGRU else 8
    with torch.no_grad():
        layer.bias_ih_l0[:gates] += level
    x = torch.randn(2, 200, 5, requires_grad=True)
    y, state = layer(x)
    y.square().sum().backward()
    for tensor in (y, state.h, x.grad, *(p.grad for p in layer.parameters())):
        assert tensor.isfinite().all()
    if kind is MinGRU and level < -1e3:
        assert not y.any()


@every_layer
@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    num_layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    version=st.sampled_from(VERSIONS),
)
def test_lengths_are_each_sequence_alone(kind, lengths, num_layers, bidirectional, version):
    layer = drawn(kind, 5, 4, version=version, num_layers=num_layers, bidirectional=bidirectional)
    x = X[: len(lengths)].clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")
    x.requires_grad_()
    y, state = layer(x, lengths=lengths)
    for k, length in enumerate(lengths):
        alone, last = layer(X[k, :length])
        torch.testing.assert_close(y[k, :length], alone)
        assert not y[k, length:].any()
        torch.testing.assert_close(state.h[:, k], last.h)
    gradients = torch.autograd.grad(y.sum() + state.h.sum(), [x, *layer.parameters()])
    for gradient in gradients:
        assert gradient.isfinite().all()
    for k, length in enumerate(lengths):
        assert not gradients[0][k, length:].any()


@every_layer
@every_version
def test_steps_are_the_sequence(kind, version):
    layer = drawn(kind, 5, 4, version=version, num_layers=2)
    x = torch.randn(2, 90, 5)
    assert check_steps(layer, x, rtol=1e-5, atol=1e-5).h.shape == (2, 4)


@every_layer
def test_pieces_with_the_state_kept_are_the_whole(kind):
    layer = drawn(kind, 5, 4, num_layers=2)
    x = torch.randn(2, 200, 5)
    check_pieces(layer, x, [70, 0, 1, 129])


@every_layer
def test_the_backward_direction_is_the_forward_one_turned_around(kind):
    layer, one = drawn(kind, 5, 4, bidirectional=True), kind(5, 4)
    named = layer.named_parameters()
    one.load_state_dict({k.removesuffix("_reverse"): v for k, v in named if k.endswith("_reverse")})
    y, state = layer(X)
    turned, last = one(X.flip(1))
    assert layer.output_size == 8
    torch.testing.assert_close(y[..., 4:], turned.flip(1))
    torch.testing.assert_close(state.h[1:], last.h)


@every_layer
def test_dropout_lies_between_layers_and_only_in_training(kind):
    layer = kind(5, 64, num_layers=2, dropout=0.5)
    whole = layer.eval()(X)[0]
    torch.testing.assert_close(layer(X)[0], whole)
    assert not torch.equal(layer.train()(X)[0], whole)
    single = kind(5, 64, dropout=0.5)
    torch.testing.assert_close(single(X)[0], single.eval()(X)[0])


@every_layer
def test_nothing_in_nothing_out(kind):
    layer = kind(5, 4)
    y, state = layer(torch.zeros(0, 6, 5))
    assert (y.shape, state.h.shape) == ((0, 6, 4), (1, 0, 4))
    start = torch.ones(1, 3, 4)
    y, state = layer(X[:, :0], start)
    assert y.shape == (3, 0, 4)
    assert torch.equal(state.h, start)


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@every_layer
def test_transforms_of_torch_func(kind):
    check_transforms(drawn(kind, 5, 4, num_layers=2), X)


def test_initial_weights():
    layer = MinLSTM(5, 8)
    assert [float(b.detach().unique()) for b in layer.bias_ih_l0.chunk(3)] == [0, 1, 0]
    bound = (6 / (5 + 8)) ** 0.5
    for block in layer.weight_ih_l0.detach().chunk(3):
        assert bound / 2 < block.abs().max() <= bound
    assert not MinGRU(5, 8).bias_ih_l0.any()


@every_layer
def test_copies_and_text(kind):
    layer = kind(5, 4, version="vanilla", num_layers=2, bidirectional=True)
    assert repr(layer) == (
        f"{kind.__name__}(5, 4, version='vanilla', num_layers=2, bidirectional=True)"
    )
    y, state = layer(X)
    other = kind(5, 4, version="vanilla", num_layers=2, bidirectional=True)
    other.load_state_dict(layer.state_dict())
    for copied in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer), other):
        torch.testing.assert_close(copied(X)[0], y)
    again = pickle.loads(pickle.dumps(state))
    assert torch.equal(again.h, state.h)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_16_bits(dtype):
    layer = MinLSTM(5, 4, num_layers=2, dtype=dtype)
    y, state = layer(X.to(dtype))
    assert (y.dtype, state.h.dtype) == (dtype, dtype)
    torch.testing.assert_close(y.float(), layer.float()(X)[0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MinLSTM(5, 4, version="logg"), "did you mean 'log'"),
        (lambda: MinLSTM(5, 0), "hidden_size=0"),
        (lambda: MinGRU(5, 4, num_layers=1.0), "num_layers=1.0"),
        (lambda: MinGRU(5, 4, dropout=1.0), "dropout=1.0"),
        (lambda: MinGRU(5, 4)(X[..., :4]), "with 5 features"),
        (lambda: MinGRU(5, 4)(X.double()), r"x\.to\("),
        (lambda: MinGRU(5, 4)(X, torch.zeros(1, 2, 4)), "give h of shapes"),
        (lambda: MinGRU(5, 4)(X, {"c": torch.zeros(1, 3, 4)}), "give h of shapes"),
        (lambda: MinGRU(5, 4)(X, lengths=[7, 0, 1]), "between 0 and the 6"),
        (lambda: MinGRU(5, 4, bidirectional=True).step(X[:, 0]), "the future"),
    ],
    ids=range(10),
)
def test_wrong_input_is_one_sentence(make, says):
    with pytest.raises(InputError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)
