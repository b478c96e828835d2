"""The tables for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..harness import Result, table

MODES = {"inference": "inference", "all steps": "training", "last step": "last step"}


def write(result: Result, target: Path) -> None:
    """Write the plain LSTM's ratios, a line a shape, and under them all figures."""
    plain = [row for row in result.rows if row["part"] == "plain"]
    figures = [{"figure": name, "value": value} for name, value in result.figures.items()]
    parts = [table(rows) for rows in (ratios(plain), figures) if rows]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def ratios(rows: Sequence[dict]) -> list[dict[str, object]]:
    """A line a shape: each peer's time over ours, for each mode and number of threads."""
    lines: dict[str, dict[str, object]] = {}
    for row in rows:
        line = lines.setdefault(row["case"], {"batch x time x input x units": row["case"]})
        against = "" if row["peer"] == "torch" else f", {row['peer']}"
        line[f"{MODES[row['mode']]}{against}, {row['threads']} t"] = round(row["ratio"], 2)
    return list(lines.values())
