"""What one part of the table came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Part:
    """Figures, rows and notes; a row with `wrong` in it shuts the gate."""

    figures: dict[str, float] = field(default_factory=dict)
    rows: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
