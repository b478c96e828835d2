"""`MatrixLSTM`'s memory beside the authors' own functions in plain torch."""

import pytest
import torch

from gatewise.nn.parallel.matrix_memory import Inputs, Memory, chunkwise, stepwise

from .packages import package

pytestmark = pytest.mark.external

BATCH, TIME, HEADS, SIZE = 2, 100, 3, 8
FORMS = {
    "chunkwise": lambda given, memory: chunkwise(given, memory, 16),
    "parallel": lambda given, memory: chunkwise(given, memory, TIME),
    "recurrent": stepwise,
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.fixture(scope="module")
def xlstm():
    with package("xlstm.blocks.mlstm.backends") as module:
        yield module


@pytest.fixture
def rows():
    """Queries, keys, values [batch, heads, time, size], gates [batch, heads, time, 1]."""
    draw = torch.Generator().manual_seed(0)
    sizes = (SIZE, SIZE, SIZE, 1, 1)
    q, k, v, i, f = (
        torch.randn(BATCH, HEADS, TIME, n, generator=draw, dtype=torch.float64) for n in sizes
    )
    return [row.requires_grad_() for row in (q, k, v, i, (f + 2).detach())]


def ours(form, rows):
    q, k, v, i, f = (row.transpose(1, 2) for row in rows)
    f = torch.nn.functional.logsigmoid(f)
    given = Inputs(q, k * SIZE**-0.5, v, i.squeeze(-1), f.squeeze(-1))
    shape = (BATCH, HEADS)
    empty = Memory(*(q.new_zeros(*shape, *rest) for rest in ((SIZE, SIZE), (SIZE,), ())))
    y, memory = form(given, empty)
    return y.transpose(1, 2), memory


@every_form
def test_outputs_and_gradients_are_those_of_their_parallel_form(xlstm, form, rows):
    y, _ = ours(form, rows)
    want = xlstm.parallel_stabilized_simple(*rows)
    # Their parallel form has no level before the first step, so its epsilon counts a little more.
    torch.testing.assert_close(y, want, rtol=1e-5, atol=1e-5)
    weights = torch.linspace(-1, 1, want.numel(), dtype=want.dtype).view_as(want)
    for got, theirs in zip(
        torch.autograd.grad(y, rows, weights), torch.autograd.grad(want, rows, weights), strict=True
    ):
        torch.testing.assert_close(got, theirs, rtol=1e-4, atol=1e-5)


@every_form
def test_outputs_and_memory_are_those_of_their_steps(xlstm, form, rows):
    y, memory = ours(form, rows)
    c, n, m = (
        torch.zeros(BATCH, HEADS, *rest, dtype=y.dtype)
        for rest in ((SIZE, SIZE), (SIZE, 1), (1, 1))
    )
    outputs = []
    for t in range(TIME):
        step = [row.detach()[:, :, t : t + 1].clone() for row in rows]
        h, (c, n, m) = xlstm.recurrent_step_stabilized_simple(c, n, m, *step)
        outputs.append(h)
    torch.testing.assert_close(y, torch.cat(outputs, 2), rtol=1e-10, atol=1e-10)
    theirs = (c, n.squeeze(-1), m[..., 0, 0])
    torch.testing.assert_close(tuple(memory), theirs, rtol=1e-10, atol=1e-10)
