"""The weights of a layer that runs one time step after another, packed once for many steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ...errors import InputError
from ..call import Call
from . import kernels, threads
from .host import Host
from .plan import INPUT, RAW, Plan, plan, sources, taking
from .pool import borrow
from .sizes import Sizes
from .task import KINDS
from .words import PACK

Weights = Mapping[str, Tensor]

_NAN = 0x7FC0
"""Not a number, in bfloat16."""


class Layer(NamedTuple):
    """What the kernels have to know of a layer.

    Attributes:
        plan: Of its cell.
        sizes: Counts.
        kind: `"float"` or `"double"`.
        machine: Whose vectors.
    """

    plan: Plan
    sizes: Sizes
    kind: str
    machine: Host


def layer_of(call: Call, machine: Host) -> Layer:
    """What the kernels have to know of the layer that makes a call."""
    call = call.settled()
    cell, weights, size = call.cell, call.weights, call.x.element_size()
    batch, _, features = call.x.shape
    hidden = weights["weight_ih"].shape[0] // len(cell.input_rows)
    projected = "weight_hr" in weights
    output = weights["weight_hr"].shape[0] if projected else hidden
    sizes = Sizes(batch, 1, features, hidden, output, machine.vector_bytes // size, size)
    return Layer(plan(cell, projected), sizes, KINDS[call.x.dtype], machine)


class Matrix(NamedTuple):
    """Rows of weights that multiply the same thing in the same part.

    Attributes:
        part: Number of the part.
        source: What they multiply: `INPUT`, or the name of an operand.
        weight: Name of the weight that they are rows of.
        starts: First row of each block.
        units: Rows of each block.
        columns: Numbers of a row.
    """

    part: int
    source: str
    weight: str
    starts: Sequence[int]
    units: int
    columns: int


def matrices(layer: Layer) -> Iterator[Matrix]:
    """Find all of a layer."""
    plan, sizes = layer.plan, layer.sizes
    hidden = sizes.hidden
    for k, part in enumerate(plan.parts):
        for source in sources(part):
            sums = [part.sums[j] for j in taking(part, source)]
            weight, units = "weight_hh", hidden
            if source == RAW:
                weight, starts, units = "weight_hr", [0], sizes.output
            elif source == INPUT:
                weight = "weight_ih"
                starts = [plan.input_rows.index(s.x) * hidden for s in sums]
            else:
                starts = [plan.state_rows.index(s.u) * hidden for s in sums]
            yield Matrix(k, source, weight, starts, units, sizes.operand(plan, source))


def room(shape: Sequence[int], kind: str) -> np.ndarray:
    """Aligned memory full of zeros, of a type as LLVM or NumPy names it."""
    type_ = np.dtype({"float": "float32", "double": "float64"}.get(kind, kind))
    block = borrow(max(math.prod(shape), 1) * type_.itemsize)
    array = np.ndarray(shape, type_, buffer=np.asarray(block))
    array[...] = 0
    return array


class Vectors:
    """Biases, a padded row for each sum of a part, and the vectors that a cell learns.

    Attributes:
        words: Where the kernels find them.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        plan, sizes, kind = layer.plan, layer.sizes, layer.kind
        self._biases = [
            room((max(len(part.sums), 1), sizes.padded(sizes.part(plan, k))), kind)
            for k, part in enumerate(plan.parts)
        ]
        self._own = {name: room((sizes.padded(sizes.hidden),), kind) for name in plan.weights}
        self.words = {f"bias:{k}": bias.ctypes.data for k, bias in enumerate(self._biases)}
        self.words |= {f"weight:{name}": own.ctypes.data for name, own in self._own.items()}

    def pack(self, weights: Weights) -> None:
        """Take over the weights as they are now."""
        plan, hidden = self._layer.plan, self._layer.sizes.hidden
        given = {name: weights[name].numpy(force=True) for name in weights if "bias" in name}
        for part, biases in zip(plan.parts, self._biases, strict=True):
            biases[...] = 0
            for row, bias in zip(part.sums, biases, strict=False):
                if row.x and "bias_ih" in given:
                    bias[:hidden] += _block(given["bias_ih"], plan.input_rows.index(row.x), hidden)
                if row.u and row.operand != RAW and "bias_hh" in given:
                    bias[:hidden] += _block(given["bias_hh"], plan.state_rows.index(row.u), hidden)
        for name, own in self._own.items():
            own[:hidden] = weights[name].numpy(force=True)


def _block(bias: np.ndarray, place: int, hidden: int) -> np.ndarray:
    return bias[place * hidden : (place + 1) * hidden]


class FloatPanels:
    """Weights in the type of the layer, in the order in which the forward kernel reads them.

    Attributes:
        kernel: That kernel.
        panels: Its matrices, by the names under which it is told of them.
        words: Where it finds them.
    """

    def __init__(self, layer: Layer, weights: Weights) -> None:
        self._layer = layer
        self.kernel = kernels.forward(layer.plan, layer.kind, layer.machine, False)
        self._rooms = []
        for found in matrices(layer):
            rows = len(found.starts) * layer.sizes.padded(found.units)
            self._rooms.append((found, room((rows, found.columns), layer.kind)))
        self.panels = {f"panel:{found.part}:{found.source}": panel for found, panel in self._rooms}
        self.words = {name: panel.ctypes.data for name, panel in self.panels.items()}
        self.pack(weights)

    def pack(self, weights: Weights) -> None:
        """Take over the weights as they are now."""
        sizes, kind, machine = self._layer.sizes, self._layer.kind, self._layer.machine
        for found, panel in self._rooms:
            weight = weights[found.weight].detach().contiguous()
            starts = np.array(found.starts, dtype=np.int64)
            padded = sizes.padded(found.units)
            told = {
                "function": kernels.pack("pack_units", kind, machine),
                "to": panel.ctypes.data,
                "from": weight.data_ptr(),
                "from_row": found.columns,
                "starts": starts.ctypes.data,
                "number": len(starts),
                "units": found.units,
                "padded": padded,
                "columns": found.columns,
                "begin": 0,
                "end": padded // sizes.lanes,
            }
            block = np.array([told[name] for name in PACK.names], dtype=np.int64)
            threads.call(block.ctypes.data)


class BfloatPanels:
    """Weights in bfloat16, half the memory, which the kernel makes floats of; see `FloatPanels`.

    Raises:
        InputError: The layer is not in float32.
    """

    def __init__(self, layer: Layer, weights: Weights) -> None:
        if layer.kind != "float":
            raise InputError(
                "weights='bfloat16' of a float64 layer: write layer.float(), or leave the weights "
                "as they are"
            )
        self._layer = layer
        self.kernel = kernels.forward(layer.plan, layer.kind, layer.machine, False, "bfloat")
        self._rooms: dict[str, np.ndarray] = {}
        for found in matrices(layer):
            shape = len(found.starts) * layer.sizes.padded(found.units), found.columns
            self._rooms[f"panel:{found.part}:{found.source}"] = room(shape, "uint16")
        self.words = {name: panel.ctypes.data for name, panel in self._rooms.items()}
        self.pack(weights)

    def pack(self, weights: Weights) -> None:
        """Take over the weights as they are now, rounded to even."""
        whole = FloatPanels(self._layer, weights)
        for name, panel in whole.panels.items():
            bits = panel.view(np.uint32)
            rounded = (bits + (0x7FFF + (bits >> 16 & 1))) >> 16
            self._rooms[name][...] = np.where(np.isnan(panel), _NAN, rounded)
