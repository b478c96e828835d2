"""`python -m experiments NAME`: run, print, write the results and the page."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import provenance
from benchmarks.harness import PACKAGES, positive, table, use_threads, write_json
from gatewise.errors import InputError, nearest

from . import page
from .catalogue import NAMES, by_name
from .experiment import BUDGETS, Experiment, Setting

ABOUT = "Repeat the comparisons behind the LSTM."


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks.

    Returns:
        The exit status: 0, 1 where a criterion does not hold, 2 where the input is wrong.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    asked = _parser().parse_args(argv)
    try:
        if asked.list or asked.name is None:
            print(listing())
            return 0
        experiment = by_name(asked.name)
        records = [_read(path) for path in asked.write_docs or ()]
        if not records:
            use_threads(asked.threads)
            records = [execute(experiment, setting_of(experiment, asked), argv)]
            print(page.text_of(experiment, records[0]))
            if asked.json is not None:
                write_json(asked.json, records[0])
        if asked.write_docs is not None:
            page.write(experiment, records, asked.docs)
    except InputError as wrong:
        print(f"experiments: {wrong}", file=sys.stderr)
        return 2
    return 0 if all(held for record in records for _, held in record["criteria"]) else 1


def listing() -> str:
    """All experiments, a line each."""
    rows = []
    for name in NAMES:
        experiment = by_name(name)
        budgets = ", ".join(experiment.budgets)
        rows.append({"name": name, "budgets": budgets, "question": experiment.title})
    return table(rows)


def setting_of(experiment: Experiment, asked: argparse.Namespace) -> Setting:
    """What the command line asks of this experiment.

    Raises:
        InputError: The experiment has no such budget, or the budget no such part.
    """
    if asked.budget not in experiment.budgets:
        raise InputError(
            f"--budget {asked.budget}: {experiment.name} has {', '.join(experiment.budgets)}"
        )
    budget = experiment.budgets[asked.budget]
    parts = budget.parts if asked.only is None else tuple(asked.only.split(","))
    for part in parts:
        if part not in budget.parts:
            raise InputError(f"--only {part}: {nearest(part, budget.parts)}")
    count = budget.seeds if asked.seeds is None else asked.seeds
    seeds = tuple(range(asked.first_seed, asked.first_seed + count))
    return Setting(asked.budget, parts, seeds, asked.data)


def execute(experiment: Experiment, setting: Setting, argv: Sequence[str]) -> dict[str, Any]:
    """Run an experiment and put down what came out, and where."""
    before = {"machine": provenance.machine(), "commit": provenance.commit()}
    start = time.perf_counter()
    rows = experiment.run(setting)
    return {
        "experiment": experiment.name,
        "budget": setting.budget,
        "parts": list(setting.parts),
        "seeds": list(setting.seeds),
        "rows": rows,
        "criteria": [list(criterion) for criterion in experiment.criteria(rows)],
        "versions": provenance.versions(PACKAGES),
        **before,
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or None,
        "command": shlex.join(["python", "-m", "experiments", *argv]),
        "wall_seconds": round(time.perf_counter() - start, 1),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise InputError(
            f"--write-docs {path}: {broken}; give files that --json wrote, or none to write the "
            "page of this run"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description=ABOUT,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("name", nargs="?", help="the experiment")
    add("--list", action="store_true", help="say which there are")
    add("--budget", choices=BUDGETS, default="smoke", help="how much of it")
    add("--only", help="parts of the budget, with commas")
    add("--seeds", type=positive, help="how many runs of each part")
    add("--first-seed", type=int, default=0, help="seed of the first run")
    data = os.environ.get("GATEWISE_DATA", "../shared/data")
    add("--data", type=Path, default=data, help="folder with the data sets")
    add("--threads", type=positive, default=1, help="threads for torch")
    add("--json", type=Path, help="file for the results and where they are from")
    add(
        "--write-docs",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="write the experiment's page: of this run, or of results files without a run",
    )
    add("--docs", type=Path, default=Path("docs/experiments"), help="folder of the pages")
    return parser
