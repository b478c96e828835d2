"""Write which engine takes what: `python -m gatewise.nn docs/engines.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..cells import every_cell
from ..engines import ENGINES, explain
from . import Recurrent

_HEAD = """# Which engine takes what

Written by `python -m gatewise.nn docs/engines.md`, which asks `gatewise.explain` for each layer on
a processor. Engines stand in order of preference: the first that says yes runs. A number stands for
the reason below.
"""

_OPTIONS: dict[str, dict[str, Any]] = {
    "bidirectional": {"bidirectional": True},
    "projection": {"proj_size": 4},
    "no biases": {"bias": False},
    "learned initial state": {"learn_state": True},
    "diagonal": {"connectivity": "diagonal"},
    "heads": {"connectivity": "heads:2"},
    "low rank": {"connectivity": "low_rank:2"},
    "masked": {"connectivity": "masked:0.5:0"},
    "block-sparse": {"connectivity": "block_sparse:0.5:4x1:0"},
    "layer norm (ba)": {"layer_norm": "ba"},
    "layer norm (stored)": {"layer_norm": "stored"},
    "cell clip": {"cell_clip": 3.0},
    "zoneout": {"zoneout": 0.5},
    "recurrent dropout (semeniuta)": {"recurrent_dropout": 0.2},
    "recurrent dropout (gal)": {"recurrent_dropout": 0.2, "recurrent_dropout_kind": "gal"},
    "weight dropout": {"weight_dropout": 0.2},
    "weight noise": {"weight_noise": 0.1},
    'memory="recompute"': {"memory": "recompute"},
}


def text() -> str:
    """The page."""
    reasons: dict[str, int] = {}
    tables = [
        _table(title, rows, reasons)
        for title, rows in (
            ("Cells", _cells()),
            ("An lstm with, while it trains", _options()),
            ("An lstm on", _inputs()),
        )
    ]
    notes = "\n".join(f"{number}. {reason}" for reason, number in reasons.items())
    return "\n".join([_HEAD, *tables, f"## Why not\n\n{notes}\n"])


def _cells() -> Iterator[tuple[str, Any, Tensor, Any]]:
    for name in every_cell():
        yield f"[{name}](cells/{name}.md)", Recurrent(name, 8, 8), torch.zeros(2, 3, 8), None


def _options() -> Iterator[tuple[str, Any, Tensor, Any]]:
    for name, arguments in _OPTIONS.items():
        yield name, Recurrent("lstm", 8, 8, **arguments), torch.zeros(2, 3, 8), None


def _inputs() -> Iterator[tuple[str, Any, Tensor, Any]]:
    x, layer = torch.zeros(2, 3, 8), Recurrent("lstm", 8, 8)
    yield "whole sequences", layer, x, None
    yield "sequences of different lengths", layer, x, [3, 0]
    yield "no sequences", layer, x[:0], None
    yield "no steps", layer, x[:, :0], None
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        name = str(dtype).removeprefix("torch.")
        yield name, Recurrent("lstm", 8, 8, dtype=dtype), x.to(dtype), None
    device = torch.device("meta")
    yield "another device", Recurrent("lstm", 8, 8, device=device), x.to(device), None


def _table(title: str, rows: Iterator[tuple[str, Any, Tensor, Any]], reasons: dict) -> str:
    names = [engine.name for engine in ENGINES]
    lines = [f"| | {' | '.join(names)} |", f"| :-- |{' :-: |' * len(names)}"]
    for row, layer, x, lengths in rows:
        call = layer.call(x, lengths=lengths)
        said = {name: _general(reason, call.cell.name) for name, reason in
                explain(layer, x, lengths=lengths).reasons.items()}  # fmt: skip
        marks = [_mark(said[name], reasons) for name in names]
        lines.append(f"| {row} | {' | '.join(marks)} |")
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _general(reason: str | None, cell: str) -> str | None:
    """A reason without the cell's name, so that many share it."""
    return None if reason is None else reason.replace(f"kernel for {cell},", "kernel for the cell,")


def _mark(reason: str | None, reasons: dict[str, int]) -> str:
    """A verdict, with the number of its reason."""
    return "yes" if reason is None else f"no ({reasons.setdefault(reason, len(reasons) + 1)})"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
