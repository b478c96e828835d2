"""Cells that are told how much time has passed: clocks of any period, memories that fade."""

import numpy as np
import pytest
import torch

from gatewise.cells import lstm, phased_lstm, time_aware_lstm
from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters

BATCH, INPUT, HIDDEN = 2, 3, 5


def drawn(cell, steps, dtype=torch.float64, seed=0):
    """A call from the state of a new layer, at irregular times."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        made = torch.randn(shape, generator=draw, dtype=torch.float64)
        return made.to(dtype).requires_grad_()

    shapes = parameters(cell, Dense(), INPUT, HIDDEN)
    dt = torch.rand((BATCH, steps, 1), generator=draw, dtype=torch.float64) * 3
    state = tuple(torch.zeros(BATCH, HIDDEN, dtype=dtype) for _ in cell.states)
    return Call(
        cell, Dense(), normal(BATCH, steps, INPUT),
        {name: normal(*shape) for name, shape in shapes.items()}, state,
        noise={"dt": dt.to(dtype).expand(-1, -1, HIDDEN)},
    )  # fmt: skip


def able(call):
    return [engine for engine in ENGINES if engine.why_not(call) is None]


def in_absolute_time(call, r_on=0.05, alpha=1e-3):
    """Neil et al. 2016, section 2, with the time stamps of the steps; plain torch."""
    weights = call.weights
    period, shift = weights["log_period"].exp(), weights["shift"]
    bias = weights["bias_ih"] + weights["bias_hh"]
    h, c = call.state[:2]
    outputs = []
    for x, t in zip(call.x.unbind(1), call.noise["dt"].cumsum(1).unbind(1), strict=True):
        phi = torch.remainder(t - shift, period) / period
        k = torch.where(
            phi < r_on / 2,
            2 * phi / r_on,
            torch.where(phi < r_on, 2 - 2 * phi / r_on, alpha * phi),
        )
        rows = x @ weights["weight_ih"].T + h @ weights["weight_hh"].T + bias
        i, f, g, o = rows.chunk(4, -1)
        c_tilde = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h_tilde = o.sigmoid() * c_tilde.tanh()
        c, h = k * c_tilde + (1 - k) * c, k * h_tilde + (1 - k) * h
        outputs.append(h)
    return torch.stack(outputs, 1), c


@pytest.mark.parametrize("r_on", [0.05, 0.5])
def test_the_carried_phase_is_that_of_absolute_time(r_on):
    call = drawn(phased_lstm.with_(r_on=r_on), 40)
    wanted = [call.x, *call.weights.values()]
    along = torch.linspace(-1, 2, BATCH * 40 * HIDDEN, dtype=torch.float64)
    want, c = in_absolute_time(call, r_on)
    gradients = torch.autograd.grad((want.flatten() * along).sum() + c.sum(), wanted)
    for engine in able(call):
        y, state = engine.run(call)
        torch.testing.assert_close((y, state[1]), (want, c))
        found = torch.autograd.grad((y.flatten() * along).sum() + state[1].sum(), wanted)
        torch.testing.assert_close(found, gradients)


def test_the_phase_stays_precise_in_float32():
    steps = 20_000
    call = drawn(phased_lstm, steps, torch.float32)
    dt = call.noise["dt"].double() * 50
    call = call._replace(noise={"dt": dt.float()})
    period = call.weights["log_period"].detach().double().exp()
    time = call.noise["dt"].double().sum(1)
    assert time.min() > 1e6
    exact = torch.remainder(time, period) / period
    with torch.no_grad():
        for engine in able(call):
            _, (_, _, phase) = engine.run(call)
            assert ((phase >= 0) & (phase <= 1)).all()
            apart = (phase.double() - exact + 0.5) % 1 - 0.5
            # Each step rounds, and so does the period's reciprocal: in time itself, float32 would
            # be off by a whole period after as long.
            relative = 2 * torch.finfo(torch.float32).eps * time / period
            assert (apart.abs() < relative + 1e-5).all()


def test_a_closed_unit_keeps_its_state_to_the_bit_without_leak():
    cell = phased_lstm.with_(alpha=0)
    call = drawn(cell, 1)
    state = (*(torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in "hc"), call.state[2])
    weights = call.weights | {
        "log_period": torch.full((HIDDEN,), 3.0, dtype=torch.float64),
        "shift": torch.zeros(HIDDEN, dtype=torch.float64),
    }
    dt = torch.full((BATCH, 1, HIDDEN), 5.0, dtype=torch.float64)
    call = call._replace(state=state, weights=weights, noise={"dt": dt})
    for engine in able(call):
        _, (h, c, phase) = engine.run(call)
        assert (torch.equal(h, state[0]), torch.equal(c, state[1])) == (True, True)
        torch.testing.assert_close(phase, 5 * weights["log_period"].neg().exp().expand(2, -1))


@pytest.mark.parametrize("cell", [phased_lstm, time_aware_lstm], ids=lambda cell: cell.name)
def test_where_no_time_is_given_a_step_is_one(cell):
    call = drawn(cell, 6)
    ones = call._replace(noise={"dt": torch.ones(BATCH, 1, HIDDEN, dtype=torch.float64)})
    for engine in able(call):
        torch.testing.assert_close(engine.run(call._replace(noise={})), engine.run(ones))


def test_without_time_between_steps_the_time_aware_lstm_is_the_lstm():
    call = drawn(time_aware_lstm, 6)
    call = call._replace(noise={"dt": torch.zeros(BATCH, 1, HIDDEN, dtype=torch.float64)})
    weights = call.weights | {
        name: call.weights[name][: 4 * HIDDEN] for name in ("weight_hh", "bias_hh")
    }
    want = ENGINES[-1].run(call._replace(cell=lstm, weights=weights, noise={}))
    for engine in able(call):
        torch.testing.assert_close(engine.run(call), want)


def test_a_long_time_leaves_the_long_term_part():
    call = drawn(time_aware_lstm, 1)
    c = torch.linspace(-2, 2, BATCH * HIDDEN, dtype=torch.float64).view(BATCH, HIDDEN)
    dt = torch.full((BATCH, 1, HIDDEN), 1e30, dtype=torch.float64)
    call = call._replace(state=(call.state[0], c), noise={"dt": dt})
    w = {name: weight.detach().numpy() for name, weight in call.weights.items()}
    short = np.tanh(c.numpy() @ w["weight_hh"][4 * HIDDEN :].T + w["bias_hh"][4 * HIDDEN :])
    rows = call.x[:, 0].detach().numpy() @ w["weight_ih"].T + w["bias_ih"]
    i, f, g, _ = np.split(rows + w["bias_hh"][: 4 * HIDDEN], 4, 1)
    left = c.numpy() - short * (1 - 1 / np.log(1e30))
    want = left / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    for engine in able(call):
        np.testing.assert_allclose(engine.run(call)[1][1].detach().numpy(), want, rtol=1e-12)
