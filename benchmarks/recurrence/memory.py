"""Memory that is held between the forward and the backward pass."""

from __future__ import annotations

from pathlib import Path

from .correctness import TOLERANCE
from .part import Part
from .process import LAYERS, numbers
from .settings import Settings

PROGRAM = f"""{LAYERS}
import ctypes, os
x = torch.randn(batch, steps, inputs, requires_grad=True)

def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

with engine:
    # What is loaded, compiled and started once is not kept for a backward pass.
    few = min(batch, 16)
    y = layer(x[:few, :20])[0]
    y.sum().backward()
    del y
    layer.zero_grad()
    x.grad = None
    before = resident()
    y = layer(x)[0]
    held = resident() - before
    known = y.detach()[:few].clone()
    del y
    y = layer(x[:few])[0]
    y.sum().backward()
z = double(x[:few].detach().double())[0]
z.sum().backward()
mine, right = layer.weight_hh_l0.grad, double.weight_hh_l0.grad
error = max(
    ((known - z).abs().max() / z.abs().max()).item(),
    ((mine - right).abs().max() / right.abs().max()).item(),
)
print(json.dumps(dict(held=held, error=error)))
"""

KINDS = {"torch": "keep", "gatewise": "keep", "gatewise, recompute": "recompute"}
FIGURES = {"gatewise": "bytes_ratio", "gatewise, recompute": "bytes_recompute_ratio"}


def measure(settings: Settings) -> Part:
    if not Path("/proc/self/statm").is_file():
        return Part(notes=["memory is left out: this system does not say what is resident."])
    part = Part()
    held: dict[str, float] = {}
    for kind, kept in KINDS.items():
        given = {
            "kind": kind,
            "memory": kept,
            "shape": settings.memory,
            "threads": max(settings.threads),
            "engine": settings.engine,
        }
        found = numbers(PROGRAM, given)
        held[kind] = found["held"]
        row = {
            "part": "memory",
            "case": str(settings.memory),
            "mode": "held after forward",
            "threads": max(settings.threads),
            "peer": kind,
            "mib": found["held"] / 2**20,
            "error": found["error"],
        }
        if not found["error"] <= TOLERANCE:
            row["wrong"] = f"{kind}: off by {found['error']:.1e}, {TOLERANCE:g} is allowed"
        part.rows.append(row)
        if kind in FIGURES:
            part.figures[FIGURES[kind]] = held["torch"] / max(held[kind], 1.0)
    part.notes.append("memory: a ratio is torch's bytes over ours; the output is in both.")
    return part
