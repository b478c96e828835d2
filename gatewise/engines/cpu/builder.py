"""What the frames of both passes are built of: jobs that bring numbers into order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from . import kernels
from .frame import Frame, Place, Value
from .host import Host
from .plan import INPUT, RAW, Plan, Sum
from .rows import Rows
from .sizes import Sizes
from .task import Form
from .words import COPY, PACK, UNPACK, ZERO, Words

_LINE = 64
_WORTH_SHARING = 1 << 15
"""Numbers from which on several threads pack a matrix."""


class Builder:
    """Builds a frame.

    Args:
        form: Of the calls that will use it.
        machine: Whose vectors.
        rows: Who runs what.
    """

    def __init__(self, form: Form, machine: Host, rows: Rows) -> None:
        self.form, self.machine, self.rows = form, machine, rows
        self.plan: Plan = form.plan
        self.sizes: Sizes = form.sizes
        self.frame = Frame()
        self._asked: dict[str, int] = {}

    # Memory

    def room(self, nbytes: int, base: str = "arena") -> Place:
        """Reserve bytes in memory that is borrowed for a call."""
        start = self._asked.get(base, 0)
        self._asked[base] = start + -(-nbytes // _LINE) * _LINE
        return Place(base, start)

    def asked(self, base: str = "arena") -> int:
        """Bytes that were reserved."""
        return self._asked.get(base, 0)

    # Tables

    def table(self, base: str, word: str) -> dict[str, Value]:
        """Words that say where the rows of a tensor, [batch, time, features], are."""
        batch, step, *_ = self.form.stride(base)
        size = self.sizes.size
        offsets, step = self.rows.offsets(batch * size, step * size)
        name, colon, of = word.partition(":")
        return {
            f"{name}_rows{colon}{of}": self.frame.table(base, offsets),
            f"{name}_step{colon}{of}": step,
        }

    def inputs(self) -> tuple[dict[str, Value], list[Place]]:
        """Words about what both passes read, and the jobs that prepare it."""
        told: dict[str, Value] = dict(self.sizes.words())
        for name in self.plan.noises:
            told |= self.table(f"noise:{name}", f"noise:{name}")
        jobs = []
        for name in self.plan.weights:
            to = self.room(self.sizes.row(self.sizes.hidden))
            jobs.append(self.copy([to], [Place(f"vector:{name}")], self.sizes.hidden))
            told[f"weight:{name}"] = to
        if self.rows.lengths is not None:
            told["lengths"] = self.frame.put([int(n) for n in self.rows.lengths])
        return told, jobs

    # Jobs

    def copy(
        self, to: Sequence[Place], from_: Sequence[Place], columns: int, *,
        padded: int | None = None, add: bool = False,
    ) -> Place:  # fmt: skip
        """Copy rows, filled up with zeros to whole vectors or as said."""
        told: dict[str, Value] = {
            "to": self.frame.put(to), "from": self.frame.put(from_), "rows": len(to),
            "columns": columns, "add": int(add),
            "padded": self.sizes.padded(columns) if padded is None else padded,
        }  # fmt: skip
        return self._move("copy_rows", COPY, told)

    def copy_table(self, to: Place, from_: Place, rows: int, columns: int, padded: int) -> Place:
        """Copy rows whose addresses stand in tables."""
        told: dict[str, Value] = {"to": to, "from": from_, "rows": rows, "columns": columns,
                                  "padded": padded}  # fmt: skip
        return self._move("copy_rows", COPY, told)

    def zero(self, to: Place, nbytes: int) -> Place:
        """Fill padded memory with zeros."""
        count = -(-nbytes // (self.sizes.lanes * self.sizes.size))
        return self._move("zero", ZERO, {"to": to, "count": count})

    def transpose(self, to: Place, to_row: int, from_: Place, from_row: int, rows: int,
                  columns: int) -> Place:  # fmt: skip
        """Turn a matrix; rows are so many bytes apart."""
        told: dict[str, Value] = {"to": to, "to_row": to_row, "from": from_, "from_row": from_row,
                                  "rows": rows, "columns": columns}  # fmt: skip
        return self._move("transpose", UNPACK, told)

    def sequence(self, jobs: Sequence[Place]) -> Place:
        """Jobs one after another, as one."""
        function = kernels.move("sequence", self.form.kind, self.machine)
        return self.frame.put([function, len(jobs), *jobs])

    def _move(self, name: str, words: Words, told: Mapping[str, Value]) -> Place:
        return self.frame.job(words, kernels.move(name, self.form.kind, self.machine), told)

    # Rows of states

    def gather(self, base: str, to: Place, units: int) -> Place:
        """Copy a tensor of the batch, [batch, units], to padded rows."""
        (batch, *_), row = self.form.stride(base), self.sizes.row(units)
        count = len(self.rows.order)
        source = self.frame.table(base, self.rows.order * batch * self.sizes.size)
        target = self.frame.table(to.base, to.offset + np.arange(count) * row)
        return self.copy_table(target, source, count, units, self.sizes.padded(units))

    def scatter(self, base: str, from_: Place, units: int, behind: np.ndarray | int = 0) -> Place:
        """Copy padded rows to a tensor of the batch, [batch, units].

        Args:
            base: The tensor; its rows lie side by side.
            from_: Row 0.
            units: Numbers of a row.
            behind: Bytes to the block of rows that counts, of all or for each row.
        """
        count, row = len(self.rows.order), self.sizes.row(units)
        source = self.frame.table(from_.base, from_.offset + np.arange(count) * row + behind)
        target = self.frame.table(base, self.rows.order * units * self.sizes.size)
        return self.copy_table(target, source, count, units, units)

    # Weights

    def matrix(self, source: str, sums: Sequence[Sum]) -> tuple[str, list[int], int]:
        """Which rows of which weights multiply a source for some sums, and units of each block."""
        hidden = self.sizes.hidden
        if source == RAW:
            return "weight_hr", [0], self.sizes.output
        if source == INPUT:
            return "weight_ih", [self.plan.input_rows.index(s.x) * hidden for s in sums], hidden
        return "weight_hh", [self.plan.state_rows.index(s.u) * hidden for s in sums], hidden

    def pack(self, function: str, source: str, sums: Sequence[Sum]) -> tuple[Place, list[Place]]:
        """Bring weights into the order of a kernel; gives where they are, and the jobs for it."""
        sizes = self.sizes
        name, starts, units = self.matrix(source, sums)
        columns, padded = sizes.operand(self.plan, source), sizes.padded(units)
        width = sizes.padded(columns) if function == "pack_columns" else columns
        to = self.room(len(starts) * padded * width * sizes.size)
        told: dict[str, Value] = {
            "to": to, "from": Place(name), "from_row": self.form.stride(name)[0],
            "starts": self.frame.put(starts), "number": len(starts), "units": units,
            "padded": padded, "columns": columns,
        }  # fmt: skip
        blocks, shares = padded // sizes.lanes, 1
        if function == "pack_units" and len(starts) * padded * columns >= _WORTH_SHARING:
            shares = min(self.form.threads, blocks)
        address = kernels.pack(function, self.form.kind, self.machine)
        jobs = []
        for k in range(shares):
            own = {"begin": blocks * k // shares, "end": blocks * (k + 1) // shares}
            jobs.append(self.frame.job(PACK, address, told | own))
        return to, jobs
