"""The exponential gates of the sLSTM: from nothing, far out of their range, and over many steps."""

import numpy as np
import pytest
import torch

from gatewise.cells import every_cell
from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters

from . import oracles

NAMES = ["slstm", "slstm_exp", "slstm_max"]
CELLS = every_cell()
BATCH, INPUT, HIDDEN = 3, 4, 5


def fresh(name, time, scale=1.0, dtype=torch.float64, lengths=None):
    """A sequence from the state of a new layer, all zeros, with weights of order `scale`."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape):
        made = torch.randn(shape, generator=draw, dtype=torch.float64)
        return (scale * made).to(dtype).requires_grad_()

    shapes = parameters(CELLS[name], Dense(), INPUT, HIDDEN, bias=True)
    state = tuple(torch.zeros(BATCH, HIDDEN, dtype=dtype, requires_grad=True) for _ in range(4))
    weights = {weight: normal(*shape) for weight, shape in shapes.items()}
    return Call(
        CELLS[name], Dense(), normal(BATCH, time, INPUT), weights, state,
        lengths=None if lengths is None else torch.tensor(lengths),
    )  # fmt: skip


def able(call):
    return [engine for engine in ENGINES if engine.why_not(call) is None]


def gradients(call, y, state):
    outputs = (y, *state)
    weighing = [torch.linspace(-1, 2, t.numel(), dtype=t.dtype).view_as(t) for t in outputs]
    return torch.autograd.grad(outputs, [call.x, *call.state, *call.weights.values()], weighing)


def by_block(cell, rows):
    return dict(zip(cell.input_rows, np.split(rows.detach().numpy(), 4), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_from_nothing_the_output_is_the_one_without_stabiliser(name):
    call = fresh(name, 6)
    weights = [by_block(call.cell, rows) for rows in call.weights.values()]
    w_ih, w_hh, b_ih, b_hh = weights
    bias = {row: b_ih[row] + b_hh[row] for row in b_ih}
    state, want = tuple(s.detach().numpy() for s in call.state), []
    for x in call.x.detach().numpy().swapaxes(0, 1):
        state = getattr(oracles, name)(x, state, w_ih, w_hh, bias, {})
        want.append(state[0])
    for engine in able(call):
        y, _ = engine.run(call)
        np.testing.assert_allclose(y.detach().numpy().swapaxes(0, 1), want, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("level", [-1e4, -200.0, 200.0, 1e4])
def test_an_input_gate_far_out_writes_all_at_the_first_step(name, dtype, level):
    call = fresh(name, 1, dtype=dtype)
    with torch.no_grad():
        call.weights["bias_ih"][:HIDDEN] += level
    _, _, g, o = (call.x[:, 0] @ call.weights["weight_ih"].T + call.weights["bias_ih"]
                  + call.weights["bias_hh"]).detach().chunk(4, -1)  # fmt: skip
    for engine in able(call):
        y, (_, c, n, m) = engine.run(call)
        torch.testing.assert_close(y[:, 0], g.tanh() * o.sigmoid())
        torch.testing.assert_close(n, torch.ones_like(n), rtol=0, atol=0)
        assert c.abs().max() <= 1
        assert m.isfinite().all()
        for gradient in gradients(call, y, (c, n, m)):
            assert gradient.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_gates_of_hundreds_over_many_steps_stay_numbers(name, dtype):
    call = fresh(name, 300, scale=10.0, dtype=dtype, lengths=[300, 0, 211])
    for engine in able(call):
        y, state = engine.run(call)
        _, c, n, _ = state
        assert y.abs().max() <= 1
        assert (c.abs() <= n).all()
        assert (n[[0, 2]] >= 1).all()
        for tensor in (*state, *gradients(call, y, state)):
            assert tensor.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_engines_agree_over_many_steps(name):
    call = fresh(name, 300, scale=0.4, lengths=[300, 0, 211])
    want, *others = [engine.run(call) for engine in reversed(able(call))]
    for got in others:
        torch.testing.assert_close(got, want)
        torch.testing.assert_close(gradients(call, *got), gradients(call, *want))


def test_both_normalisers_are_one_from_a_new_state():
    call = fresh("slstm", 60, scale=2.0)
    bounded = call._replace(cell=CELLS["slstm_max"])
    for engine in able(call):
        want, got = engine.run(call), engine.run(bounded)
        torch.testing.assert_close(got, want, rtol=0, atol=0)
        torch.testing.assert_close(gradients(bounded, *got), gradients(call, *want))


def test_the_normalisers_differ_where_a_small_one_is_given():
    call = fresh("slstm", 1)
    state = list(call.state)
    state[2] = torch.full((BATCH, HIDDEN), 0.25, dtype=torch.float64)
    state[3] = torch.full((BATCH, HIDDEN), 50.0, dtype=torch.float64)  # So the past outweighs.
    call = call._replace(state=tuple(state))
    for engine in able(call):
        for name, least in (("slstm", 0.25), ("slstm_max", 1.0)):
            _, (_, _, n, _) = engine.run(call._replace(cell=CELLS[name]))
            torch.testing.assert_close(n, torch.full_like(n, least))
