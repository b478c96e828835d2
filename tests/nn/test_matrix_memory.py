"""The matrix memory beside the paper's equations in NumPy; its forms beside each other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.nn.parallel.matrix_lstm import FORMS
from gatewise.nn.parallel.matrix_memory import EPS, Inputs, Memory, chunkwise, stepwise

every_form = pytest.mark.parametrize("form", FORMS)


def logistic(a):
    return 1 / (1 + np.exp(-a))


def memory_oracle(q, k, v, i, f, c, n, m):
    """Beck et al. 2024, equations 19 to 21, not stabilised: one head of one sequence.

    The states come and go less a factor exp(m), which the equations themselves do not need.
    """
    C, N = c * np.exp(m), n * np.exp(m)
    outputs = []
    for t in range(len(q)):
        C = logistic(f[t]) * C + np.exp(i[t]) * np.outer(k[t], v[t])
        N = logistic(f[t]) * N + np.exp(i[t]) * k[t]
        m = max(np.log(logistic(f[t])) + m, i[t])
        outputs.append(q[t] @ C / (max(abs(q[t] @ N), 1) + EPS * np.exp(m)))
    return np.array(outputs), C * np.exp(-m), N * np.exp(-m), m


def problem(time, dtype=torch.float64, batch=2, heads=2, size=3, gates=1.0, seed=0):
    """What a memory sees, and where it starts; all of it wants gradients."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        made = torch.randn(shape, generator=draw, dtype=torch.float64)
        return made.to(dtype).requires_grad_()

    shape = (batch, time, heads)
    given = [normal(*shape, size), normal(*shape, size), normal(*shape, size)]
    i, f = (gates * normal(*shape).detach() for _ in range(2))
    given += [i.requires_grad_(), (f + 2).requires_grad_()]
    start = normal(batch, heads, size, size), normal(batch, heads, size), normal(batch, heads)
    return given, start


def run(form, given, start, chunk_size=16):
    """Outputs and the last memory; f is what the forget gate's sigmoid is taken of."""
    *rest, f = given
    inputs = Inputs(*rest, torch.nn.functional.logsigmoid(f))
    if form == "recurrent":
        return stepwise(inputs, Memory(*start))
    size = max(1, f.shape[1]) if form == "parallel" else chunk_size
    return chunkwise(inputs, Memory(*start), size)


def gradients(form, given, start, chunk_size=16):
    y, memory = run(form, given, start, chunk_size)
    outputs = (y, *memory)
    weights = [torch.linspace(-1, 2, t.numel(), dtype=t.dtype).view_as(t) for t in outputs]
    return torch.autograd.grad(outputs, [*given, *start], weights)


@every_form
@pytest.mark.parametrize("time", [1, 16, 50])
def test_the_memory_is_the_papers_equations(form, time):
    given, start = problem(time)
    y, memory = run(form, given, start)
    given, start = ([t.detach().numpy() for t in part] for part in (given, start))
    for b in range(2):
        for head in range(2):
            want = memory_oracle(*(t[b, :, head] for t in given), *(t[b, head] for t in start))
            got = (y[b, :, head], *(t[b, head] for t in memory))
            for one, other in zip(got, want, strict=True):
                np.testing.assert_allclose(one.detach().numpy(), other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("time", [1, 40, 200])
@pytest.mark.parametrize("chunk_size", [7, 64])
def test_forms_agree(time, chunk_size):
    given, start = problem(time)
    want = run("recurrent", given, start)
    owed = gradients("recurrent", given, start)
    for form in ("chunkwise", "parallel"):
        y, memory = run(form, given, start, chunk_size)
        for one, other in zip((y, *memory), (want[0], *want[1]), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
        for one, other in zip(gradients(form, given, start, chunk_size), owed, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@every_form
@pytest.mark.parametrize("time", [1, 40, 300])
def test_forms_keep_five_digits_in_float32(form, time):
    # Rounding counts as often as exp(-m) goes into 1, so input gates are of ordinary size here.
    given, start = problem(time, torch.float32, gates=0.5)
    exact = [[t.detach().double().requires_grad_() for t in part] for part in (given, start)]
    y, memory = run(form, given, start)
    want, last = run("recurrent", *exact)
    got = (y, *memory, *gradients(form, given, start))
    for one, other in zip(got, (want, *last, *gradients("recurrent", *exact)), strict=True):
        scale = other.detach().abs().max()
        torch.testing.assert_close(one.double() / scale, other / scale, rtol=1e-5, atol=1e-5)


@every_form
@settings(max_examples=10, deadline=None)
@given(
    time=st.integers(0, 40),
    batch=st.integers(0, 2),
    heads=st.integers(1, 3),
    size=st.integers(1, 4),
    chunk_size=st.integers(1, 50),
    seed=st.integers(0, 99),
)
def test_any_shape(form, time, batch, heads, size, chunk_size, seed):
    given, start = problem(time, batch=batch, heads=heads, size=size, seed=seed)
    got, want = run(form, given, start, chunk_size), run("recurrent", given, start)
    torch.testing.assert_close(got[0], want[0], rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(tuple(got[1]), tuple(want[1]), rtol=1e-9, atol=1e-10)


@every_form
def test_gradients(form):
    given, start = problem(9, batch=1, size=2)

    def outputs(*leaves):
        y, memory = run(form, leaves[:5], leaves[5:], chunk_size=4)
        return y, *memory

    assert torch.autograd.gradcheck(outputs, (*given, *start))


@every_form
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("gates", [100.0, 1e4])
def test_gates_far_out_of_range_stay_numbers(form, dtype, gates):
    given, start = problem(100, dtype, gates=gates)
    y, memory = run(form, given, start)
    for tensor in (y, *memory, *gradients(form, given, start)):
        assert tensor.isfinite().all()
    # What an exponent is rounded by is a relative error, and exp(-m) keeps no denominator large.
    within = 10 * torch.finfo(dtype).eps * gates
    want, last = run("recurrent", given, start)
    torch.testing.assert_close(y, want, rtol=within, atol=within)
    torch.testing.assert_close(tuple(memory), tuple(last), rtol=within, atol=within)


@every_form
def test_nothing_written_for_long_is_nothing_read(form):
    """Of what is forgotten at once, exp(-m) would overflow."""
    given, start = problem(60, torch.float32)
    with torch.no_grad():
        given[3] -= 1000
        given[4] -= 1000
    y, memory = run(form, given, start)
    for tensor in (y, *memory, *gradients(form, given, start)):
        assert tensor.isfinite().all()
    assert y[:, 1:].abs().max() < 1e-20
