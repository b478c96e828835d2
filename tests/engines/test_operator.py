"""The operator as torch sees it: registration, tracing, export, autocast."""

import copy
import io
import pickle

import pytest
import torch

from gatewise import cells, engine, nn
from gatewise.compiler import recurrent_dropout, zoneout
from gatewise.connectivity import Dense
from gatewise.engines import Call, parameters, recurrence, state_sizes
from gatewise.engines.operator import _flatten, backward, forward

NAMES = pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before", "peephole_lstm"])


def drawn(name, batch=2, time=3, dtype=torch.float64, **options):
    cell, dense = getattr(cells, name), Dense()
    torch.manual_seed(0)
    weights = {
        weight: torch.randn(shape, dtype=dtype).requires_grad_()
        for weight, shape in parameters(cell, dense, 3, 4).items()
    }
    state = tuple(
        torch.randn(batch, size, dtype=dtype).requires_grad_()
        for size in state_sizes(cell, dense, 4)
    )
    x = torch.randn(batch, time, 3, dtype=dtype).requires_grad_()
    return Call(cell, dense, x, weights, state, **options)


@NAMES
@pytest.mark.parametrize("lengths", [None, [3, 0]], ids=["full", "ragged"])
def test_registration(name, lengths):
    lengths = None if lengths is None else torch.tensor(lengths)
    arguments = _flatten(drawn(name, lengths=lengths, reverse=lengths is not None))
    torch.library.opcheck(forward, arguments)
    torch.library.opcheck(backward, backwards(arguments))


def backwards(arguments):
    x, state, weights, *rest = arguments
    plain = (x.detach(), [s.detach() for s in state], [w.detach() for w in weights], *rest)
    return [torch.randn_like(t) for t in forward(*plain)], *plain


@pytest.mark.parametrize("per_step", [True, False], ids=["step", "sequence"])
def test_registration_with_noise(per_step):
    cell = zoneout(recurrent_dropout(cells.gru, 0.2, "gal"), {"h": 0.1})
    noise = {"zone_h": torch.rand(2, 3, 4, dtype=torch.float64)} if per_step else {}
    noise["drop_h"] = torch.rand(2, 1, 4, dtype=torch.float64)
    call = drawn("gru", lengths=torch.tensor([3, 1]), noise=noise)._replace(cell=cell)
    torch.library.opcheck(forward, _flatten(call))
    torch.library.opcheck(backward, backwards(_flatten(call)))
    y, state = recurrence(*call)
    torch.testing.assert_close(forward(*_flatten(call)), [y, *state])


def test_registration_without_a_time_step():
    torch.library.opcheck(forward, _flatten(drawn("lstm", time=0)))


@NAMES
def test_the_node_equals_the_engine_called_directly(name):
    call = drawn(name, lengths=torch.tensor([3, 1]))
    wrt = [call.x, *call.state, *call.weights.values()]
    y, state = recurrence(*call)
    both = [y, *state], forward(*_flatten(call))
    torch.testing.assert_close(*both)
    torch.testing.assert_close(
        *(torch.autograd.grad(sum(t.square().sum() for t in out), wrt) for out in both)
    )


@NAMES
def test_a_compiled_layer(name):
    layer = nn.Recurrent(name, 3, 4, num_layers=2, bidirectional=True, learn_state=True)
    x, lengths = torch.randn(2, 5, 3, requires_grad=True), torch.tensor([5, 2])
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    results, grads = [], []
    for module in (layer, compiled):
        y, state = module(x, lengths=lengths)
        results.append((y, *state))
        loss = y.square().sum() + state.h.sum()
        grads.append(torch.autograd.grad(loss, [x, *layer.parameters()]))
    torch.testing.assert_close(*results)
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("name", ["lstm", "gru_reset_before"])
def test_a_compiled_step(name):
    layer = nn.Recurrent(name, 3, 4, num_layers=2)
    compiled = torch.compile(layer.step, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 3)
    with torch.no_grad():
        _, state = layer.step(x)
    torch.testing.assert_close(compiled(x, state), layer.step(x, state))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_layer_compiled_by_inductor():
    layer = nn.Recurrent("coupled_lstm", 3, 4)
    x = torch.randn(2, 5, 3)
    compiled = torch.compile(lambda x: layer(x.sin())[0].exp(), fullgraph=True)
    torch.testing.assert_close(compiled(x), layer(x.sin())[0].exp())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copied_layer_compiles(copied):
    layer = copied(nn.Recurrent("gru", 3, 4))
    x = torch.randn(2, 5, 3)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x)[0], layer(x)[0])


def test_exported_with_batch_and_time_free():
    layer = nn.Recurrent("peephole_lstm", 3, 4, num_layers=2)
    x, lengths = torch.randn(3, 5, 3), torch.tensor([5, 2, 0])
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    program = torch.export.export(
        layer, (x,), {"lengths": lengths},
        dynamic_shapes={"x": {0: batch, 1: time}, "lengths": {0: batch}},
    )  # fmt: skip
    nodes = [str(node.target) for node in program.graph.nodes]
    assert nodes.count("gatewise.recurrence.default") == 2
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    x, lengths = torch.randn(2, 7, 3), torch.tensor([3, 7])
    y, state = layer(x, lengths=lengths)
    got, got_state = loaded(x, lengths=lengths)
    torch.testing.assert_close(got, y)
    torch.testing.assert_close(got_state.c, state.c)


@pytest.mark.parametrize("name", ["lstm", "gru", "peephole_lstm"])
def test_autocast(name):
    layer = nn.Recurrent(name, 3, 8)
    x, lengths = torch.randn(2, 5, 3), torch.tensor([5, 2])
    full, _ = layer(x, lengths=lengths)
    outputs = []
    for one in (*("native", "reference")[name == "peephole_lstm" :], "compiled"):
        module = layer
        with torch.autocast("cpu", torch.bfloat16):
            if one == "compiled":
                module = torch.compile(layer, fullgraph=True, backend="aot_eager")
                y, state = module(x, lengths=lengths)
            else:
                with engine(one):
                    y, state = module(x, lengths=lengths)
        assert y.dtype == state.h.dtype == torch.bfloat16
        torch.testing.assert_close(y.float(), full, rtol=0.03, atol=0.03)
        outputs.append(y)
        layer.zero_grad()
        y.float().sum().backward()
        assert layer.weight_ih_l0.grad.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.double()(x.double())[0].dtype == torch.float64


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_transforms_of_torch_func():
    call = drawn("peephole_lstm", lengths=torch.tensor([3, 2]))

    def run(x):
        return recurrence(*call._replace(x=x))[0]

    many = torch.randn(4, *call.x.shape, dtype=torch.float64)
    got = torch.func.vmap(run)(many)
    torch.testing.assert_close(got, torch.stack([run(x) for x in many]))
    per_sample = torch.func.vmap(torch.func.grad(lambda x: run(x).square().sum()))(many)
    one = many[1].clone().requires_grad_()
    torch.testing.assert_close(per_sample[1], torch.autograd.grad(run(one).square().sum(), one)[0])
    hessian = torch.func.jacfwd(torch.func.jacrev(lambda x: run(x).square().sum()))(many[0])
    assert hessian.isfinite().all()


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_transforms_that_are_compiled_are_the_reference_engines():
    layer, many = nn.Recurrent("peephole_lstm", 3, 4).double(), torch.randn(3, 2, 5, 3).double()

    def run(x):
        return layer(x, lengths=[5, 2])[0]

    def loss(x):
        return run(x).square().sum()

    for transform, one in ((torch.func.vmap, run), (torch.func.grad, loss)):
        compiled = torch.compile(transform(one), backend="aot_eager", fullgraph=True)
        given = many if one is run else many[0]
        torch.testing.assert_close(compiled(given), transform(one)(given))
