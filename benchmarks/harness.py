"""What every benchmark shares: its command line, its table, its JSON file and its gate."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from gatewise.errors import InputError

from . import provenance

PACKAGES = ("gatewise", "torch", "numpy")


@dataclass(frozen=True)
class Options:
    """What the command line asked for.

    Attributes:
        data: Folder with the data sets, one folder each.
        threads: Threads that torch may use, here and in any process started from here.
        seeds: One run each.
        own: The arguments that only this benchmark knows.
    """

    data: Path
    threads: int
    seeds: tuple[int, ...]
    own: argparse.Namespace = field(default_factory=argparse.Namespace)

    def folder(self, name: str) -> Path:
        """The folder of one data set.

        Raises:
            InputError: It is not there.
        """
        path = self.data / name
        if not path.is_dir():
            raise InputError(
                f"no data set {name!r} in --data {self.data}: place it there, or name the folder "
                "that holds it with --data or GATEWISE_DATA"
            )
        return path


@dataclass
class Result:
    """What a benchmark measured.

    Attributes:
        figures: The numbers the benchmark is about, by name; the mean where there are seeds.
        rows: The table, a row each; a column that a row lacks stays empty.
        notes: Sentences a reader of the table must know.
        versions: Of packages that are not in this process (peers in their own environments).
    """

    figures: dict[str, float]
    rows: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """A measurement with a gate: no figure is reported while the gate is shut.

    Attributes:
        name: Of the module, so that `python -m benchmarks.NAME` runs it.
        measure: Does the work. The first line of its docstring is the `--help` text.
        gate: Says in one sentence what is wrong with a result, or nothing.
        seeds: Default of `--seeds`; empty where chance plays no part.
        arguments: Adds the benchmark's own arguments to the parser.
        packages: Whose versions are written beside the figures.

    Example:
        >>> def measure(options):
        ...     '''Add two numbers.'''
        ...     return Result({"sum": 1.0 + 1.0})
        >>> def gate(result):
        ...     return None if result.figures["sum"] == 2 else "1 + 1 is not 2"
        >>> Benchmark("addition", measure, gate).main(["--threads", "1"])
        addition: sum 2
        0
    """

    name: str
    measure: Callable[[Options], Result]
    gate: Callable[[Result], str | None]
    seeds: tuple[int, ...] = ()
    arguments: Callable[[argparse.ArgumentParser], None] | None = None
    packages: Sequence[str] = PACKAGES

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Measure, print the table, write the JSON.

        Returns:
            The exit status: 0, 1 where the gate is shut, 2 where the input is wrong.
        """
        argv = list(sys.argv[1:] if argv is None else argv)
        asked = vars(self._parser().parse_args(argv))
        target = asked.pop("json")
        shared = {name: asked.pop(name) for name in ("data", "threads")}
        options = Options(
            **shared, seeds=tuple(asked.pop("seeds", ())), own=argparse.Namespace(**asked)
        )
        use_threads(options.threads)

        before = {"machine": provenance.machine(), "commit": provenance.commit()}
        start = time.perf_counter()
        try:
            result = self.measure(options)
        except InputError as wrong:
            print(f"{self.name}: {wrong}", file=sys.stderr)
            return 2
        seconds = time.perf_counter() - start

        refusal = _not_finite(result.figures) or self.gate(result)
        self._show(result, refusal)
        if target is not None:
            record = {
                "benchmark": self.name,
                "figures": {} if refusal else result.figures,
                "gate": refusal,
                "rows": [_plain(row) for row in result.rows],
                "notes": result.notes,
                "seeds": list(options.seeds),
                "threads": options.threads,
                "versions": provenance.versions(self.packages) | result.versions,
                **before,
                "command": shlex.join(["python", "-m", f"benchmarks.{self.name}", *argv]),
                "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "wall_seconds": round(seconds, 2),
            }
            write_json(target, record)
        return 1 if refusal else 0

    def _parser(self) -> argparse.ArgumentParser:
        about = (self.measure.__doc__ or "").strip().splitlines() or [""]
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{self.name}",
            description=about[0],
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        default_data = os.environ.get("GATEWISE_DATA", "../shared/data")
        parser.add_argument(
            "--data", type=Path, default=default_data, help="folder with the data sets"
        )
        parser.add_argument("--threads", type=positive, default=2, help="threads for torch")
        parser.add_argument(
            "--json", type=Path, help="file for the figures and where they are from"
        )
        if self.seeds:
            parser.add_argument(
                "--seeds", type=int, nargs="+", default=self.seeds, help="one run each"
            )
        if self.arguments is not None:
            self.arguments(parser)
        return parser

    def _show(self, result: Result, refusal: str | None) -> None:
        if result.rows:
            print(table(result.rows))
        for note in result.notes:
            print(note)
        if refusal:
            print(f"{self.name}: the gate is shut, no figure counts: {refusal}", file=sys.stderr)
        else:
            figures = ", ".join(f"{name} {_cell(v)}" for name, v in result.figures.items())
            print(f"{self.name}: {figures or 'no figures'}")


def positive(text: str) -> int:
    """An argument that counts something."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def use_threads(count: int) -> None:
    """Let torch use so many threads, here and in the processes that inherit the environment."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(count)
    import torch

    torch.set_num_threads(count)


def over_seeds(seeds: Iterable[int], measure: Callable[[int], dict[str, float]]) -> Result:
    """Measure once a seed; the figures are the means, the rows show the spread.

    Args:
        seeds: One run each.
        measure: Takes a seed, gives figures by name, the same names every time.

    Example:
        >>> result = over_seeds([1, 2, 6], lambda seed: {"error": float(seed)})
        >>> result.figures
        {'error': 3.0}
        >>> [row["seed"] for row in result.rows], result.rows[-1]["error"]
        ([1, 2, 6, 'mean', 'min', 'max'], 6.0)
    """
    runs = [(seed, measure(seed)) for seed in seeds]
    rows: list[dict[str, object]] = [{"seed": seed, **figures} for seed, figures in runs]
    mean, *rest = spread([figures for _, figures in runs])
    return Result(
        {name: value for name, value in mean.items() if isinstance(value, float)},
        [*rows, mean, *rest],
    )


def spread(runs: Sequence[Mapping[str, float]]) -> list[dict[str, object]]:
    """Mean, least and most of figures that each run has, as three rows.

    Example:
        >>> for row in spread([{"error": 1.0}, {"error": 2.0}]): print(row)
        {'seed': 'mean', 'error': 1.5}
        {'seed': 'min', 'error': 1.0}
        {'seed': 'max', 'error': 2.0}
    """
    values = {name: [run[name] for run in runs] for name in runs[0]}
    return [
        {"seed": kind, **{name: of(found) for name, found in values.items()}}
        for kind, of in (("mean", statistics.fmean), ("min", min), ("max", max))
    ]


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a Markdown table, numbers to the right.

    Example:
        >>> print(table([{"model": "naive", "mase": 1.5}, {"model": "lstm", "mase": 0.75}]))
        | model | mase |
        | :---- | ---: |
        | naive |  1.5 |
        | lstm  | 0.75 |
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name, "")) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    is_number = [any(isinstance(row.get(name), (int, float)) for row in rows) for name in columns]

    def line(texts: Sequence[str]) -> str:
        placed = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, is_number, strict=True)
        )
        return f"| {' | '.join(placed)} |"

    rule = [
        "-" * (width - 1) + ":" if right else ":" + "-" * (width - 1)
        for width, right in zip(widths, is_number, strict=True)
    ]
    return "\n".join([line(columns), line(rule), *map(line, cells)])


def write_json(path: Path, record: Mapping[str, object]) -> None:
    """Write a record whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _not_finite(figures: Mapping[str, float]) -> str | None:
    wrong = [name for name, value in figures.items() if not math.isfinite(value)]
    return f"not a finite number: {', '.join(wrong)}" if wrong else None


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    """A row that JSON can hold: no NaN and no infinity."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
