"""Write which engine takes what: `python -m gatewise.nn docs/engines.md`."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..cells import every_cell
from ..engines import ENGINES, explain
from ..errors import InputError
from . import Recurrent

_HEAD = """# Which engine takes what

Written by `python -m gatewise.nn docs/engines.md`, which asks `gatewise.explain` for each layer on
a processor: every cell, with every connectivity and option that it can have. Engines stand in order
of preference: the first that says yes runs. A number stands for the reason below.
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

Case = tuple[Any, Tensor, Any]
"""A layer, its input, and lengths or none."""


def text() -> str:
    """The page."""
    reasons: dict[str, int] = {}
    tables = [
        f"## Cells\n\n{_cells(reasons)}\n",
        f"## Every cell with, while it trains\n\n{_product(_options(), reasons)}\n",
        f"## Every cell on\n\n{_product(_inputs(), reasons)}\n",
    ]
    notes = "\n".join(f"{number}. {reason}" for reason, number in reasons.items())
    return "\n".join([_HEAD, *tables, f"## Why not\n\n{notes}\n"])


def _cells(reasons: dict[str, int]) -> str:
    names = [engine.name for engine in ENGINES]
    lines = [f"| | {' | '.join(names)} |", f"| :-- |{' :-: |' * len(names)}"]
    for name in every_cell():
        verdicts = _verdicts((Recurrent(name, 8, 8), torch.zeros(2, 3, 8), None))
        marks = (_mark(verdicts[engine], reasons) for engine in names)
        lines.append(f"| [{name}](cells/{name}.md) | {' | '.join(marks)} |")
    return "\n".join(lines)


def _product(rows: Mapping[str, Callable[[str], Case]], reasons: dict[str, int]) -> str:
    """All cells in each row, together where an engine says the same of them."""
    names = [engine.name for engine in ENGINES]
    lines = [f"| | cells | {' | '.join(names)} |", f"| :-- | :-- |{' :-- |' * len(names)}"]
    for row, make in rows.items():
        found = dict(_built(make))
        said = (
            _together({cell: _mark(v[engine], reasons) for cell, v in found.items()})
            for engine in names
        )
        lines.append(f"| {row} | {_without(found)} | {' | '.join(said)} |")
    return "\n".join(lines)


def _built(make: Callable[[str], Case]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """What engines say of each cell that can be so."""
    for cell in every_cell():
        try:
            case = make(cell)
        except InputError:
            continue
        yield cell, _verdicts(case)


def _verdicts(case: Case) -> dict[str, str | None]:
    """By engine why it does not take a layer, without what only this layer is called."""
    layer, x, lengths = case
    cell = layer.call(x, lengths=lengths).cell.name
    found = explain(layer, x, lengths=lengths).reasons
    return {name: reason and _general(reason, cell) for name, reason in found.items()}


def _general(reason: str, cell: str) -> str:
    return re.sub(", here .*", "", reason.replace(f"kernel for {cell},", "kernel for the cell,"))


def _mark(reason: str | None, reasons: dict[str, int]) -> str:
    """A verdict, with the number of its reason."""
    return "yes" if reason is None else f"no ({reasons.setdefault(reason, len(reasons) + 1)})"


def _together(marks: Mapping[str, str]) -> str:
    """Cells by what is said of them, those of whom most is said last and unnamed."""
    by_mark: dict[str, list[str]] = {}
    for cell, mark in marks.items():
        by_mark.setdefault(mark, []).append(cell)
    *few, (most, _) = sorted(by_mark.items(), key=lambda item: len(item[1]))
    named = [f"{', '.join(cells)}: {mark}" for mark, cells in few]
    return "; ".join([*named, f"others: {most}" if named else most])


def _without(found: Mapping[str, Any]) -> str:
    """Which cells there are, by naming the fewer of those and the others."""
    left = [cell for cell in every_cell() if cell not in found]
    if not left:
        return "all"
    return f"all but {', '.join(left)}" if len(left) < len(found) else ", ".join(found)


def _options() -> dict[str, Callable[[str], Case]]:
    x = torch.zeros(2, 3, 8)
    return {
        name: lambda cell, arguments=arguments: (Recurrent(cell, 8, 8, **arguments), x, None)
        for name, arguments in _OPTIONS.items()
    }


def _inputs() -> dict[str, Callable[[str], Case]]:
    x = torch.zeros(2, 3, 8)
    plain = cache(lambda cell: Recurrent(cell, 8, 8))
    given: dict[str, tuple[Tensor, Any]] = {
        "sequences of different lengths": (x, [3, 0]),
        "no sequences": (x[:0], None),
        "no steps": (x[:, :0], None),
    }
    for dtype in (torch.float64, torch.bfloat16, torch.float16):
        given[str(dtype).removeprefix("torch.")] = x.to(dtype), None
    given["another device"] = x.to("meta"), None
    return {
        name: lambda cell, x=x, lengths=lengths: (
            copy.deepcopy(plain(cell)).to(x.device, x.dtype), x, lengths
        )
        for name, (x, lengths) in given.items()
    }  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
