"""What every runner shares: read the series, fit, predict, and write down what it took.

A runner is a script that the Python of its own environment runs:
`python RUNNER.py --train CSV --out DIR --horizon N --threads N --mode default`. It writes
`forecast.npz` (point, and lower and upper where the library gives a 95 % interval; a row a series)
and `run.json`. It sees the training part alone, and it scores nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Task:
    """What a runner is asked for.

    Attributes:
        series: One array each, in the order in which forecasts are expected.
        horizon: Steps to forecast.
        seed: For the library's own generators.
        mode: Which of the runner's `SETTINGS` to use.
        limit: Seconds of training after which to stop and forecast with what there is.
        max_steps: Training steps after which to stop likewise, for a quick try.
    """

    series: list[np.ndarray]
    horizon: int
    seed: int
    mode: str
    limit: float
    max_steps: int | None


@dataclass
class Forecast:
    """What a runner answers, each an array of series and steps.

    Attributes:
        point: The library's forecast.
        lower: The 2.5 % quantile, where there is one.
        upper: The 97.5 % quantile, where there is one.
    """

    point: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None


@dataclass
class Stop:
    """Why training ended early, if it did."""

    why: str | None = None


def main(
    fit: Callable[[Task, Stop], Any],
    predict: Callable[[Any, Task], Forecast],
    packages: tuple[str, ...],
) -> None:
    """Do what the command line asks with two functions of a library.

    Args:
        fit: Trains, ends early where the task says so, and tells `Stop` why.
        predict: Takes what `fit` gave.
        packages: Whose versions to write down.
    """
    asked = _arguments()
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    import torch

    torch.set_num_threads(asked.threads)
    task = Task(
        series=read_series(asked.train),
        horizon=asked.horizon,
        seed=asked.seed,
        mode=asked.mode,
        limit=asked.limit,
        max_steps=asked.max_steps,
    )
    stop = Stop()

    start = time.perf_counter()
    model = fit(task, stop)
    fitted = time.perf_counter()
    forecast = predict(model, task)
    done = time.perf_counter()

    asked.out.mkdir(parents=True, exist_ok=True)
    arrays = {name: a for name, a in vars(forecast).items() if a is not None}
    np.savez(asked.out / "forecast.npz", **arrays)
    record = {
        "fit_seconds": fitted - start,
        "predict_seconds": done - fitted,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stopped": stop.why,
        "versions": {name: metadata.version(name) for name in packages},
    }
    (asked.out / "run.json").write_text(json.dumps(record), encoding="utf-8")


def read_series(path: Path) -> list[np.ndarray]:
    """Read a file as M4 writes it: a series a row, its name first, padded with blanks."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [np.array([float(v) for v in row[1:] if v], dtype=np.float64) for row in rows]


def deadline(callback: type, task: Task, stop: Stop) -> Any:
    """A callback that ends training when the task says so.

    Args:
        callback: The `Callback` class of the lightning that the library uses.
        task: Its `limit` and `max_steps` are kept.
        stop: Told why, if training was ended here.
    """
    start = time.monotonic()

    class Deadline(callback):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if time.monotonic() - start >= task.limit:
                stop.why = f"{task.limit:g} s"
            elif task.max_steps is not None and trainer.global_step >= task.max_steps:
                stop.why = f"{task.max_steps} steps"
            else:
                return
            trainer.should_stop = True

    return Deadline()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=Path(sys.argv[0]).name)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--mode", choices=("default", "tuned"), default="default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--max_steps", type=int)
    return parser.parse_args()
