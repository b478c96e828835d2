"""FlashRNN's and xLSTM's cells in plain torch, which run anywhere, as oracles for ours.

Both are given the gates' sums of the input, so the layers of ours have the identity for
`weight_ih`, and a block-diagonal matrix for several heads.
"""

import pytest
import torch

from gatewise import cells
from gatewise.interop import from_xlstm
from gatewise.interop.weights import built

from .packages import package

pytestmark = pytest.mark.external

BATCH, TIME, UNITS = 3, 7, 4
HEADS = pytest.mark.parametrize("heads", [1, 2, 3])


@pytest.fixture(scope="module")
def flashrnn():
    with package("flashrnn") as module:
        yield module.flashrnn


@pytest.fixture(scope="module")
def xlstm():
    with package("xlstm.blocks.slstm.cell") as module:
        yield module


def ours(cell, recurrent, bias_ih, bias_hh):
    """A layer of sums of gates; recurrent [gates, heads, units, units], biases [gates, hidden]."""
    sums = bias_ih.numel()
    weights = {
        "weight_ih": torch.eye(sums),
        "weight_hh": torch.cat([torch.block_diag(*gate) for gate in recurrent]),
        "bias_ih": bias_ih.flatten(),
        "bias_hh": bias_hh.flatten(),
    }
    return built(cell, [[weights]])


@HEADS
@pytest.mark.parametrize(("function", "gates"), [("lstm", 4), ("slstm", 4), ("elman", 1)])
def test_flashrnn(flashrnn, function, gates, heads):
    torch.manual_seed(0)
    sums = torch.randn(BATCH, TIME, gates, heads, UNITS, requires_grad=True)
    recurrent, bias = torch.randn(gates, heads, UNITS, UNITS), torch.randn(gates, heads, UNITS)
    theirs, last = flashrnn(
        sums, recurrent, bias, function=function, backend="vanilla", dtype="float32"
    )
    layer = ours(getattr(cells, function), recurrent, bias, torch.zeros_like(bias))
    y, state = layer(sums.flatten(2))
    want = theirs[0].flatten(2)
    torch.testing.assert_close(y, want)
    for got, expected in zip(state, last, strict=True):
        torch.testing.assert_close(got[0], expected[:, 0].flatten(1))
    grads = [torch.autograd.grad(out.square().sum(), sums)[0] for out in (y, want)]
    torch.testing.assert_close(*grads)


@HEADS
def test_flashrnn_gru(flashrnn, heads):
    torch.manual_seed(0)
    sums = torch.randn(BATCH, TIME, 3, heads, UNITS, requires_grad=True)
    # Its recurrent rows are n, r, z; its biases n of the state, r, z, n of the input.
    recurrent, bias = torch.randn(3, heads, UNITS, UNITS), torch.randn(4, heads, UNITS)
    theirs, _ = flashrnn(sums, recurrent, bias, function="gru", backend="vanilla", dtype="float32")
    none = torch.zeros_like(bias[:2])
    layer = ours(cells.gru, recurrent[[1, 2, 0]], bias[1:], torch.cat([none, bias[:1]]))
    y, _ = layer(sums.flatten(2))
    want = theirs[0].flatten(2)
    torch.testing.assert_close(y, want)
    grads = [torch.autograd.grad(out.square().sum(), sums)[0] for out in (y, want)]
    torch.testing.assert_close(*grads)


def cell_of(xlstm, heads, kind="sLSTMCell_vanilla", **options):
    config = xlstm.sLSTMCellConfig(
        hidden_size=heads * UNITS, num_heads=heads, backend="vanilla", dtype="float32",
        output_shape="BSH",
    )  # fmt: skip
    return getattr(xlstm, kind)(config, **options)


@HEADS
def test_xlstm(xlstm, heads):
    torch.manual_seed(0)
    theirs = cell_of(xlstm, heads)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_()
    sums = torch.randn(BATCH, TIME, 4 * heads * UNITS, requires_grad=True)
    want, last = theirs(sums)
    y, state = from_xlstm(theirs.state_dict())(sums)
    torch.testing.assert_close(y, want)
    for got, expected in zip(state, last, strict=True):
        torch.testing.assert_close(got[0], expected)
    grads = [torch.autograd.grad(out.square().sum(), sums)[0] for out in (y, want)]
    torch.testing.assert_close(*grads)


@HEADS
def test_weights_of_the_cuda_backend(xlstm, heads):
    torch.manual_seed(0)
    theirs = cell_of(xlstm, heads)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_()
    other = cell_of(xlstm, heads, "sLSTMCell_cuda", skip_backend_init=True)
    # Each backend says how its own layout is made from one that both share.
    kernel = other._recurrent_kernel_ext2int(
        theirs._recurrent_kernel_int2ext(theirs._recurrent_kernel_)
    )
    bias = other._bias_ext2int(theirs._bias_int2ext(theirs._bias_))
    want = from_xlstm(theirs.state_dict())
    assert kernel.shape == other._recurrent_kernel_.shape
    got = from_xlstm({"_recurrent_kernel_": kernel.detach(), "_bias_": bias.detach()})
    torch.testing.assert_close(got.state_dict(), want.state_dict(), rtol=0, atol=0)
