"""The weights of a call, brought into the order in which the kernels read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...compiler import Cell
from . import kernels, threads
from .arena import Arena
from .forward import sources, taking
from .host import Host
from .packing import PACK
from .plan import RAW, Plan, Sum
from .sizes import Sizes

_WORTH_SHARING = 1 << 15
"""Numbers from which on several threads pack a matrix."""


@dataclass(frozen=True)
class Matrix:
    """Rows of weights that multiply the same thing.

    Attributes:
        weight: The tensor that they are in.
        starts: First row of each block.
        units: Rows of each block.
    """

    weight: Tensor
    starts: tuple[int, ...]
    units: int


def matrix(
    cell: Cell, sizes: Sizes, weights: Mapping[str, Tensor], source: str, sums: Sequence[Sum]
) -> Matrix:
    """Find the rows of some sums that multiply a source."""
    if source == RAW:
        return Matrix(weights["weight_hr"], (0,), sizes.output)
    if source == "x":
        places = [cell.input_rows.index(s.x) for s in sums]
        return Matrix(weights["weight_ih"], _rows(places, sizes.hidden), sizes.hidden)
    places = [cell.state_rows.index(s.u) for s in sums]
    return Matrix(weights["weight_hh"], _rows(places, sizes.hidden), sizes.hidden)


def _rows(places: Sequence[int], hidden: int) -> tuple[int, ...]:
    return tuple(place * hidden for place in places)


class Packed:
    """Packed matrices; `addresses` tells a kernel where each one is.

    Args:
        kind: `"float"` or `"double"`.
        machine: Whose vectors.
        sizes: Of the call.
        threads_: How many may share the work.
    """

    def __init__(self, kind: str, machine: Host, sizes: Sizes, threads_: int) -> None:
        self._kind, self._machine, self._sizes = kind, machine, sizes
        self._threads = threads_
        self._arena = Arena()
        self._asked: list[tuple[str, str, Matrix, int]] = []
        self._starts: list[np.ndarray] = []
        self.addresses: dict[str, int] = {}

    def ask(self, word: str, function: str, matrix: Matrix, columns: int) -> None:
        """Want a matrix packed by a function of `packing`, for a word of a kernel."""
        sizes = self._sizes
        padded = sizes.padded(matrix.units)
        if function == "pack_columns":
            numbers = len(matrix.starts) * padded * sizes.padded(columns)
        else:
            numbers = len(matrix.starts) * padded * columns
        self._asked.append((word, function, matrix, self._arena.ask(numbers * sizes.size)))

    def pack(self) -> None:
        """Do it."""
        self._arena.borrow()
        jobs = []
        for word, function, found, place in self._asked:
            self.addresses[word] = self._arena.at(place)
            jobs += list(self._jobs(function, found, self._arena.at(place)))
        if jobs:
            block = np.array(jobs, dtype=np.int64)
            threads.run(block.ctypes.data + np.arange(len(jobs)) * block.strides[0], self._threads)

    def release(self) -> None:
        """Give the memory back."""
        self._arena.release()

    def _jobs(self, function: str, found: Matrix, to: int) -> Iterator[list[int]]:
        sizes, weight = self._sizes, found.weight
        starts = np.array(found.starts, dtype=np.int64)
        self._starts.append(starts)
        padded = sizes.padded(found.units)
        told = {
            "function": kernels.pack(function, self._kind, self._machine),
            "to": to,
            "from": weight.data_ptr(),
            "from_row": weight.stride(0),
            "starts": starts.ctypes.data,
            "number": len(starts),
            "units": found.units,
            "padded": padded,
            "columns": weight.shape[1],
        }
        blocks = padded // sizes.lanes
        shares = 1
        if function == "pack_units" and weight.numel() >= _WORTH_SHARING:
            shares = min(self._threads, blocks)
        for k in range(shares):
            told |= {"begin": blocks * k // shares, "end": blocks * (k + 1) // shares}
            yield [told[name] for name in PACK.names]


def for_forward(packed: Packed, plan: Plan, cell: Cell, sizes: Sizes,
                weights: Mapping[str, Tensor]) -> None:  # fmt: skip
    """Want what the forward kernel of a plan reads."""
    for k, part in enumerate(plan.parts):
        for source in sources(part):
            sums = [part.sums[j] for j in taking(part, source)]
            found = matrix(cell, sizes, weights, source, sums)
            packed.ask(f"panel:{k}:{source}", "pack_units", found, sizes.operand(plan, source))


def for_backward(packed: Packed, plan: Plan, cell: Cell, sizes: Sizes,
                 weights: Mapping[str, Tensor], to_input: bool) -> None:  # fmt: skip
    """Want what the backward kernel of a plan reads."""
    for operand in (*(["x"] if to_input else []), *plan.operands):
        for j, (first, number) in enumerate(plan.runs(operand)):
            found = matrix(cell, sizes, weights, operand, plan.planes[first : first + number])
            packed.ask(
                f"panel:{operand}:{j}", "pack_columns", found, sizes.operand(plan, operand)
            )


def biases(
    plan: Plan, k: int, cell: Cell, sizes: Sizes, weights: Mapping[str, Tensor]
) -> np.ndarray:
    """The biases of a part's sums, [unit / lanes, sum, lanes]."""
    part, units = plan.parts[k], sizes.part(plan, k)
    blocks = sizes.padded(units) // sizes.lanes
    kind = np.float32 if sizes.size == 4 else np.float64
    out = np.zeros((max(len(part.sums), 1), blocks * sizes.lanes), dtype=kind)
    if "bias_ih" in weights:
        from_x = weights["bias_ih"].numpy(force=True).reshape(-1, sizes.hidden)
        for j, row in enumerate(part.sums):
            if row.x:
                out[j, :units] = from_x[cell.input_rows.index(row.x)]
    if "bias_hh" in weights:
        from_u = weights["bias_hh"].numpy(force=True).reshape(-1, sizes.hidden)
        for j, row in enumerate(part.sums):
            if row.u and row.operand != RAW:
                out[j, :units] += from_u[cell.state_rows.index(row.u)]
    return np.ascontiguousarray(out.reshape(len(out), blocks, sizes.lanes).swapaxes(0, 1))
