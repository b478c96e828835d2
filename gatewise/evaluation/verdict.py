"""A model's figures beside the baselines', and what they mean in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """Figures on held-out data, one row per method, and sentences about them.

    Args:
        table: Method to metric to figure; the model's own row comes first.
        sentences: What to make of it; a model that loses to a baseline is said to.

    Example:
        >>> print(Verdict({"model": {"mase": 0.81}, "naive": {"mase": 1.2}}, ("It is better.",)))
                  mase
        model  0.81000
        naive  1.20000
        It is better.
    """

    table: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give the table in columns, then the sentences."""
        metrics = list(dict.fromkeys(m for row in self.table.values() for m in row))
        cells = [["", *metrics]] + [
            [name, *(f"{row[m]:.5f}" if m in row else "" for m in metrics)]
            for name, row in self.table.items()
        ]
        widths = [max(len(line[i]) for line in cells) for i in range(len(metrics) + 1)]
        lines = [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
            for line in cells
        ]
        return "\n".join([*(lines if self.table else []), *self.sentences])

    def state(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        table = {name: dict(row) for name, row in self.table.items()}
        return {"table": table, "sentences": list(self.sentences)}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Verdict:
        """Take back what `state` gave."""
        return cls(state["table"], tuple(state["sentences"]))
