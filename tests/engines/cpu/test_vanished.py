"""Steps that no gradient reaches are passed over, and nothing comes out otherwise."""

import numpy as np
import pytest
import torch

from gatewise import nn
from gatewise.cells import every_cell
from gatewise.engines.cpu import backward_pass
from gatewise.engines.cpu.both import run_both
from gatewise.engines.cpu.rows import rows
from gatewise.engines.cpu.vanished import Vanished

from .calls import drawn, run

CELLS = every_cell()
TIME = 400
UNEVEN = torch.tensor([TIME, 37, 250, 0, TIME - 1, 1])


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    """A pass of this size is one chunk, which is always run."""
    monkeypatch.setattr(backward_pass, "_CHUNK", 1 << 12)
    backward_pass._full.cache_clear()
    yield
    backward_pass._full.cache_clear()


@pytest.fixture
def passed(monkeypatch):
    """The chunks that were asked for, each with the answer."""
    answers = []

    def noting(self, first, last):
        answers.append(((first, last), PASSES(self, first, last)))
        return answers[-1][1]

    monkeypatch.setattr(Vanished, "passes", noting)
    return answers


PASSES = Vanished.passes


def call_of(cell="lstm", dtype=torch.float32, **options):
    """Weights so small that gates are half open: a gradient is halved with each step."""
    return drawn(CELLS[cell], 6, TIME, dtype=dtype, scale=0.1, **options)


def at_steps(*steps):
    """A loss on some outputs only."""
    return lambda outputs: sum((outputs[0][:, s] * (2 + s)).sum() for s in steps)


def at_true_ends(outputs):
    ends = (UNEVEN - 1).clamp(min=0)
    return (outputs[0][torch.arange(6), ends] * torch.tensor(range(1, 7))[:, None]).sum()


def on_states(outputs):
    return sum(t.square().sum() for t in outputs[1:])


CASES = {
    "last step": (call_of(), at_steps(-1)),
    "some steps": (call_of(), at_steps(390, 210, 20)),
    "some steps, reverse": (call_of(reverse=True), at_steps(390, 210, 20)),
    "final states": (call_of(), on_states),
    "true ends": (call_of(lengths=UNEVEN), at_true_ends),
    "final states of uneven ones": (call_of(lengths=UNEVEN), on_states),
    "uneven, reverse, long": (
        call_of(lengths=torch.tensor([TIME, 37, 60, 0, TIME - 1, 1]), reverse=True),
        at_steps(0),
    ),
    "computed again": (call_of(memory="recompute"), at_steps(-1, 100)),
    "projection": (call_of(proj=3), at_steps(-1)),
    "gru": (call_of("gru"), at_steps(-1)),
    "peepholes": (call_of("peephole_lstm"), at_steps(-1)),
    "two products a step": (call_of("gru_reset_before"), at_steps(-1)),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_the_same_comes_out_as_of_all_steps(case, threads, passed, monkeypatch):
    call, loss = CASES[case]
    torch.set_num_threads(threads)
    _, found = run(call, loss=loss)
    assert any(answer for _, answer in passed), "nothing was passed over"
    monkeypatch.setattr(Vanished, "passes", lambda *_: False)
    _, want = run(call, loss=loss)
    for mine, whole in zip(found, want, strict=True):
        torch.testing.assert_close(mine, whole, rtol=0, atol=0)


def test_a_loss_on_all_steps_passes_over_nothing(passed):
    run(call_of())
    assert passed
    assert not any(answer for _, answer in passed)


def test_two_directions_stop_each_at_its_own_end(passed, monkeypatch):
    there = call_of(seed=1)
    back = call_of(seed=2, reverse=True)._replace(x=there.x)
    wrt = [there.x, *there.weights.values(), *back.weights.values()]
    torch.set_num_threads(2)

    def found():
        (y, _), (z, _) = run_both([there, back])
        return torch.autograd.grad(y[:, -1].sum() + z[:, 0].square().sum(), wrt)

    stopped = found()
    assert any(answer for _, answer in passed)
    monkeypatch.setattr(Vanished, "passes", lambda *_: False)
    for mine, whole in zip(stopped, found(), strict=True):
        torch.testing.assert_close(mine, whole, rtol=0, atol=0)


def test_in_float64_too(passed):
    layer = nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.bias_ih_l0[4:8] = -9.0
    x = torch.randn(2, TIME, 3, dtype=torch.float64, requires_grad=True)
    y, _ = layer(x)
    y[:, -1].sum().backward()
    assert any(answer for _, answer in passed)
    assert x.grad[:, -1].all()
    assert not x.grad[:, 0].any()


@pytest.mark.parametrize("value", [1e-38, -1e-30, float("nan"), float("inf")])
def test_one_number_is_enough_to_go_on(value):
    carry = np.zeros(1000, dtype=np.float32)
    vanished = Vanished(
        [(carry.ctypes.data, carry.nbytes)], np.float32, rows(2, 9, None, False, 1), None, None
    )
    assert not vanished.passes(6, 9), "the first steps are always run"
    assert vanished.passes(3, 6)
    carry[777] = value
    assert not vanished.passes(0, 3)
