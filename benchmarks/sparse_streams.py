"""A step by how much of the recurrent matrix there is: blocks of 16 x 1 and heads, in streams."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gatewise.connectivity import BlockSparse, Connectivity, Dense, Heads
from gatewise.nn import Recurrent

from .harness import Benchmark, Options, Result, positive

INPUT, CHECKED = 16, 8
DENSITIES = (0.5, 0.25, 0.125, 0.0625)
STEPS = 50
"""Steps that are timed together, of a stream or of a whole sequence."""
TOLERANCE = 1e-5


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--units", type=positive, nargs="+", default=[512, 1024])
    parser.add_argument("--batch", type=positive, nargs="+", default=[1])
    parser.add_argument("--rounds", type=positive, default=60, help=f"of {STEPS} steps each")


def measure(options: Options) -> Result:
    """Time a stream's step of block-sparse LSTMs and of heads beside the dense one."""
    own = options.own
    rows = [
        row
        for units in own.units
        for batch in own.batch
        for row in _of_size(units, batch, own.rounds)
    ]
    blocks = [row for row in rows if row["connectivity"].startswith("block")]
    figures = {"worst_error": max(float(row["error"]) for row in rows)}
    for density in DENSITIES:
        ratios = [float(row["times"]) for row in blocks if row["density"] == density]
        figures[f"times_at_{density}"] = sum(ratios) / len(ratios)
    return Result(figures, rows)


def gate(result: Result) -> str | None:
    """No figure where a step is not the sequence's."""
    worst = result.figures["worst_error"]
    return None if worst <= TOLERANCE else f"a step is {worst:g} off the sequence"


def _of_size(units: int, batch: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each connectivity, all of them timed in turn."""
    kinds: list[tuple[Connectivity, float]] = [(Dense(), 1.0)]
    kinds += [(BlockSparse(density), density) for density in DENSITIES]
    kinds += [(Heads(round(1 / density)), density) for density in DENSITIES]
    torch.manual_seed(0)
    layers = [Recurrent("lstm", INPUT, units, connectivity=kind).eval() for kind, _ in kinds]
    x = torch.randn(batch, STEPS, INPUT)
    errors = [_error(layer, x[:, :CHECKED]) for layer in layers]
    streams = [layer.stream(batch) for layer in layers]
    steps = [one.contiguous() for one in x.unbind(1)]
    ours, whole = ([float("inf")] * len(kinds) for _ in range(2))
    for turn in range(rounds):
        for k, stream in enumerate(streams):
            ours[k] = min(ours[k], _seconds(lambda stream=stream: _through(stream, steps)))
            if turn % 10 == 0:
                whole[k] = min(whole[k], _seconds(lambda k=k: layers[k](x)))
    return [
        {"units": units, "batch": batch, "connectivity": kind.key, "density": density,
         "us": 1e6 * ours[k], "times": ours[0] / ours[k], "sequence_us": 1e6 * whole[k],
         "error": errors[k]}
        for k, (kind, density) in enumerate(kinds)
    ]  # fmt: skip


def _error(layer: Recurrent, x: Tensor) -> float:
    """Largest difference of a stream's steps from the sequence."""
    with torch.no_grad():
        want = layer(x)[0]
    stream = layer.stream(len(x))
    found = torch.stack([stream.step(one.contiguous()).clone() for one in x.unbind(1)], 1)
    return float((found - want).abs().max())


def _through(stream: Any, steps: list[Tensor]) -> None:
    for x in steps:
        stream.step(x)


def _seconds(run: Callable[[], object]) -> float:
    """Of one of the steps."""
    with torch.no_grad():
        start = time.perf_counter()
        run()
        return (time.perf_counter() - start) / STEPS


BENCHMARK = Benchmark("sparse_streams", measure, gate, arguments=arguments)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
