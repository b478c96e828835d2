"""Both directions at once are what one after the other gives, on whatever number of threads."""

import pytest
import torch

pytest.importorskip("llvmlite.binding")

import gatewise
from gatewise import nn
from gatewise.engines import choice

CASES = {
    "one": (1, 40, None),
    "ragged": (3, 12, [12, 0, 5]),
    "many": (5, 700, None),
    "no step": (2, 0, None),
    "nobody": (0, 4, None),
}


@pytest.fixture(autouse=True)
def _two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def layer_of(cell="lstm", **arguments):
    torch.manual_seed(1)
    return nn.Recurrent(cell, 3, 33, bidirectional=True, num_layers=2, **arguments)


def answer(layer, x, lengths, along):
    """Outputs, states and all gradients."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    y, state = layer(x, lengths=lengths)
    parts = [y, *state]
    pairs = [(p, a) for p, a in zip(parts, along, strict=True) if p.requires_grad]
    torch.autograd.backward(*map(list, zip(*pairs, strict=True)))
    weights = [torch.zeros_like(w) if w.grad is None else w.grad for w in layer.parameters()]
    return [*(p.detach() for p in parts), x.grad, *weights]


@pytest.mark.parametrize("memory", ["keep", "recompute"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cell", ["lstm", "gru_reset_before"])
def test_equal_to_one_after_the_other(cell, case, memory, monkeypatch):
    batch, time, lengths = CASES[case]
    layer = layer_of(cell, memory=memory)
    x = torch.randn(batch, time, 3)
    states = len(layer.cell.states)
    along = [torch.randn(batch, time, 66), *(torch.randn(4, batch, 33) for _ in range(states))]
    found = answer(layer, x, lengths, along)
    monkeypatch.setattr(choice.CPU.__class__, "runs_both", lambda *_: False)
    wanted = answer(layer, x, lengths, along)
    for mine, theirs in zip(found, wanted, strict=True):
        scale = max(1.0, theirs.abs().max().item()) if theirs.numel() else 1.0
        torch.testing.assert_close(mine, theirs, rtol=0, atol=2e-6 * scale)


def test_both_ran_at_once(monkeypatch):
    ran = []
    own = choice.CPU.__class__.run_both
    monkeypatch.setattr(choice.CPU.__class__, "run_both", lambda *a: (ran.append(1), own(*a))[1])
    layer_of()(torch.randn(1, 9, 3))
    assert len(ran) == 2  # one a layer


def test_second_derivatives():
    layer = layer_of().double()
    x = torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True)

    def slope(x):
        y, _ = layer(x)
        return torch.autograd.grad(y.square().sum(), x, create_graph=True)[0]

    torch.autograd.gradcheck(slope, x, fast_mode=True)


def test_noise_of_both():
    layer = layer_of(zoneout=0.5)
    x = torch.randn(2, 6, 3)
    torch.manual_seed(4)
    y, _ = layer(x)
    torch.manual_seed(4)
    with gatewise.engine("reference"):
        wanted, _ = layer(x)
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-6)
