"""The engine on every kind of vectors: of this machine, and as text for others."""

import pytest
import torch

from gatewise import InputError
from gatewise.cells import every_cell
from gatewise.engines.cpu import moving, packing, products
from gatewise.engines.cpu.backward import Backward
from gatewise.engines.cpu.forward import Forward
from gatewise.engines.cpu.host import foreign, host
from gatewise.engines.cpu.ir import Lanes
from gatewise.engines.cpu.jit import assembly
from gatewise.engines.cpu.plan import plan

from ...contracts.test_every_engine import CELLS as RICH
from .calls import CPU, REFERENCE, agree, assert_near, drawn, run, to

CELLS = every_cell()


@pytest.fixture(params=["avx512", "avx2", "neon", "plain"])
def kind(request, monkeypatch):
    """Forces a kind of vectors, where this machine has it."""
    monkeypatch.setenv("GATEWISE_CPU", request.param)
    try:
        return host()
    except InputError:
        pytest.skip(f"this machine has no {request.param}")


SIZES = [(3, 4, 5, 1), (2, 5, 7, 33), (9, 3, 20, 40), (1, 6, 70, 17), (13, 2, 1, 64)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru_reset_before"])
def test_values_and_gradients(kind, name, dtype):
    for size in SIZES:
        ragged = torch.arange(size[0]) % (size[1] + 1)
        for lengths, reverse in ((None, False), (ragged, True)):
            call = drawn(CELLS[name], *size, dtype=dtype, lengths=lengths, reverse=reverse)
            got, found = run(call)
            want, exact = run(to(call, torch.float64), REFERENCE)
            single = dtype == torch.float32
            assert_near(got, want, 2e-6 if single else 1e-13)
            assert_near(found, exact, 1e-5 if single else 1e-12)


def test_projection_noise_and_products_inside(kind):
    agree(drawn(CELLS["peephole_lstm"], 4, 5, 3, 19, proj=7))
    noise = {name: torch.rand(4, 5, 11, dtype=torch.float64) for name in RICH["noisy"].noises}
    agree(drawn(RICH["noisy"], 4, 5, 3, 11, noise=noise, reverse=True))


def test_a_clock(kind):
    torch.manual_seed(0)
    # A gate that opens in a twentieth of a period blows up how time is rounded.
    cell = CELLS["phased_lstm"].with_(r_on=0.5)
    for dtype in (torch.float32, torch.float64):
        dt = torch.rand(4, 6, 19, dtype=dtype)
        call = drawn(cell, 4, 6, 3, 19, dtype=dtype, noise={"dt": dt})
        exact = to(call, torch.float64)._replace(noise={"dt": dt.double()})
        got, found = run(call)
        want, gradients = run(exact, REFERENCE)
        single = dtype == torch.float32
        assert_near(got, want, 2e-6 if single else 1e-13)
        assert_near(found, gradients, 1e-5 if single else 1e-12)


def test_kinds_agree_on_long_sequences(kind):
    call = drawn(CELLS["lstm"], 2, 300, 3, 21, dtype=torch.float32)
    y, _ = CPU.run(call)
    exact, _ = REFERENCE.run(to(call, torch.float64))
    assert_near([y.detach()], [exact.detach()], 2e-6)


def modules(cell, lanes, registers, projected=False):
    made = plan(cell, projected)
    return [
        Forward(made, lanes, registers, True).text(),
        Forward(made, lanes, registers, False).text(),
        Backward(made, lanes).text(),
    ]


@pytest.mark.parametrize("kind", ["float", "double"])
def test_code_for_aarch64(kind):
    machine = foreign("neon")
    lanes = Lanes(kind, 4 if kind == "float" else 2)
    texts = [
        *modules(RICH["noisy"], lanes, machine.registers),
        *modules(CELLS["peephole_lstm"], lanes, machine.registers, projected=True),
        products.text(lanes, machine.registers),
        packing.text(lanes, machine.registers),
        moving.text(lanes),
    ]
    for text in texts:
        assert "llvm.x86" not in text
        code = assembly(text, machine)
        assert ".globl" in code
    together = "".join(assembly(text, machine) for text in texts[:3])
    assert "fmla\tv" in together
    # Nothing of a math library: it would compute one number at a time.
    calls = [line.split()[1] for line in together.splitlines() if line.split()[:1] == ["bl"]]
    assert {"expf", "exp", "tanhf", "tanh", "logf", "log"}.isdisjoint(calls)
    clock = assembly(modules(CELLS["phased_lstm"], lanes, machine.registers)[0], machine)
    assert "frintm\tv" in clock


def test_denormals_on_the_way_back():
    torch.manual_seed(0)
    call = drawn(CELLS["lstm"], 2, 400, 3, 16, dtype=torch.float32)
    for name in ("weight_hh", "weight_ih"):
        call.weights[name].data.uniform_(-0.25, 0.25)

    def last(outputs):
        return outputs[0][:, -1].square().sum()

    tiny = torch.tensor([1e-40])
    found = run(call, loss=last)[1]
    assert (tiny * 2).item() > 0  # as it was before
    exact = run(to(call, torch.float64), REFERENCE, last)[1]
    smallest = exact[0][:, 0].abs().max()
    assert 0 < smallest < 1e-38, "the gradients of the first steps are below what float32 holds"
    for gradient in found:
        assert gradient.isfinite().all()
    assert not found[0][:, 0].any()
    normal = torch.finfo(torch.float32).tiny
    for got, want in zip(found, exact, strict=True):
        largest = want.abs().max()
        if largest > 1e3 * normal:
            assert_near([got], [want], 1e-5)
        else:
            assert (got.double() - want).abs().max() <= 1e3 * normal


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="torch cannot flush here")
@pytest.mark.parametrize("flush", [False, True])
def test_the_float_environment_is_as_before(flush):
    call = drawn(CELLS["lstm"], 2, 5, dtype=torch.float32)
    torch.set_flush_denormal(flush)
    try:
        run(call)
        assert ((torch.tensor([1e-40]) * 2).item() > 0) != flush
    finally:
        torch.set_flush_denormal(False)
