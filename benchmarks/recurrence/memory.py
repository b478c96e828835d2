"""Memory that is held between the forward and the backward pass."""

from __future__ import annotations

import inspect
from pathlib import Path

import gatewise

from .correctness import TOLERANCE
from .part import Part
from .process import numbers
from .settings import Settings

PROGRAM = """
import ctypes, gc, json, os, sys
from contextlib import nullcontext
import torch, gatewise

given = json.loads(sys.argv[1])
batch, time, inputs, hidden = given["shape"]
torch.set_num_threads(given["threads"])
torch.manual_seed(0)
theirs = torch.nn.LSTM(inputs, hidden, batch_first=True)
layer = theirs
if given["kind"] != "torch":
    layer = gatewise.nn.Recurrent("lstm", inputs, hidden, **given["arguments"])
    layer.load_state_dict(theirs.state_dict())
x = torch.randn(batch, time, inputs, requires_grad=True)

def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

engine = gatewise.engine(given["engine"]) if given["engine"] else nullcontext()
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
double = torch.nn.LSTM(inputs, hidden, batch_first=True).double()
double.load_state_dict(theirs.state_dict())
z = double(x[:few].detach().double())[0]
z.sum().backward()
mine, right = layer.weight_hh_l0.grad, double.weight_hh_l0.grad
error = max(
    ((known - z).abs().max() / z.abs().max()).item(),
    ((mine - right).abs().max() / right.abs().max()).item(),
)
print(json.dumps({"held": held, "error": error}))
"""

KINDS = {"torch": {}, "gatewise": {}, "gatewise, recompute": {"memory": "recompute"}}
FIGURES = {"gatewise": "bytes_ratio", "gatewise, recompute": "bytes_recompute_ratio"}


def measure(settings: Settings) -> Part:
    if not Path("/proc/self/statm").is_file():
        return Part(notes=["memory is left out: this system does not say what is resident."])
    part = Part()
    known = inspect.signature(gatewise.nn.Recurrent).parameters
    held: dict[str, float] = {}
    for kind, arguments in KINDS.items():
        missing = [name for name in arguments if name not in known]
        if missing:
            part.notes.append(f"memory: {kind} is left out: Recurrent has no {missing[0]}=.")
            continue
        found = numbers(
            PROGRAM,
            {
                "kind": kind,
                "arguments": arguments,
                "shape": settings.memory,
                "threads": max(settings.threads),
                "engine": settings.engine,
            },
        )
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
