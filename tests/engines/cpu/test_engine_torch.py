"""What torch does with layers, on this engine or where it stands aside."""

import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.flop_counter import FlopCounterMode

from gatewise import engine, explain, nn
from gatewise.engines.cpu import whole

from .calls import assert_near


@pytest.fixture
def passes(monkeypatch):
    """Names of the passes that this engine has run."""
    seen = []

    def noting(name, usual):
        def noted(*args):
            seen.append(name)
            return usual(*args)

        return noted

    for name in ("forward", "forward_keeping", "backward"):
        monkeypatch.setattr(whole, name, noting(name, getattr(whole, name)))
    return seen


@contextmanager
def reference():
    with engine("reference"):
        yield


LAYERS = [
    lambda: nn.Recurrent("peephole_lstm", 3, 5, num_layers=2, bidirectional=True),
    lambda: nn.LSTM(3, 5, num_layers=2, batch_first=True),
]


def trained(layer, module, x):
    y, _ = module(x)
    return [y.detach(), *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("make", LAYERS)
def test_compiled(make, passes):
    layer, x = make().double(), torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    with reference():
        want = trained(layer, layer, x)
    assert passes == []
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=isinstance(layer, nn.Recurrent))
    assert_near(trained(layer, compiled, x), want, 1e-12)
    assert "backward" in passes


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="inductor wants g++")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_compiled_by_inductor():
    layer, x = LAYERS[0]().double(), torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    compiled = torch.compile(lambda x: layer(x.sin()), fullgraph=True)
    got = trained(layer, compiled, x)
    with reference():
        assert_near(got, trained(layer, lambda x: layer(x.sin()), x), 1e-12)


def test_exported(passes):
    layer, x = LAYERS[0](), torch.randn(2, 4, 3)
    program = torch.export.export(layer, (x,), dynamic_shapes={"x": {1: torch.export.Dim("time")}})
    assert passes == []
    x = torch.randn(2, 7, 3)
    y, _ = program.module()(x)
    assert len(passes) == 4
    torch.testing.assert_close(y, layer(x)[0])


def test_autocast_stands_aside(passes):
    layer, x = nn.Recurrent("lstm", 3, 5), torch.randn(2, 4, 3)
    full, _ = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = layer(x)
    assert passes == ["forward_keeping"]
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), full, rtol=0.03, atol=0.03)
    assert "not torch.bfloat16" in str(explain(layer.bfloat16(), x.bfloat16()))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_transforms_stand_aside(passes):
    layer, many = LAYERS[0]().double(), torch.randn(3, 2, 4, 3, dtype=torch.float64)
    with reference():
        want = [layer(x)[0].detach() for x in many]

    def run(x):
        return layer(x)[0]

    def loss(x):
        return run(x).square().sum()

    assert_near(torch.func.vmap(run)(many).detach(), want, 1e-12)
    leaf = many[0].clone().requires_grad_()
    with reference():
        exact = loss(leaf)
        (slope,) = torch.autograd.grad(exact, leaf)
    assert_near([torch.func.grad(loss)(many[0]).detach()], [slope], 1e-12)
    value, along = torch.func.jvp(loss, (many[0],), (many[1],))
    assert_near([along.detach()], [(slope * many[1]).sum()], 1e-12)
    assert_near([value.detach()], [exact.detach()], 1e-12)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(many[0], many[1])
        tangent = torch.autograd.forward_ad.unpack_dual(loss(dual)).tangent
    assert_near([tangent.detach()], [along.detach()], 1e-12)
    assert passes == []


def test_inference_mode(passes):
    layer, x = LAYERS[0](), torch.randn(2, 4, 3)
    want = layer(x)[0].detach()
    del passes[:]
    with torch.inference_mode():
        y, _ = layer(x)
    assert y.is_inference()
    assert passes == ["forward"] * 4
    torch.testing.assert_close(y, want)


@pytest.mark.parametrize("part", ["state", "weights"])
def test_tensors_of_several_types_are_not_read_as_one(part, passes):
    layer, x = nn.Recurrent("lstm", 3, 5), torch.randn(2, 4, 3)
    state = tuple(torch.randn(1, 2, 5) for _ in range(2))
    if part == "state":
        state = tuple(s.double() for s in state)
    else:
        layer.weight_hh_l0.data = layer.weight_hh_l0.data.double()
    with pytest.raises(RuntimeError):
        layer(x, state)
    assert passes == []


def test_a_type_of_weights_is_explained():
    layer = nn.Recurrent("lstm", 3, 5)
    layer.bias_hh_l0.data = layer.bias_hh_l0.data.double()
    found = explain(layer, torch.zeros(2, 4, 3))
    assert "like x, torch.float32 on cpu, and one is torch.float64" in found.reasons["cpu"]


class Named(torch.Tensor):
    """A subclass, as others' libraries have them."""


@pytest.mark.parametrize("name", ["lstm", "peephole_lstm"])
def test_tensors_without_memory_of_their_own_stand_aside(name, passes):
    layer, x = nn.Recurrent(name, 3, 5), torch.randn(2, 4, 3)
    want = layer(x)[0].detach()
    del passes[:]
    with FakeTensorMode() as mode:
        fake = nn.Recurrent(name, 3, 5)
        assert fake(torch.randn(2, 4, 3))[0].shape == (2, 4, 5)
    assert fake(mode.from_tensor(x))[0].shape == (2, 4, 5)
    torch.testing.assert_close(torch.Tensor(layer(x.as_subclass(Named))[0]), want)
    assert passes == []


def test_whoever_records_operations_sees_them(passes):
    layer, x = nn.Recurrent("peephole_lstm", 3, 5), torch.randn(2, 4, 3)
    with torch.no_grad():
        graph = make_fx(lambda x: layer(x)[0])(x)
        with FlopCounterMode(display=False) as counter:
            layer(x)
        assert passes == []
        other = torch.randn(2, 4, 3)
        torch.testing.assert_close(graph(other), layer(other)[0])
    assert counter.get_total_flops() >= 2 * 2 * 4 * 20 * (3 + 5)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_is_of_operations(passes):
    layer, x = nn.Recurrent("peephole_lstm", 3, 5).requires_grad_(False), torch.randn(2, 4, 3)
    traced = torch.jit.trace(lambda x: layer(x)[0], x, check_trace=False)
    assert passes == []
    other = torch.randn(2, 4, 3)
    torch.testing.assert_close(traced(other), layer(other)[0])


PROCESS = """
import sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from gatewise import nn
rank, port = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
torch.manual_seed(0)
layer, x = nn.Recurrent("lstm", 3, 5, dtype=torch.float64), torch.randn(4, 6, 3).double()
layer(x)[0].square().mean().backward()
want = [p.grad.clone() for p in layer.parameters()]
layer.zero_grad()
model = DistributedDataParallel(layer)
model(x[2 * rank : 2 * rank + 2])[0].square().mean().backward()
torch.testing.assert_close([p.grad for p in layer.parameters()], want)
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch has no torch.distributed")
def test_gradients_of_two_processes_are_those_of_one():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-c", PROCESS]
    ranks = [
        subprocess.Popen([*command, rank, port], stderr=subprocess.PIPE, text=True)
        for rank in ("0", "1")
    ]
    for rank in ranks:
        _, said = rank.communicate(timeout=120)
        assert rank.returncode == 0, said
