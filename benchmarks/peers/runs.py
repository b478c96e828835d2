"""Start a runner, wait for it, and take back what it forecast and what it took."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
GRACE = 600.0
"""Seconds past its limit that a runner gets to load, predict and write, before it is ended."""


@dataclass(frozen=True)
class Order:
    """What a runner is told; the names are its flags.

    Attributes:
        train: Series to learn from, as M4 writes them.
        max_steps: Training steps after which to stop, for a quick try; None for no such end.
    """

    train: Path
    horizon: int
    threads: int
    seed: int
    mode: str
    limit: float
    max_steps: int | None = None

    def flags(self) -> list[str]:
        """The order as a runner's command line."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return [part for name, value in given.items() for part in (f"--{name}", str(value))]


@dataclass(frozen=True)
class Outcome:
    """What came back.

    Attributes:
        point: Of series and steps.
        lower: The 2.5 % quantile, where the library gives one.
        upper: The 97.5 % quantile, where the library gives one.
        stopped: At what training was ended before the library would have; None if it was not.
        versions: Of the packages that count, by name.
    """

    point: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    fit_seconds: float
    predict_seconds: float
    peak_rss_mib: float
    stopped: str | None
    versions: dict[str, str]


class RunFailed(Exception):
    """A runner gave no forecast; the text says why."""


def start(runner: str, python: Path, order: Order) -> Outcome:
    """Run `benchmarks/peers/RUNNER.py` to its end, in an empty folder of its own.

    Raises:
        RunFailed: It ended with an error, or not in time.
    """
    script = HERE / f"{runner}.py"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), str(script), "--out", folder, *order.flags()]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=order.limit + GRACE,
            )
        except subprocess.TimeoutExpired as late:
            raise RunFailed(f"no answer after {late.timeout:.0f} s") from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing"]
            raise RunFailed(f"status {done.returncode}: {said[-1]}")
        return _read(Path(folder))


def _read(folder: Path) -> Outcome:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    with np.load(folder / "forecast.npz", allow_pickle=False) as arrays:
        point, lower, upper = (arrays.get(name) for name in ("point", "lower", "upper"))
    return Outcome(point, lower, upper, **record)
