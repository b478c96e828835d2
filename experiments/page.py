"""An experiment's page, from its results files alone."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import table
from gatewise.inspection.svg import style

from . import chart
from .experiment import BUDGETS, Experiment, Row

Record = Mapping[str, Any]


def text_of(experiment: Experiment, record: Record) -> str:
    """What the terminal shows of one run."""
    lines = [table(experiment.summary(record["rows"])), *_criteria(record["criteria"])]
    return "\n".join([*lines, f"{experiment.name}: {record['wall_seconds']} s"])


def write(experiment: Experiment, records: Sequence[Record], folder: Path) -> None:
    """Write `NAME.md` and, where there is a figure, `NAME.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for record in records for row in record["rows"]]
    with style():
        figure = experiment.draw(rows)
    if figure is not None:
        chart.save(figure, folder / f"{experiment.name}.svg")
    text = markdown(experiment, records, with_figure=figure is not None)
    (folder / f"{experiment.name}.md").write_text(text, encoding="utf-8")


def markdown(
    experiment: Experiment, records: Sequence[Record], *, with_figure: bool = False
) -> str:
    """The page as text; runs of one budget stand in one table."""
    papers = [f"- {paper}" for paper in experiment.papers]
    parts = [
        f"# {experiment.title}",
        "Written by `python -m experiments "
        f"{experiment.name} --write-docs FILE...` from results files; do not edit.",
        "\n".join(papers),
        _wrapped(experiment.reading),
    ]
    if with_figure:
        parts.append(f"![{experiment.title}]({experiment.name}.svg)")
    for budget in BUDGETS:
        of_budget = [record for record in records if record["budget"] == budget]
        if of_budget:
            parts += _section(experiment, budget, of_budget)
    if experiment.deviations:
        told = "\n".join(_wrapped(f"- {sentence}") for sentence in experiment.deviations)
        parts += ["## Where this is not the paper's protocol", told]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(experiment: Experiment, budget: str, records: Sequence[Record]) -> list[str]:
    rows: list[Row] = [row for record in records for row in record["rows"]]
    commands = [f"$ {_shown(record['command'])}" for record in records]
    return [
        f"## {budget.capitalize()}",
        _wrapped(experiment.budgets[budget].about),
        "\n".join(["```console", *commands, "```"]),
        table(experiment.summary(rows)),
        "\n".join(_wrapped(f"- {line}") for line in _criteria(experiment.criteria(rows))),
        _verbatim(experiment.listing(rows)),
        _wrapped(_where(records)),
    ]


def _criteria(criteria: Sequence[Sequence[Any]]) -> list[str]:
    return [f"{'Holds' if held else 'Does not hold'}: {sentence}" for sentence, held in criteria]


def _verbatim(text: str) -> str:
    return f"```text\n{text}\n```" if text else ""


def _shown(command: str) -> str:
    """The command without what names a place of one machine."""
    words = command.split(" ")
    kept, skip = [], False
    for word in words:
        if skip or word in ("--data", "--json", "--docs"):
            skip = not skip
            continue
        kept.append(word)
    return " ".join(word for word in kept if word != "--write-docs")


def _where(records: Sequence[Record]) -> str:
    """The machine, in a sentence; the load and the date are the results files' business."""
    machine, versions = records[0]["machine"], records[0]["versions"]
    seconds = sum(record["wall_seconds"] for record in records)
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    loads = [record["machine"]["load_before"] or 0.0 for record in records]
    return (
        f"{seconds:.0f} seconds in all on {records[0]['threads']} of {machine['cores']} cores "
        f"({machine['cpu']}; load of other work up to {max(loads):.1f}), "
        f"Python {machine['python']}, {packages}."
    )


def _wrapped(text: str) -> str:
    """A paragraph or a list's item in lines of a page's width."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
