"""Seconds until the package and its command line answer, in fresh interpreters."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from .harness import Benchmark, Options, Result, positive

UNWANTED = (
    "llvmlite",
    "numba",
    "triton",
    "onnx",
    "onnxruntime",
    "pandas",
    "polars",
    "pyarrow",
    "sklearn",
    "matplotlib",
    "plotly",
    "rich",
    "cyclopts",
)
"""What `import gatewise` must not add to what torch itself has loaded."""

TIMED = """
import sys, time
{before}
known = set(sys.modules)
start = time.perf_counter()
{timed}
seconds = time.perf_counter() - start
roots = {{name.partition(".")[0] for name in set(sys.modules) - known}}
print(seconds, *sorted(roots))
"""

IMPORTS = {
    "import_seconds": ("import torch", "import gatewise"),
    "forecaster_seconds": ("import torch, gatewise", "gatewise.Forecaster"),
    "alone_seconds": ("", "import gatewise"),
    "torch_seconds": ("", "import torch"),
}
"""Figure: what is already there, and what is timed on top of it."""

COMMANDS = {
    "help_seconds": ("--help",),
    "fit_help_seconds": ("fit", "forecaster", "--help"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=positive, default=21, help="fresh interpreters each")


def measure(options: Options) -> Result:
    """Time `import gatewise` on top of `import torch`, and `gatewise --help`."""
    notes = []
    imports = dict(IMPORTS)
    if not _has_forecaster():
        del imports["forecaster_seconds"]
        notes.append("gatewise.Forecaster is not there: not timed.")
    commands = {} if find_spec("gatewise.cli") is None else COMMANDS
    if not commands:
        notes.append("There is no gatewise.cli: its --help is not timed.")

    taken: dict[str, list[float]] = {name: [] for name in [*imports, *commands]}
    unwanted: set[str] = set()
    # Interleaved, so that a busy minute of the machine falls on all alike; the first round
    # only fills the disk cache.
    for turn in range(options.own.rounds + 1):
        for name, (before, timed) in imports.items():
            seconds, loaded = time_import(before, timed)
            unwanted |= loaded & set(UNWANTED) if name == "import_seconds" else set()
            if turn:
                taken[name].append(seconds)
        for name, command in commands.items():
            seconds = time_command(command)
            if turn:
                taken[name].append(seconds)

    if unwanted:
        notes.append(f"import gatewise loads {', '.join(sorted(unwanted))}.")
    figures = {name: statistics.median(values) for name, values in taken.items()}
    return Result(
        figures | {"unwanted_packages": float(len(unwanted))},
        [_row(name, values) for name, values in taken.items()],
        notes,
    )


def gate(result: Result) -> str | None:
    if result.figures["unwanted_packages"]:
        return "import gatewise loads packages that only some uses need (named above)"
    return None


def time_import(before: str, timed: str) -> tuple[float, set[str]]:
    """Seconds a statement takes in a fresh interpreter, and the packages it loads."""
    done = _run([sys.executable, "-c", TIMED.format(before=before, timed=timed)])
    seconds, *loaded = done.split()
    return float(seconds), set(loaded)


def time_command(command: tuple[str, ...]) -> float:
    """Seconds until the command line is done, the start of Python included."""
    script = Path(sys.executable).with_name("gatewise")
    start = time.perf_counter()
    _run([str(script), *command])
    return time.perf_counter() - start


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise SystemExit(
            f"startup: {command[0]} {command[-1]!r} ended with {done.returncode}: {said[-1]}"
        )
    return done.stdout


def _has_forecaster() -> bool:
    import gatewise

    return "Forecaster" in dir(gatewise)


def _row(name: str, values: list[float]) -> dict[str, object]:
    what = " on top of ".join(reversed([s for s in IMPORTS[name] if s])) if name in IMPORTS else ""
    return {
        "what": what or " ".join(["gatewise", *COMMANDS[name]]),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "runs": len(values),
    }


BENCHMARK = Benchmark("startup", measure, gate, arguments=arguments)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
