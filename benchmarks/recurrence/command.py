"""The command: which parts run, what they come to together, and when it does not count."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import gatewise
from gatewise.errors import InputError

from ..harness import PACKAGES, Benchmark, Options, Result
from . import (
    budget,
    ceiling,
    cells,
    chart,
    length,
    loops,
    memory,
    page,
    peak,
    plain,
    remote,
    roofline,
    start,
    stream,
)
from .part import Part
from .settings import Settings
from .shapes import parse

PARTS: dict[str, Callable[[Settings], Part]] = {
    "plain": plain.measure,
    "stream": stream.measure,
    "cells": cells.measure,
    "loops": loops.measure,
    "peak": peak.measure,
    "budget": budget.measure,
    "memory": memory.measure,
    "start": start.measure,
    "length": length.measure,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", help=f"parts to run, with commas: {','.join(PARTS)}")
    parser.add_argument(
        "--shapes", type=parse, nargs="+", help="BATCHxTIMExINPUTxHIDDEN, instead of the usual"
    )
    parser.add_argument("--budget", type=float, default=1.0, help="seconds for each contest")
    parser.add_argument("--engine", help="force one engine of Gatewise")
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile among the loops; takes minutes"
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=tuple(remote.PEERS),
        default=(),
        help="libraries in environments of their own, made in .peers/ where they are missing",
    )
    parser.add_argument("--plot", type=Path, help="picture of the plain LSTM's ratios")
    parser.add_argument(
        "--roofline", type=Path, help="picture of the parts plain and peak beside their bounds"
    )
    parser.add_argument("--markdown", type=Path, help="the plain LSTM's ratios as a table")
    parser.add_argument(
        "--readme",
        type=Path,
        nargs="+",
        default=(),
        help="pages with lines between which torch's ratios or the budget are written",
    )


def measure(options: Options) -> Result:
    """Time recurrent layers beside torch, ONNX Runtime and loops, on 1 and N threads."""
    own = options.own
    names = _chosen(own.only)
    peers, left_out = remote.made(own.peers)
    with gatewise.engine(own.engine) if own.engine else nullcontext():
        result = run(replace(settings_of(options), peers=peers), names)
    result.notes += left_out if "plain" in names else []
    if gate(result) is None:
        if own.plot is not None:
            chart.draw(result.rows, own.plot)
        if own.roofline is not None:
            missing = roofline.draw(result.rows, own.roofline)
            result.notes += [missing] if missing else []
        if own.markdown is not None:
            page.write(result, own.markdown)
        for target in own.readme:
            page.insert(result, target)
    return result


def run(settings: Settings, names: tuple[str, ...]) -> Result:
    """Run parts, one after the other."""
    result = Result({})
    for name in names:
        start = time.perf_counter()
        try:
            part = PARTS[name](settings)
        except Exception as broken:
            # What the other parts took minutes to find is worth its rows, behind a shut gate.
            traceback.print_exc()
            sentence = f"ended with {type(broken).__name__}: {broken}"
            part = Part(rows=[{"part": name, "case": "", "wrong": sentence}])
        took = f"{name}: took {time.perf_counter() - start:.0f} s."
        print(took, file=sys.stderr, flush=True)
        part.notes.append(took)
        result.figures |= part.figures
        result.rows += part.rows
        result.notes += part.notes
        result.versions |= part.versions
    result.figures |= ceiling.add(result.rows)
    return result


def gate(result: Result) -> str | None:
    """Every row that was checked against float64 is right."""
    wrong = [
        " ".join(filter(None, (row["part"], row["case"]))) + f": {row['wrong']}"
        for row in result.rows
        if "wrong" in row
    ]
    if not wrong:
        return None
    more = len(wrong) - 1
    return wrong[0] + (f" (and {more} more row{'s' if more > 1 else ''})" if more else "")


def settings_of(options: Options) -> Settings:
    """What the command line asked for."""
    own = options.own
    threads = tuple(sorted({1, options.threads}))
    names = () if own.shapes is None else ("usual", "cells", "phases")
    given = dict.fromkeys(names, tuple(own.shapes or ()))
    return Settings(threads, own.budget, own.engine, own.compile, tuple(own.peers), **given)


def _chosen(only: str | None) -> tuple[str, ...]:
    names = tuple(PARTS) if only is None else tuple(only.split(","))
    for name in names:
        if name not in PARTS:
            raise InputError(f"--only {name}: give some of {', '.join(PARTS)}, with commas")
    return names


BENCHMARK = Benchmark(
    "recurrence",
    measure,
    gate,
    arguments=arguments,
    packages=(*PACKAGES, "llvmlite", "onnxruntime"),
)
