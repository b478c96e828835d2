"""The engine's kernels as code for aarch64, run by an emulator: its numbers are the reference's."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
import torch

from gatewise.cells import every_cell
from gatewise.engines.cpu import frame, jit, kernels, pool, task
from gatewise.engines.cpu.host import foreign

from ...contracts.test_every_engine import CELLS as RICH
from .calls import REFERENCE, assert_near, drawn, run, to

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
pytestmark = pytest.mark.skipif(
    not (shutil.which(COMPILER) and shutil.which(EMULATOR)),
    reason=f"needs {COMPILER} and {EMULATOR}: apt-get install gcc-aarch64-linux-gnu qemu-user",
)

CELLS = every_cell() | {
    "noisy": RICH["noisy"],
    "clock": every_cell()["phased_lstm"].with_(r_on=0.5),
}
MARK = 0x5AFE << 40  # No address and no size is near.

# Reads the memory of a call and its words, runs a region's jobs, writes all memory back.
MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
%(declared)s
static void (*const functions[])(void *) = {%(names)s};
typedef int64_t word;
static word get(FILE *f) { word w; if (fread(&w, 8, 1, f) != 1) exit(3); return w; }
int main(int n, char **names) {
  FILE *in = fopen(names[1], "rb"), *out = fopen(names[2], "wb");
  word count = get(in), start = get(in);
  char **bases = malloc(8 * count);
  word *sizes = malloc(8 * count);
  for (word k = 0; k < count; k++) {
    sizes[k] = get(in);
    bases[k] = (char *)(((word)malloc(sizes[k] + 256) + 127) / 64 * 64);
    if (sizes[k] && fread(bases[k], 1, sizes[k], in) != (size_t)sizes[k]) exit(4);
  }
  word *words = (word *)bases[0];
  for (word k = 0; k < sizes[0] / 8; k++) {
    word base = get(in);
    if (base >= 0) words[k] += (word)bases[base];
    else if (words[k] >> 40 == 0x5AFE) words[k] = (word)functions[words[k] & 0xFF];
  }
  word *region = words + start / 8;
  for (word k = 0; k < region[0]; k++) {
    word **job = (word **)region[3 + k];
    ((void (*)(void *))job[0])(job);
  }
  for (word k = 1; k < count; k++) fwrite(bases[k], 1, sizes[k], out);
  return fclose(out);
}
"""


class Marked:
    """Stands for compiled functions that this machine cannot run; gives numbers as addresses."""

    def __init__(self, functions):
        self._functions = functions

    def address(self, name):
        if name not in self._functions:
            self._functions.append(name)
        return MARK + self._functions.index(name)


@pytest.fixture
def emulated(monkeypatch, tmp_path):
    """Has the engine's calls run by the emulator, on one thread."""
    machine, texts, functions = foreign("neon"), {}, []
    sizes, frames = {}, {}

    def compiled(about, write, host):
        texts[write()] = host
        return Marked(functions)

    def noted_address(tensor, usual=torch.Tensor.data_ptr):
        skipped = tensor.storage_offset() * tensor.element_size()
        sizes[usual(tensor)] = tensor.untyped_storage().nbytes() - skipped
        return usual(tensor)

    usual_block, usual_at = pool.Block.__init__, frame.Frame.at

    def noted_block(block, memory, nbytes, give_back):
        usual_block(block, memory, nbytes, give_back)
        sizes[block.address] = nbytes

    def noted_at(self, bases):
        live = usual_at(self, bases)
        frames[id(live)] = (live, self, dict(bases))
        return live

    def by_emulator(live, region, count):
        assert count == 1
        _, made, bases = frames[id(live)]
        names = ["frame", *(name for name in bases if bases[name])]
        words, owners = live._memory.copy(), np.full(len(live._memory), -1)
        for nth, base in enumerate(made._bases):
            which = made._moved[made._by == nth]
            words[which] -= live._address if base == "frame" else bases[base]
            owners[which] = names.index(base)
        memory = [words.tobytes()]
        for name in names[1:]:
            memory.append(_bytes(bases[name], sizes[bases[name]]).tobytes())
        content = np.array([len(names), region.offset]).tobytes()
        for part in memory:
            content += np.array([len(part)]).tobytes() + part
        (tmp_path / "in").write_bytes(content + owners.tobytes())
        command = [
            EMULATOR,
            _program(texts, functions, tmp_path),
            tmp_path / "in",
            tmp_path / "out",
        ]
        subprocess.run(command, check=True, timeout=60)
        result, at = np.fromfile(tmp_path / "out", np.uint8), 0
        for name, before in zip(names[1:], memory[1:], strict=True):
            now, old = result[at : at + len(before)], np.frombuffer(before, np.uint8)
            at += len(before)
            # Only what was written: some memory goes by two names.
            changed = now != old
            _bytes(bases[name], len(before))[changed] = now[changed]

    for name in ("forward", "backward", "product", "move", "pack"):
        getattr(kernels, name).cache_clear()
    monkeypatch.setattr(kernels, "compiled", compiled)
    monkeypatch.setattr(task, "host", lambda: machine)
    monkeypatch.setattr(torch.Tensor, "data_ptr", noted_address)
    monkeypatch.setattr(pool.Block, "__init__", noted_block)
    monkeypatch.setattr(frame.Frame, "at", noted_at)
    monkeypatch.setattr(frame.Live, "run", by_emulator)
    yield
    for name in ("forward", "backward", "product", "move", "pack"):
        getattr(kernels, name).cache_clear()


def _bytes(address, size):
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8)


def _program(texts, functions, folder):
    """The kernels of a call with the program that runs them."""
    program = folder / f"program{len(texts)}"
    if program.exists():
        return program
    objects = []
    for k, (text, machine) in enumerate(texts.items()):
        objects.append(folder / f"{k}.o")
        objects[-1].write_bytes(jit._code(text, machine))
    declared = "\n".join(f"void {name}(void *);" for name in functions)
    (folder / "main.c").write_text(MAIN % {"declared": declared, "names": ", ".join(functions)})
    command = [COMPILER, "-O1", "-static", "-o", program, folder / "main.c", *objects, "-lm"]
    subprocess.run(command, check=True, timeout=120)
    return program


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru_reset_before", "noisy", "clock"])
def test_values_and_gradients_on_aarch64(emulated, name, dtype):
    noise = {n: torch.rand(3, 5, 19, dtype=dtype) for n in CELLS[name].noises}
    lengths = torch.tensor([5, 0, 3])
    call = drawn(CELLS[name], 3, 5, 7, 19, dtype=dtype, noise=noise, lengths=lengths, reverse=True)
    got, found = run(call)
    exact_call = to(call, torch.float64)
    exact_call = exact_call._replace(noise={n: v.double() for n, v in noise.items()})
    want, exact = run(exact_call, REFERENCE)
    assert_near(got, want, 2e-6 if dtype == torch.float32 else 1e-13)
    assert_near(found, exact, 1e-5 if dtype == torch.float32 else 1e-12)
