"""The cells and regularisers that are measured: ours as layers, as far as they are there."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import gatewise
from gatewise.cells import every_cell

RATE = 0.1


@dataclass(frozen=True)
class Variant:
    """A cell, and what it is trained with.

    Attributes:
        cell: Its name.
        arguments: Of `gatewise.nn.Recurrent`, beside the sizes.
    """

    cell: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def why_not(self) -> str | None:
        """What is missing in this Gatewise; nothing if it is all there."""
        if self.cell not in every_cell():
            return f"there is no cell {self.cell}"
        known = inspect.signature(gatewise.nn.Recurrent).parameters
        missing = [f"{name}=" for name in self.arguments if name not in known]
        return f"Recurrent has no {', '.join(missing)}" if missing else None

    def layer(self, input_size: int, hidden_size: int) -> gatewise.nn.Recurrent:
        """A layer, in training mode."""
        return gatewise.nn.Recurrent(self.cell, input_size, hidden_size, **self.arguments)

    @property
    def gate_rows(self) -> int:
        """Blocks of rows that are summed up separately: 4 for an LSTM."""
        cell = every_cell()[self.cell]
        return len({*cell.input_rows, *cell.state_rows})

    @property
    def is_random(self) -> bool:
        """Whether two calls in training mode differ."""
        return bool(self.arguments)


PLAIN = Variant("lstm")
VARIANTS = {
    "peephole_lstm": Variant("peephole_lstm"),
    "coupled_lstm": Variant("coupled_lstm"),
    "gru": Variant("gru"),
    "elman": Variant("elman"),
    "slstm": Variant("slstm"),
    "zoneout": Variant("lstm", {"zoneout": RATE}),
    "recurrent_dropout": Variant("lstm", {"recurrent_dropout": RATE}),
}


def present() -> tuple[dict[str, Variant], list[str]]:
    """What can be measured, and a sentence for each that cannot."""
    reasons = {name: variant.why_not() for name, variant in VARIANTS.items()}
    there = {name: variant for name, variant in VARIANTS.items() if reasons[name] is None}
    return there, [f"{name} is left out: {why}." for name, why in reasons.items() if why]
