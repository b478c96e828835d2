"""`linear_scan` and `log_linear_scan` beside a loop in NumPy, over long times, saturated."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.nn import linear_scan, log_linear_scan
from gatewise.nn.parallel.scan import CHUNK

LONG = 100_000
LENGTHS = [0, 1, 2, CHUNK, 2 * CHUNK - 1, 2 * CHUNK, 7 * CHUNK + 5, 2 * CHUNK**2 + CHUNK + 3]


def loop(a, b, start):
    """All states, [batch, time + 1, ...]."""
    states = [start]
    for t in range(a.shape[1]):
        states.append(a[:, t] * states[-1] + b[:, t])
    return np.stack(states, 1)


def loop_gradients(a, b, start, weights):
    """Gradients of a weighted sum of all states, back through time."""
    states = loop(a, b, start)
    of_a, of_b, owed = np.empty_like(a), np.empty_like(b), weights[:, -1]
    for t in reversed(range(a.shape[1])):
        of_a[:, t], of_b[:, t] = owed * states[:, t], owed
        owed = weights[:, t] + a[:, t] * owed
    return of_a, of_b, owed


def made(shape, seed=0, low=0.0, high=1.0):
    """Gates, additions of both signs, a start, and weights for a sum of the states, in NumPy."""
    draw = np.random.default_rng(seed)
    batch, time, *rest = shape
    a = draw.uniform(low, high, shape)
    return (a, draw.normal(size=shape), draw.normal(size=(batch, *rest)),
            draw.normal(size=(batch, time + 1, *rest)))  # fmt: skip


def scanned(scan, inputs, weights, dtype=torch.float64):
    """Values and gradients, as float64 in NumPy."""
    leaves = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
    states = scan(*leaves)
    assert states.dtype == dtype
    gradients = torch.autograd.grad(states, leaves, torch.tensor(weights, dtype=dtype))
    return [t.detach().double().numpy() for t in (states, *gradients)]


def positive_problem(gates, seed=0):
    """Long inputs of one sign, so that a relative error means something for each number."""
    a, *rest = made((1, LONG, 3), seed)
    draw = np.random.default_rng(1)
    kinds = {
        "anywhere": a,
        "near 1": 1 - 10 ** draw.uniform(-6, -2, a.shape),
        "at 1": np.ones_like(a),
        "at 0 or 1": (a > 1e-4).astype(float),
        "near 0": 10 ** draw.uniform(-45, -1, a.shape),
    }
    return [np.abs(x).astype(np.float32).astype(np.float64) for x in (kinds[gates], *rest)]


@pytest.mark.parametrize("time", LENGTHS)
def test_it_is_the_loop(time):
    *inputs, weights = made((2, time, 3), low=-1.0)
    got = scanned(linear_scan, inputs, weights)
    want = [loop(*inputs), *loop_gradients(*inputs, weights)]
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(
    time=st.integers(0, 5 * CHUNK),
    batch=st.integers(0, 3),
    rest=st.lists(st.integers(0, 3), max_size=2),
    seed=st.integers(0, 99),
)
def test_any_shape(time, batch, rest, seed):
    *inputs, weights = made((batch, time, *rest), seed)
    got = scanned(linear_scan, inputs, weights)
    want = [loop(*inputs), *loop_gradients(*inputs, weights)]
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def test_it_starts_at_zero_and_broadcasts():
    a, b, *_ = (torch.tensor(x) for x in made((2, 70, 3)))
    one = a[:1, :, :1].requires_grad_()
    states = linear_scan(one, b)
    np.testing.assert_allclose(
        states.detach(), loop(one.detach().expand_as(b).numpy(), b.numpy(), np.zeros((2, 3)))
    )
    states.sum().backward()
    assert one.grad.shape == (1, 70, 1)


@pytest.mark.parametrize("scan", [linear_scan, log_linear_scan])
def test_two_derivatives(scan):
    inputs = made((1, 2 * CHUNK + 3, 2), low=0.2)[:3]
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    assert torch.autograd.gradcheck(scan, leaves, fast_mode=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(scan, leaves, fast_mode=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("scan", [linear_scan, log_linear_scan])
def test_transforms_of_torch_func(scan):
    inputs = tuple(torch.tensor(x) for x in made((4, 2 * CHUNK + 3, 2))[:3])
    want = scan(*inputs)
    each = torch.func.vmap(lambda a, b, start: scan(a[None], b[None], start[None])[0])
    torch.testing.assert_close(each(*inputs), want)
    tangents = tuple(torch.ones_like(x) for x in inputs)
    _, forward = torch.func.jvp(scan, inputs, tangents)
    leaves = [x.clone().requires_grad_() for x in inputs]
    weights = torch.linspace(-1, 1, want.numel(), dtype=want.dtype).view_as(want)
    back = torch.autograd.grad(scan(*leaves), leaves, weights)
    torch.testing.assert_close((forward * weights).sum(), sum(g.sum() for g in back))


@pytest.mark.parametrize("gates", ["anywhere", "near 1", "at 1", "at 0 or 1", "near 0"])
def test_float32_keeps_five_digits_over_100_000_steps(gates):
    *inputs, weights = positive_problem(gates)
    got = scanned(linear_scan, inputs, weights, torch.float32)
    want = [loop(*inputs), *loop_gradients(*inputs, weights)]
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-38)


@pytest.mark.parametrize("gates", ["anywhere", "near 1", "at 1", "at 0 or 1"])
def test_logarithms_keep_five_digits_over_100_000_steps(gates):
    a, b, start, weights = positive_problem(gates)
    with np.errstate(divide="ignore"):
        logs = [np.log(x).astype(np.float32) for x in (a, b, start)]
    exact = [np.exp(x.astype(np.float64)) for x in logs]
    states, of_a, of_b, of_start = scanned(log_linear_scan, logs, weights, torch.float32)
    want = loop(*exact)
    np.testing.assert_allclose(np.exp(states), want, rtol=1e-5)
    gradients = loop_gradients(*exact, weights / want)
    for got, gradient, x in zip((of_a, of_b, of_start), gradients, exact, strict=True):
        np.testing.assert_allclose(got, gradient * x, rtol=1e-5, atol=1e-38)


def test_logarithms_of_what_no_float_can_hold():
    draw = np.random.default_rng(0)
    log_a, log_b = draw.normal(-200, 300, (2, 1, 5 * CHUNK, 2))
    log_start = np.array([[900.0, -900.0]])
    states = [log_start[0]]
    for t in range(5 * CHUNK):
        states.append(np.logaddexp(log_a[0, t] + states[-1], log_b[0, t]))
    got, *gradients = scanned(log_linear_scan, (log_a, log_b, log_start), np.ones((1, 161, 2)))
    np.testing.assert_allclose(got[0], states, rtol=1e-13)
    assert all(np.isfinite(g).all() for g in gradients)
    # Who adds to a state shares its derivative of 1.
    np.testing.assert_allclose(sum(g.sum() for g in gradients[1:]), 161 * 2)


@pytest.mark.parametrize("time", [3, 3 * CHUNK])
def test_nothing_kept_and_nothing_added_are_numbers(time):
    nothing = torch.full((1, time, 2), -torch.inf)
    for log_a, log_b in [(nothing, nothing), (nothing, -nothing.exp()), (0 * time + 0.0, nothing)]:
        leaves = [torch.as_tensor(x).expand(1, time, 2).clone().requires_grad_()
                  for x in (log_a, log_b)]  # fmt: skip
        states = log_linear_scan(*leaves)
        assert not states.isnan().any()
        for gradient in torch.autograd.grad(states.exp().sum(), leaves):
            assert gradient.isfinite().all()


def test_16_bits_are_added_up_in_32():
    ones = torch.ones(1, 4096, 1, dtype=torch.bfloat16)
    states = linear_scan(ones, ones)
    assert states.dtype == torch.bfloat16
    assert states[0, -1] == 4096


def test_what_is_kept_for_the_gradient():
    """The gates and the states, whatever the number of steps in between."""
    a, b = torch.rand(2, 1, 1000, 8).unbind()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()), lambda _: None):
        linear_scan(a.requires_grad_(), b.requires_grad_())
    assert sorted(kept) == [8000, 8008]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda a: linear_scan(a, a[:, 1:]), r"give both the shape \[batch, time"),
        (lambda a: linear_scan(a[0, 0], a[0, 0]), "give both the shape"),
        (lambda a: linear_scan(a, a[0]), "give both the shape"),
        (lambda a: linear_scan(a, a.long()), None),
        (lambda a: linear_scan(a.long(), a.long()), "a type such as float32"),
        (lambda a: linear_scan(a, a.to(torch.complex64)), "a type such as float32"),
        (lambda a: linear_scan(a, a, a[:, 0, :2]), r"start of shape \(2, 2\): give one of shape"),
        (lambda a: log_linear_scan(a, a[:1, :2]), "log_a and log_b of shapes"),
        (lambda a: log_linear_scan(a, a, a), "log_start of shape"),
    ],
    ids=range(9),
)
def test_wrong_input_is_one_sentence(make, says):
    a = torch.ones(2, 5, 3)
    if says is None:
        assert make(a).dtype == torch.float32
        return
    with pytest.raises(InputError, match=says) as raised:
        make(a)
    assert "\n" not in str(raised.value)
