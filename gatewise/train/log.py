"""Metrics of a run, one line of JSON per epoch."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .history import Epoch


class Log:
    """A JSONL file with one record per epoch; one that a killed run left is continued.

    Args:
        path: The file; None to keep no log.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)

    def start(self, kept: int, member: int = 0) -> None:
        """Keep the records of earlier members and of a member's first `kept` epochs."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        records = [r for r in map(_parsed, lines) if r is not None]
        records = [
            r for r in records if (r["member"], r["epoch"]) <= (member, kept) and (member or kept)
        ]
        self.path.write_text("".join(json.dumps(r) + "\n" for r in records))

    def write(self, epoch: Epoch) -> None:
        """Add a record."""
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(epoch)) + "\n")


def _parsed(line: str) -> dict[str, Any] | None:
    """Read a record; a killed run may have left half of one."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and {"member", "epoch"} <= record.keys() else None
