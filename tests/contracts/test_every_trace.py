"""What every layer owes to torch's tracers: a registered operator, one graph, a program."""

import pytest
import torch

from gatewise.engines.operator import _flatten, backward, forward
from gatewise.nn.regularization.noise import drawn

from .layers import answer, cases, given_to, layer_of, rotated, run, same

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")


CHECKS = ("test_schema", "test_autograd_registration", "test_faketensor")


def flattened(cell, kind):
    """What the operator of the first layer takes: of some lengths, leaves that want a gradient."""
    layer = layer_of(cell, kind)
    given = given_to(layer, 2, 2, (2, 1))
    call = layer.call(given.x, lengths=given.lengths)
    torch.manual_seed(2)
    noise = drawn(call.cell, given.x, layer.hidden_size)
    noise |= {name: v[..., None].expand(-1, -1, layer.hidden_size).clone()
              for name, v in given.outside.items()}  # fmt: skip
    weights = {name: w.detach().requires_grad_() for name, w in call.weights.items()}
    state = tuple(s.detach().clone().requires_grad_() for s in call.state)
    return _flatten(call._replace(weights=weights, state=state, noise=noise))


@cases(rotated(0))
def test_the_operator_is_registered(cell, kind):
    arguments = flattened(cell, kind)
    # Without the check that traces it: the test below traces whole layers.
    torch.library.opcheck(forward, arguments, test_utils=CHECKS)
    x, state, weights, *rest = arguments
    plain = (x.detach(), [s.detach() for s in state], [w.detach() for w in weights], *rest)
    along = [torch.randn_like(t) for t in forward(*plain)]
    torch.library.opcheck(backward, (along, *plain), test_utils=CHECKS)


@cases(rotated(0))
def test_compiled_in_training_it_is_one_graph_that_gives_the_same(cell, kind):
    layer = layer_of(cell, kind)
    given = given_to(layer)
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for mine, right in zip(answer(compiled, given), answer(layer, given), strict=True):
        same(mine, right, 1e-12)


@cases(rotated(1))
def test_exported_it_gives_the_same_for_any_batch_and_time(cell, kind):
    layer = layer_of(cell, kind).eval()
    given = given_to(layer, 3, 5, None)._replace(state=None, outside={})
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("time")}
    program = torch.export.export(layer, (given.x,), dynamic_shapes={"x": free}).module()
    x = given_to(layer, 2, 7, None).x
    want = run(layer, given._replace(x=x))
    y, state = program(x)
    same([*(y if isinstance(y, tuple) else (y,)), *state], want, 1e-12)
