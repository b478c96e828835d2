"""The tables for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import pages, provenance
from ..harness import Result, table
from .budget import PHASES, PRODUCTS

MODES = {"inference": "inference", "all steps": "training", "last step": "last step"}


def write(result: Result, target: Path) -> None:
    """Write the plain LSTM's ratios, a line a shape, and under them all figures."""
    plain = [row for row in result.rows if row["part"] == "plain"]
    figures = [{"figure": name, "value": value} for name, value in result.figures.items()]
    parts = [table(rows) for rows in (ratios(plain), figures) if rows]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def insert(result: Result, target: Path) -> None:
    """Write what was measured into a page, between the lines made for it: see `BLOCKS`.

    Raises:
        InputError: The page has no such lines.
    """
    where = provenance.machine()["cpu"]
    said = f"{where}, commit {(provenance.commit() or '')[:7]}; `t` is threads."
    lines = {name: lines_of(result.rows) for name, lines_of in BLOCKS.items()}
    shown = {name: table(rows) if rows else "" for name, rows in lines.items()}
    pages.insert(target, shown, said)


def against_torch(rows: Sequence[dict]) -> list[dict[str, object]]:
    """A line a shape of the plain LSTM: torch's time over ours."""
    return ratios([row for row in rows if row["part"] == "plain" and row["peer"] == "torch"])


def budgets(rows: Sequence[dict]) -> list[dict[str, object]]:
    """A line a shape and number of threads: milliseconds of each phase of a training step."""
    lines = []
    for row in rows:
        if row["part"] != "budget":
            continue
        line = {"batch x time x input x units": row["case"], "t": row["threads"]}
        line |= {"step": _short(row["step_ms"]), "bound of each product": _short(row["bound_ms"])}
        for phase in PHASES:
            share = f" ({row[f'{phase}_share']:.0%})" if phase in PRODUCTS else ""
            line[phase] = f"{_short(row[f'{phase}_ms'])}{share}"
        lines.append(line | {"rest": _short(row["rest_ms"])})
    return lines


def _short(ms: float) -> str:
    return f"{ms:.3g}"


def ratios(rows: Sequence[dict]) -> list[dict[str, object]]:
    """A line a shape: each peer's time over ours, for each mode and number of threads."""
    lines: dict[str, dict[str, object]] = {}
    for row in rows:
        line = lines.setdefault(row["case"], {"batch x time x input x units": row["case"]})
        against = "" if row["peer"] == "torch" else f", {row['peer']}"
        line[f"{MODES[row['mode']]}{against}, {row['threads']} t"] = round(row["ratio"], 2)
    return list(lines.values())


BLOCKS = {"recurrence": against_torch, "training step": budgets}
"""What `insert` writes between which lines."""
