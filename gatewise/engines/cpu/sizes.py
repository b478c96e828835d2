"""How large everything of a call is."""

from __future__ import annotations

from typing import NamedTuple

from .plan import INPUT, RAW, Plan, Sum


class Sizes(NamedTuple):
    """Counts of a call.

    Attributes:
        batch: Sequences.
        time: Steps.
        input: Features of the input.
        hidden: Units of the cell.
        output: Units that leave the layer.
        lanes: Numbers in a vector.
        size: Bytes of a number.
    """

    batch: int
    time: int
    input: int
    hidden: int
    output: int
    lanes: int
    size: int

    def padded(self, units: int) -> int:
        """Units, filled up to whole vectors."""
        return -(-units // self.lanes) * self.lanes

    def row(self, units: int) -> int:
        """Bytes of a padded row of units."""
        return self.padded(units) * self.size

    def words(self) -> dict[str, int]:
        """What kernels are told of the numbers of units."""
        told = {"input": self.input, "input:from": 0}
        told["input:to"] = self.padded(self.input) // self.lanes
        for name, units in (("hidden", self.hidden), ("output", self.output)):
            padded = self.padded(units)
            blocks = padded // self.lanes
            told |= {name: units, f"{name}:padded": padded, f"{name}:blocks": blocks}
            told |= {f"{name}:from": 0, f"{name}:to": blocks}
        return told

    def state(self, plan: Plan, name: str) -> int:
        """Units of a state or of a value between parts."""
        return self.output if name == plan.states[0] else self.hidden

    def part(self, plan: Plan, k: int) -> int:
        """Units of a part."""
        return self.output if plan.projected and k == len(plan.parts) - 1 else self.hidden

    def operand(self, plan: Plan, name: str) -> int:
        """Numbers in a row of what weights multiply."""
        return self.input if name == INPUT else self.state(plan, name)

    def plane(self, row: Sum) -> int:
        """Units of a sum."""
        return self.output if row.operand == RAW else self.hidden
