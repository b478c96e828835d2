"""Means over the units inside the recurrence: layer norm as the reference engine has it."""

import pytest
import torch

pytest.importorskip("llvmlite.binding")

import gatewise
from gatewise import nn
from gatewise.cells import every_cell
from gatewise.compiler import FromInput, Gate, State, cell, mean, sigmoid, tanh
from gatewise.engines.cpu.plan import plan

MACHINES = ["", "avx2", "plain"]


@cell
def nested(a: Gate, g: Gate, h: State, c: State):
    """Means of a sum itself, of an old state, of a new one, and of what holds means."""
    c = sigmoid(a - mean(a)) * c + mean(c) * tanh(g)
    h = tanh(c - mean(c)) * (1 + mean((c - mean(c)) ** 2))
    return h, c


@cell
def of_input(a: FromInput, h: State):
    """A mean of rows of the input alone."""
    return sigmoid(a - mean(a)) * h + mean(h)


CASES = {
    "nested": (nested, {}),
    "of input": (of_input, {}),
    **{name: (name, {"layer_norm": "ba"}) for name in every_cell() if name != "phased_lstm"},
    "stored": ("lstm", {"layer_norm": "stored", "proj_size": 0}),
    "projected": ("lstm", {"layer_norm": "ba", "proj_size": 5}),
    "recompute": ("lstm", {"layer_norm": "ba", "memory": "recompute"}),
    "zoneout": ("gru", {"layer_norm": "ba", "zoneout": 0.5}),
}


def answer(layer, x, lengths):
    layer.zero_grad()
    torch.manual_seed(3)
    y, state = layer(x, lengths=lengths)
    y = y + 0.1 * y.square()
    (y.sum() + sum(s.sum() for s in state)).backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in layer.parameters()]
    return [y.detach(), *(s.detach() for s in state), *grads]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda name: name or "best")
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case, machine, monkeypatch):
    monkeypatch.setenv("GATEWISE_CPU", machine)
    kind, options = CASES[case]
    torch.manual_seed(0)
    layer = nn.Recurrent(kind, 3, 19, dtype=torch.float64, bidirectional=True, **options)
    x = torch.randn(5, 7, 3, dtype=torch.float64)
    assert gatewise.explain(layer, x).chosen == "cpu"
    found = answer(layer, x, [7, 0, 3, 7, 5])
    with gatewise.engine("reference"):
        wanted = answer(layer, x, [7, 0, 3, 7, 5])
    for mine, theirs in zip(found, wanted, strict=True):
        scale = max(1.0, theirs.abs().max().item())
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("threads", [1, 2])
def test_one_long_row(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layer = nn.Recurrent("lstm", 3, 160, layer_norm="ba", dtype=torch.float64)
    x = torch.randn(1, 90, 3, dtype=torch.float64)
    found = answer(layer, x, None)
    torch.set_num_threads(before)
    with gatewise.engine("reference"):
        wanted = answer(layer, x, None)
    for mine, theirs in zip(found, wanted, strict=True):
        scale = max(1.0, theirs.abs().max().item())
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10 * scale)


def test_a_mean_is_no_plane():
    made = plan(nested)
    assert len(made.means) == 4
    assert not {row.name for row in made.means} & {row.name for row in made.planes}
    assert made.state_rows == nested.state_rows
