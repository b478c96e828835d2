"""The tables for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatewise.errors import InputError

from .. import provenance
from ..harness import Result, table

BEGIN, END = "<!-- recurrence -->", "<!-- end of recurrence -->"
"""Lines between which `insert` writes."""

MODES = {"inference": "inference", "all steps": "training", "last step": "last step"}


def write(result: Result, target: Path) -> None:
    """Write the plain LSTM's ratios, a line a shape, and under them all figures."""
    plain = [row for row in result.rows if row["part"] == "plain"]
    figures = [{"figure": name, "value": value} for name, value in result.figures.items()]
    parts = [table(rows) for rows in (ratios(plain), figures) if rows]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def insert(result: Result, target: Path) -> None:
    """Put torch's time over ours into a page, a line a shape, between the lines made for it.

    Raises:
        InputError: The page lacks them.
    """
    text = target.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise InputError(f"--readme {target}: it has no lines {BEGIN} and {END} to write between")
    plain = [row for row in result.rows if row["part"] == "plain" and row["peer"] == "torch"]
    where = provenance.machine()["cpu"]
    said = f"{where}, commit {(provenance.commit() or '')[:7]}; `t` is threads."
    inside = f"\n{table(ratios(plain))}\n\n{said}\n"
    target.write_text(f"{before}{begin}{inside}{end}{after}", encoding="utf-8")


def ratios(rows: Sequence[dict]) -> list[dict[str, object]]:
    """A line a shape: each peer's time over ours, for each mode and number of threads."""
    lines: dict[str, dict[str, object]] = {}
    for row in rows:
        line = lines.setdefault(row["case"], {"batch x time x input x units": row["case"]})
        against = "" if row["peer"] == "torch" else f", {row['peer']}"
        line[f"{MODES[row['mode']]}{against}, {row['threads']} t"] = round(row["ratio"], 2)
    return list(lines.values())
