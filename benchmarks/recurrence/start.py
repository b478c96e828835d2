"""What our first call of a process takes beyond the next: kernels are made, or read again.

The process has trained with torch's own layer before, so that what torch itself sets up at first
(its threads, its autograd) is in nobody's time; a row of its own says how much that is. Python's
files are there as bytecode, as in an installed package.
"""

from __future__ import annotations

import statistics
import tempfile

from .correctness import TOLERANCE
from .part import Part
from .process import LAYERS, numbers
from .settings import Settings

ROUNDS = 3

PROGRAM = f"""{LAYERS}
import time

x = torch.randn(batch, steps, inputs)
gradient = torch.randn(batch, steps, hidden)

def call(layer):
    layer.zero_grad()
    gc.collect()
    start = time.perf_counter()
    layer(x)[0].backward(gradient)
    return time.perf_counter() - start

if layer is not theirs:
    call(theirs)
loaded = "llvmlite.binding" in sys.modules
with engine:
    first = call(layer)
    second = min(call(layer) for _ in range(5))
loads = not loaded and "llvmlite.binding" in sys.modules
double(x.double())[0].backward(gradient.double())
mine, right = layer.weight_hh_l0.grad, double.weight_hh_l0.grad
error = ((mine - right).abs().max() / right.abs().max()).item()
print(json.dumps(dict(first=first, second=second, error=error, loads=loads)))
"""

IMPORT = """
import json, time
import torch, gatewise
start = time.perf_counter()
try:
    import llvmlite.binding
except ImportError:
    pass
print(json.dumps({"seconds": time.perf_counter() - start}))
"""

FIGURES = {"empty cache": "first_call_seconds", "filled cache": "cached_call_seconds"}


def measure(settings: Settings) -> Part:
    part = Part()
    taken: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as bytecode:
        python = {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        numbers(PROGRAM, _order("", settings), python | {"GATEWISE_CACHE": ""})
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                for what in (*FIGURES, "torch"):
                    here = python | {"GATEWISE_CACHE": folder}
                    found = numbers(PROGRAM, _order(what, settings), here)
                    taken.setdefault(what, []).append(found)
    for what, runs in taken.items():
        error = max(run["error"] for run in runs)
        beyond = statistics.median(run["first"] - run["second"] for run in runs)
        row = {
            "part": "start",
            "case": str(settings.first),
            "mode": "first call",
            "threads": max(settings.threads),
            "peer": what if what == "torch" else f"gatewise, {what}",
            "ms": beyond * 1e3,
            "rounds": len(runs),
            "error": error,
        }
        if not error <= TOLERANCE:
            row["wrong"] = f"{what}: off by {error:.1e}, {TOLERANCE:g} is allowed"
        part.rows.append(row)
        if what in FIGURES:
            part.figures[FIGURES[what]] = beyond
    own = statistics.median(run["first"] - run["second"] for run in taken["torch"])
    part.notes.append(f"start: torch's own layer takes {own * 1e3:.0f} ms more the first time.")
    seconds = statistics.median(numbers(IMPORT, {})["seconds"] for _ in range(ROUNDS))
    if all(run["loads"] for run in taken["empty cache"]):
        part.notes.append(f"start: {seconds * 1e3:.0f} ms of the first call import llvmlite.")
    return part


def _order(what: str, settings: Settings) -> dict[str, object]:
    return {
        "kind": what,
        "shape": settings.first,
        "threads": max(settings.threads),
        "engine": settings.engine,
    }
