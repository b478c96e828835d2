"""What every engine owes: the equations of every cell that it says it can run, at any length."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.cells import every_cell
from gatewise.compiler import (
    FromInput,
    FromState,
    Gate,
    Hyper,
    Noise,
    State,
    Weight,
    cell,
    recurrent_dropout,
    sigmoid,
    tanh,
    zoneout,
)
from gatewise.connectivity import Dense
from gatewise.engines import ENGINES, Call, parameters, recurrence, state_sizes, step

from ..cells import oracles

INPUT, HIDDEN = 3, 4


@cell(bias={"n": 0.5})
def homemade(
    r: Gate, u: FromInput, v: FromState, n: Gate, h: State, m: State, w: Weight = 0.3,
    keep: Hyper = 0.7,
):  # fmt: skip
    """Everything at once: all kinds of ports, two states, a product inside the equations."""
    m = keep * m + (1 - keep) * tanh(v + w * h)
    n = tanh(n(sigmoid(r) * h) + m * u)
    return n + sigmoid(r) * h, m


@cell
def diagonal(a: FromInput, h: State, u: Weight = 0.5):
    """Units that see only themselves: no recurrent matrix at all."""
    return tanh(a + u * h)


@cell
def noisy(
    r: Gate, u: FromInput, v: FromState, n: Gate, h: State, m: State, w: Weight = 0.3,
    keep: Hyper = 0.7, a: Noise = 0.5, b: Noise = 1.0,
):  # fmt: skip
    """The homemade cell with noise before, inside and after its product."""
    m = keep * m + (1 - keep) * tanh(v + w * h) * a
    n = tanh(n(sigmoid(r) * h * b) + m * u)
    return a * n + sigmoid(r) * h, m


CELLS = every_cell() | {
    "homemade": homemade,
    "diagonal": diagonal,
    "noisy": noisy,
    "zoneout": zoneout(every_cell()["peephole_lstm"], {"h": 0.1, "c": 0.5}),
    "semeniuta": recurrent_dropout(every_cell()["gru"], 0.3),
    "gal": recurrent_dropout(every_cell()["gru_reset_before"], 0.3, "gal"),
}


def drawn(cell, batch, time, *, proj_size=0, bias=True, seed=0):
    """A call with random weights and state, in float64 with gradients."""
    draw = torch.Generator().manual_seed(seed)
    dense = Dense(proj_size)

    def normal(*shape):
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    shapes = parameters(cell, dense, INPUT, HIDDEN, bias=bias)
    sizes = state_sizes(cell, dense, HIDDEN)
    return Call(
        cell,
        dense,
        normal(batch, time, INPUT),
        {name: normal(*shape) for name, shape in shapes.items()},
        tuple(normal(batch, size) for size in sizes),
        noise={name: mask(name, batch, time, draw) for name in cell.noises},
    )


def mask(name, batch, time, draw):
    """Noise drawn anew for each step, or once for the sequence."""
    steps = 1 if name in ("b", "drop_h") else time
    shape = (batch, steps, HIDDEN)
    return 1.5 * torch.bernoulli(torch.full(shape, 0.6, dtype=torch.float64), generator=draw)


def cut(noise, k, length):
    """The noise of the first steps of one sequence."""
    return {
        name: value[k : k + 1, :length] if value.shape[1] > 1 else value[k : k + 1]
        for name, value in noise.items()
    }


def spoiled(noise, lengths):
    """The same noise with no number past the ends of the sequences."""
    found = {name: value.clone() for name, value in noise.items()}
    for value in found.values():
        for k, length in enumerate(lengths):
            if value.shape[1] > 1:
                value[k, length:] = float("nan")
    return found


def able(call):
    engines = [engine for engine in ENGINES if engine.why_not(call) is None]
    assert engines, "some engine runs everything"
    return engines


def flat(result):
    return [result[0], *result[1]]


def gradients(call, outputs):
    """Of an uneven sum of all outputs, with respect to all that went in."""
    loss = sum((t * torch.linspace(-1, 2, t.numel()).view_as(t)).sum() for t in outputs)
    wrt = [call.x, *call.state, *call.weights.values()]
    return torch.autograd.grad(loss, wrt, allow_unused=True, materialize_grads=True)


def agree(call):
    """All engines that run a call give what the last one does, the reference; give that."""
    want, *others = [flat(engine.run(call)) for engine in reversed(able(call))]
    want_gradients = gradients(call, want)
    for got in others:
        torch.testing.assert_close(got, want)
        torch.testing.assert_close(gradients(call, got), want_gradients)
    return want


def by_block(names, rows):
    blocks = np.split(rows.detach().numpy(), len(names)) if names else []
    return dict(zip(names, blocks, strict=True))


def in_numpy(call):
    """The whole sequence by the paper's equations, in NumPy."""
    cell, weights = call.cell, call.weights
    W = by_block(cell.input_rows, weights["weight_ih"])
    U = by_block(cell.state_rows, weights.get("weight_hh"))
    b = by_block(cell.input_rows, weights["bias_ih"])
    for row, value in by_block(cell.state_rows, weights.get("bias_hh")).items():
        b[row] = b[row] + value if row in b else value
    p = {name: weights[name].detach().numpy() for name in cell.weights}
    state = tuple(s.detach().numpy() for s in call.state)
    outputs = []
    for t, x in enumerate(call.x.detach().numpy().swapaxes(0, 1)):
        given = {name: value[:, t % value.shape[1]].numpy() for name, value in call.noise.items()}
        state = getattr(oracles, cell.name)(x, state, W, U, b, p | given)
        outputs.append(state[0])
    return [np.stack(outputs, 1), *state]


@pytest.mark.parametrize("name", every_cell())
def test_values_are_those_of_the_papers(name):
    call = drawn(CELLS[name], 2, 5)
    for engine in able(call):
        for got, want in zip(flat(engine.run(call)), in_numpy(call), strict=True):
            np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.none() | st.lists(st.integers(0, 5), min_size=3, max_size=3),
    reverse=st.booleans(),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_all_engines_agree(name, lengths, reverse, bias, seed):
    call = drawn(CELLS[name], 3, 5, bias=bias, seed=seed)._replace(reverse=reverse)
    if lengths is not None:
        call = call._replace(lengths=torch.tensor(lengths))
    agree(call)


@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=6, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    reverse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_each_length_is_the_sequence_alone(name, lengths, reverse, seed):
    call = drawn(CELLS[name], len(lengths), 5, seed=seed)._replace(reverse=reverse)
    x = call.x.detach().clone()
    for k, length in enumerate(lengths):
        x[k, length:] = float("nan")  # What stands past the end is never looked at.
    ragged = call._replace(
        x=x.requires_grad_(), lengths=torch.tensor(lengths), noise=spoiled(call.noise, lengths)
    )
    for engine in able(ragged):
        y, state = engine.run(ragged)
        for k, length in enumerate(lengths):
            alone = call._replace(
                x=call.x[k : k + 1, :length],
                state=tuple(s[k : k + 1] for s in call.state),
                noise=cut(call.noise, k, length),
            )
            runner = engine if engine.why_not(alone) is None else ENGINES[-1]
            alone_y, alone_state = runner.run(alone)
            torch.testing.assert_close(y[k : k + 1, :length], alone_y)
            assert not y[k, length:].any()
            torch.testing.assert_close(tuple(s[k : k + 1] for s in state), alone_state)
        for gradient in gradients(ragged, [y, *state]):
            assert gradient.isfinite().all()


@pytest.mark.parametrize("name", CELLS)
def test_steps_are_the_sequence(name):
    call = drawn(CELLS[name], 2, 5)
    for engine in able(call):
        y, last = engine.run(call)
        state = call.state
        for t in range(5):
            noise = {name: value[:, t % value.shape[1]] for name, value in call.noise.items()}
            state = step(call.cell, call.connectivity, call.x[:, t], call.weights, state, noise)
            torch.testing.assert_close(y[:, t], state[0])
        torch.testing.assert_close(last, state)


@pytest.mark.parametrize("name", [name for name in CELLS if CELLS[name].noises])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_noise_belongs_to_its_step_and_has_a_value_when_it_is_not_given(name, reverse):
    call = drawn(CELLS[name], 2, 5)._replace(reverse=reverse, lengths=torch.tensor([5, 3]))
    every = {name: value.expand(2, 5, HIDDEN) for name, value in call.noise.items()}
    none = {
        name: torch.full((2, 5, HIDDEN), mean, dtype=torch.float64)
        for name, mean in call.cell.noises.items()
    }
    for engine in able(call):
        want, state = engine.run(call)
        torch.testing.assert_close(engine.run(call._replace(noise=every)), (want, state))
        for t in range(5):
            one = call._replace(
                x=call.x[:, t : t + 1],
                lengths=(call.lengths - t).clamp(0, 1),
                noise={name: value[:, t : t + 1] for name, value in every.items()},
            )
            before = ENGINES[-1].run(_up_to(call, every, t))[1]
            y, _ = engine.run(one._replace(state=before))
            torch.testing.assert_close(y, want[:, t : t + 1])
        first, *_ = call.cell.noises
        some = {name: value for name, value in call.noise.items() if name != first}
        for fewer, more in (({}, none), (some, call.noise | {first: none[first]})):
            got, want = (flat(engine.run(call._replace(noise=n))) for n in (fewer, more))
            torch.testing.assert_close(got, want)
            torch.testing.assert_close(gradients(call, got), gradients(call, want))


def _up_to(call, noise, t):
    """The steps before t, in the order of time in which the call runs."""
    steps = slice(t + 1, None) if call.reverse else slice(0, t)
    passed = t + 1 if call.reverse else 0
    return call._replace(
        x=call.x[:, steps],
        lengths=(call.lengths - passed).clamp(min=0, max=call.x[:, steps].shape[1]),
        noise={name: value[:, steps] for name, value in noise.items()},
    )


@pytest.mark.parametrize("name", CELLS)
def test_nothing_to_do(name):
    for batch, time in ((2, 0), (0, 3)):
        call = drawn(CELLS[name], batch, time)
        for engine in able(call):
            y, state = engine.run(call)
            assert y.shape == (batch, time, HIDDEN)
            torch.testing.assert_close(state, call.state)


@pytest.mark.parametrize("name", CELLS)
def test_derivatives(name):
    call = drawn(CELLS[name], 2, 3)._replace(lengths=torch.tensor([3, 1]))

    def run(x, *rest):
        state, weights = rest[: len(call.state)], rest[len(call.state) :]
        given = call._replace(
            x=x, state=state, weights=dict(zip(call.weights, weights, strict=True))
        )
        return tuple(flat(recurrence(*given)))

    inputs = (call.x, *call.state, *call.weights.values())
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "coupled_lstm"])
def test_projection(name):
    call = drawn(CELLS[name], 3, 5, proj_size=2)._replace(
        lengths=torch.tensor([4, 0, 5]), reverse=True
    )
    assert agree(call)[0].shape == (3, 5, 2)
