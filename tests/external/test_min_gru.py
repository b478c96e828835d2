"""`MinLSTM` and `MinGRU` beside those of the package minGRU-pytorch, from the zero state.

Its parallel form takes a state that it is given through g, its steps do not; ours never do.
"""

import pytest
import torch

from gatewise.nn import MinGRU, MinLSTM

from .packages import package

pytestmark = pytest.mark.external

SIZE = 6


@pytest.fixture(params=["min_gru", "min_lstm"])
def pair(request):
    """Our layer and theirs with the same weights; theirs has the candidate first, no biases."""
    torch.manual_seed(0)
    if request.param == "min_gru":
        with package("minGRU_pytorch.minGRU") as module:
            layer, other, order = MinGRU(SIZE, SIZE), module.minGRU(SIZE), (1, 0)
        weight = other.to_hidden_and_gate.weight
    else:
        with package("minGRU_pytorch.minLSTM") as module:
            layer, other, order = MinLSTM(SIZE, SIZE), module.minLSTM(SIZE), (2, 1, 0)
        weight = other.to_hidden_and_f_i_gate.weight
    blocks = weight.detach().split(SIZE)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.cat([blocks[k] for k in order]))
        layer.bias_ih_l0.zero_()
    return layer.double(), other.double()


def test_sequences_are_theirs(pair):
    layer, other = pair
    x = torch.randn(2, 100, SIZE, dtype=torch.float64, requires_grad=True)
    y, want = layer(x)[0], other(x)
    torch.testing.assert_close(y, want, rtol=1e-8, atol=1e-8)
    weights = torch.linspace(-1, 1, want.numel(), dtype=want.dtype).view_as(want)
    (got,), (owed,) = (torch.autograd.grad(t, x, weights) for t in (y, want))
    torch.testing.assert_close(got, owed, rtol=1e-8, atol=1e-8)


def test_steps_are_theirs(pair):
    layer, other = pair
    x = torch.randn(2, 10, SIZE, dtype=torch.float64)
    state, hidden = None, None
    for t in range(10):
        y, state = layer.step(x[:, t], state)
        out, hidden = other(x[:, t : t + 1], hidden, return_next_prev_hidden=True)
        torch.testing.assert_close(y, out[:, 0])
