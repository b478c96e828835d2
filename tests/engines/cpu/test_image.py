"""Objects become code in one piece, or LLVM loads them."""

import ctypes
import errno
import math
import subprocess
import sys

import pytest
import torch

import gatewise
from gatewise.engines.cpu import engine, image, jit
from gatewise.engines.cpu.host import foreign, host
from gatewise.engines.cpu.image import Image, Loaded, linked

from .snippets import LIBM, answer, returned

CONSTANTS = """
define internal float @third(float %x) noinline {
  %y = fdiv float %x, 3.0
  ret float %y
}

define float @all(ptr %at, float %x, i64 %which) {
  %v = load <16 x float>, ptr %at, align 4
  %w = fadd <16 x float> %v, <float 0.0, float 1.0, float 2.0, float 3.0, float 4.0, float 5.0,
    float 6.0, float 7.0, float 8.0, float 9.0, float 10.0, float 11.0, float 12.0, float 13.0,
    float 14.0, float 15.0>
  store <16 x float> %w, ptr %at, align 4
  %y = call float @third(float %x)
  switch i64 %which, label %d [ i64 0, label %a i64 1, label %b i64 2, label %c i64 3, label %e ]
a:
  ret float %y
b:
  %z = fadd float %y, 0.25
  ret float %z
c:
  %u = fmul float %y, 7.5
  ret float %u
e:
  %t = fsub float %y, 9.0
  ret float %t
d:
  ret float 0.0
}
"""


@pytest.fixture
def link():
    """Links a text for this machine, or skips where its objects are of another kind."""

    def of(text):
        image = linked(jit._code(text, host()))
        if image is None:
            pytest.skip("this machine's objects are loaded by LLVM")
        return image

    return of


def function(loaded, *arguments):
    return ctypes.CFUNCTYPE(ctypes.c_float, *arguments)(loaded.address("all"))


def test_constants_branches_and_functions_of_its_own(link):
    image = link(CONSTANTS)
    assert list(image.functions) == ["all"], "what is internal has no name outside"
    loaded = Loaded(image)
    call = function(loaded, ctypes.c_void_p, ctypes.c_float, ctypes.c_int64)
    values = (ctypes.c_float * 16)(*[0.5] * 16)
    found = [call(ctypes.addressof(values), 6.0, k) for k in range(5)]
    assert found == [2.0, 2.25, 15.0, -7.0, 0.0]
    assert list(values) == [0.5 + 5 * k for k in range(16)]


def test_functions_of_the_system(link):
    image = link(LIBM)
    assert set(image.foreign) >= {"expf", "sinf"}
    loaded = Loaded(Image.unpacked(image.packed()))
    expected = math.sin(math.exp(1.5)) + math.log(1.5)
    assert function(loaded, ctypes.c_float)(1.5) == pytest.approx(expected, rel=1e-6)


def test_what_the_system_lacks(link):
    text = "declare void @gatewise_has_no_such()\n" + answer(1).replace(
        "  ret", "  call void @gatewise_has_no_such()\n  ret"
    )
    with pytest.raises(KeyError, match="no function gatewise_has_no_such"):
        Loaded(link(text))


def test_a_function_that_there_is_not(link):
    loaded = Loaded(link(answer(3)))
    assert returned(loaded) == 3
    with pytest.raises(KeyError, match="nothing"):
        loaded.address("nothing")


def test_others_are_left_to_llvm():
    assert linked(jit._code(answer(1), foreign("neon"))) is None
    assert linked(b"MZ") is None
    writable = "@x = global i64 1\n" + answer(1)
    assert linked(jit._code(writable, host())) is None


@pytest.fixture
def forbidden(monkeypatch):
    """A system that refuses to run what was written."""

    def refuse(*_):
        ctypes.set_errno(errno.EACCES)
        return -1

    monkeypatch.setattr(image, "_mprotect", lambda: refuse)
    for remembered in (image.may_make_code, engine.unable):
        remembered.cache_clear()
    yield
    for remembered in (image.may_make_code, engine.unable):
        remembered.cache_clear()


REASON = "this system lets no program make code as it runs"


def test_where_no_code_may_be_made_the_next_engine_runs(forbidden):
    x = torch.randn(5, 2, 3)
    gru, lstm, double = (
        gatewise.nn.GRU(3, 4),
        gatewise.nn.LSTM(3, 4),
        gatewise.nn.LSTM(3, 4).double(),
    )
    assert gatewise.explain(gru, x).reasons["cpu"] == REASON
    assert gatewise.explain(gru, x).chosen == "native"
    assert gatewise.explain(double, x.double()).chosen == "native"
    if torch.backends.mkldnn.is_available():
        found = gatewise.explain(lstm, x)
        assert found.reasons["native"] == (
            "torch's kernel for the lstm makes code as it runs, which this system forbids"
        )
        assert found.chosen == "reference"
    lstm(x)[0].sum().backward()
    with pytest.raises(gatewise.InputError, match=f"no stream for this layer: {REASON}"):
        lstm.stream()


def test_code_that_may_not_run_is_the_systems_error(forbidden, link):
    with pytest.raises(PermissionError, match=REASON):
        Loaded(link(answer(4)))


HARDENED = """
import ctypes, sys, torch, gatewise
layer, x = gatewise.nn.LSTM(3, 4), torch.zeros(2, 3, 3)
# PR_SET_MDWE: what is not code now never becomes code.
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit("this kernel cannot refuse")
layer(x)[0].sum().backward()
from gatewise.nn.linear import linear
assert linear(torch.ones(512, 512), torch.ones(512, 512))[0, 0] == 512
print(gatewise.explain(layer, x).reasons["cpu"])
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux can be asked to refuse code made at run time"
)
def test_a_hardened_process():
    command = [sys.executable, "-c", HARDENED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "cannot refuse" in done.stderr:
        pytest.skip("this kernel cannot refuse code made at run time (PR_SET_MDWE, Linux 6.3)")
    assert (done.returncode, done.stdout.strip()) == (0, REASON)
