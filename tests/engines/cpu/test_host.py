"""What this machine's vectors are, and what may be forced."""

import re
import subprocess
import sys

import pytest

from gatewise import InputError
from gatewise.engines.cpu import host as host_module
from gatewise.engines.cpu.host import foreign, host
from gatewise.engines.cpu.jit import assembly, compile_text

ADD = """
define void @add(ptr %a) {
  %v = load <16 x float>, ptr %a, align 4
  %w = fadd <16 x float> %v, %v
  store <16 x float> %w, ptr %a, align 4
  ret void
}
"""
WIDEST = {"avx512": "zmm", "avx2": "ymm", "plain": "xmm"}


@pytest.fixture
def forced(monkeypatch):
    """Force a kind, or skip where this machine has not got it."""

    def force(name):
        monkeypatch.setenv("GATEWISE_CPU", name)
        try:
            return host()
        except InputError:
            pytest.skip(f"this machine has no {name}")

    return force


def widest(text):
    """The widest registers of x86 in an assembly."""
    return max(re.findall(r"[xyz]mm", text))


def test_best_of_this_machine(monkeypatch):
    monkeypatch.delenv("GATEWISE_CPU", raising=False)
    best = host()
    assert best is host()
    assert best.vector_bytes in (16, 32, 64)


@pytest.mark.parametrize("name", WIDEST)
def test_forced_kind_uses_its_registers_and_no_wider(forced, name):
    machine = forced(name)
    assert machine.name == name
    if machine.flush != "mxcsr":
        pytest.skip("the names of registers are x86's")
    compile_text(ADD, machine)
    assert widest(assembly(ADD, machine)) == WIDEST[name]
    assert "+avx512" not in machine.features or name == "avx512"


def test_environment_is_read_each_time(forced, monkeypatch):
    monkeypatch.delenv("GATEWISE_CPU", raising=False)
    best = host()
    assert forced("plain").name == "plain"
    monkeypatch.setenv("GATEWISE_CPU", "")
    assert host() == best


@pytest.mark.parametrize("name", ["avx9", "neon", "AVX2"])
def test_refuses_what_there_is_not(monkeypatch, name):
    names = host_module._names("x86_64", {"avx2": True, "fma": True})
    monkeypatch.setattr(host_module, "_names", lambda machine, features: names)
    monkeypatch.setenv("GATEWISE_CPU", name)
    with pytest.raises(InputError, match=f"GATEWISE_CPU={name}: this machine takes avx2, plain;"):
        host()


def test_kinds_of_machines():
    avx512 = dict.fromkeys(["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx2", "fma"], True)
    assert host_module._names("x86_64", avx512) == ["avx512", "avx2", "plain"]
    assert host_module._names("x86_64", avx512 | {"avx512vl": False}) == ["avx2", "plain"]
    assert host_module._names("x86_64", {}) == ["plain"]
    assert host_module._names("aarch64", {}) == ["neon", "plain"]
    assert host_module._names("riscv64", {}) == ["plain"]


@pytest.mark.parametrize("name", WIDEST)
def test_code_for_another_x86(name):
    assert widest(assembly(ADD, foreign(name))) == WIDEST[name]


def test_code_for_aarch64():
    text = assembly(ADD, foreign("neon"))
    assert "fadd\tv0.4s" in text
    assert foreign("neon").flush == "fpcr"


def test_library_loads_no_compiler():
    code = (
        "import sys, gatewise, gatewise.engines, gatewise.engines.cpu.host; "
        "import gatewise.engines.cpu.threads, gatewise.engines.cpu.pool; "
        "sys.exit('llvmlite' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
