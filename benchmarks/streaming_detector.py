"""A detector that scores readings of ten channels one at a time: microseconds for a reading.

What is timed is all that a reading costs: scaling, the network's step, the errors of every forecast
that was made of it, smoothing, the score, the alarm and each channel's share. The gate is that the
stream's scores are those of the whole table.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from gatewise import Trainer
from gatewise.nn import Encoder
from gatewise.tasks.anomaly import AnomalyDetector

from .harness import Benchmark, Options, Result

CHUNK = 50
"""Readings that are timed together: fewer and the clock counts, more and others run in between."""

NEAR = 1e-4
"""Relative difference between the stream's scores and the table's, in float32."""


def measure(options: Options) -> Result:
    """Time one reading of ten channels, scores included, and compare with the table's scores."""
    own = options.own
    readings = made(own.readings, own.channels)
    model = AnomalyDetector(
        own.scorer,
        encoder=Encoder(hidden_size=own.hidden),
        trainer=Trainer(max_steps=50, seed=0),
    ).fit(readings)
    whole = np.asarray(model.score_points(readings))
    stream = model.stream()
    scores = np.empty(len(readings))
    wall, own_time = [], []
    rows = list(readings)
    for first in range(0, len(rows), CHUNK):
        chunk = rows[first : first + CHUNK]
        started, began = time.perf_counter(), time.thread_time()
        told = [stream.update(row) for row in chunk]
        spent = time.perf_counter() - started, time.thread_time() - began
        scores[first : first + CHUNK] = [t.score for t in told]
        wall.append(1e6 * spent[0] / len(chunk))
        own_time.append(1e6 * spent[1] / len(chunk))
    apart = float(np.max(np.abs(scores - whole) / whole))
    figures = {
        "microseconds": float(np.median(wall)),
        "microseconds_least": float(np.min(wall)),
        "processor_microseconds": float(np.median(own_time)),
        "apart": apart,
    }
    row = {"channels": own.channels, "hidden": own.hidden, "horizon": model.horizon, **figures}
    return Result(figures, [row], [f"median over {len(wall)} times {CHUNK} readings"])


def made(steps: int, channels: int) -> np.ndarray:
    """Waves with noise, and a fault in the last third; [steps, channels]."""
    t = np.arange(steps)[:, None]
    values = np.sin(t * 2 * np.pi / 24 + np.arange(channels))
    values = values + 0.1 * np.random.default_rng(0).normal(size=(steps, channels))
    values[3 * steps // 4 : 3 * steps // 4 + 20, 0] += 3
    return values


def gate(result: Result) -> str | None:
    """The stream's scores are the table's."""
    apart = result.figures["apart"]
    return None if apart < NEAR else f"the stream's scores are {apart:.2g} from the table's"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes."""
    parser.add_argument("--channels", type=int, default=10, help="channels of a reading")
    parser.add_argument("--hidden", type=int, default=64, help="units of the recurrent layer")
    parser.add_argument("--readings", type=int, default=3000, help="readings in all")
    parser.add_argument("--scorer", default="forecast", help="as the detector's scorer")


if __name__ == "__main__":
    raise SystemExit(Benchmark("streaming_detector", measure, gate, arguments=arguments).main())
