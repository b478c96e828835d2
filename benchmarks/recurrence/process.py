"""Run a small program in a fresh interpreter and take back the numbers that it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from ..provenance import ROOT

LAYERS = """
import gc, json, sys
from contextlib import nullcontext
import torch, gatewise

given = json.loads(sys.argv[1])
batch, steps, inputs, hidden = given["shape"]
torch.set_num_threads(given["threads"])
torch.manual_seed(0)
theirs = torch.nn.LSTM(inputs, hidden, batch_first=True)
double = torch.nn.LSTM(inputs, hidden, batch_first=True).double()
double.load_state_dict(theirs.state_dict())
layer = theirs
if given["kind"] != "torch":
    layer = gatewise.nn.LSTM(inputs, hidden, batch_first=True)
    layer.load_state_dict(theirs.state_dict())
    layer.memory = given.get("memory", layer.memory)
engine = gatewise.engine(given["engine"]) if given["engine"] else nullcontext()
"""
"""How a program begins that looks at one layer: `layer`, torch's or ours as `kind` says, on
`engine`; torch's as `theirs`, and the same in float64 as `double`."""


def numbers(
    program: str, arguments: Mapping[str, object], environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Run a program.

    Args:
        program: Its text. It gets the arguments as a JSON object in `sys.argv[1]` and prints its
            answer as another.
        arguments: What it is given.
        environment: On top of this process's own.
    """
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise SystemExit(f"recurrence: a program ended with {done.returncode}: {said[-1]}")
    return json.loads(done.stdout)
