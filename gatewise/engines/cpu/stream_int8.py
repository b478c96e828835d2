"""Weights of 8 bits for layers that run step by step: a quarter of the memory, hence of the time.

Each row of weights has a scale of its own. Where the machine multiplies bytes (AVX-512 VNNI,
AVX-VNNI), each step brings input and state to bytes too, with a scale for each row of the batch,
and the sums are whole numbers; elsewhere the kernel makes floats of the weights. Biases and
equations stay in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from torch import Tensor

from ...errors import InputError
from .block import Block
from .forward import Forward
from .host import Host
from .ir import Function, Lanes
from .jit import compiled
from .kernels import Kernel, lanes
from .plan import INPUT, Plan, sources, taking
from .stream_weights import Layer, Matrix, matrices, room
from .tile import Numbers, accumulate
from .words import Words, forward_words

_MOST = 127
_OFFSET = 128
_INSTRUCTION = {64: ("avx512vnni", 512), 32: ("avxvnni", 256)}
"""For each size of a vector the feature that multiplies bytes, and the bits in its name."""

# Added to a small number it leaves in the lowest byte that number, rounded, and the offset.
_SHIFT = 1.5 * 2.0**23 + _OFFSET
_LEAST = 2.0**-100


def multiplies_bytes(machine: Host) -> bool:
    """Whether a machine sums up products of bytes in one instruction.

    Example:
        >>> from .host import foreign
        >>> multiplies_bytes(foreign("avx2"))
        False
    """
    feature, _ = _INSTRUCTION.get(machine.vector_bytes, ("", 0))
    return bool(feature) and f"+{feature}" in machine.features.split(",")


def words(plan: Plan) -> Words:
    """Names of what the kernel is told, beside what the forward kernel is."""
    (part,) = plan.parts
    names = list(forward_words(plan).names[1:])
    for source in sources(part):
        names += [f"{what}:{source}" for what in ("scale", "start", "bytes", "unit")]
    return Words([*names, "bytes_row"])


class Int8Panels:
    """A layer's weights as bytes; see `FloatPanels`.

    Attributes:
        kernel: The kernel that reads them.
        words: Where it finds them.

    Raises:
        InputError: The layer is not in float32, or its equations have several parts.
    """

    def __init__(self, layer: Layer, weights: Mapping[str, Tensor]) -> None:
        plan, sizes, machine = layer.plan, layer.sizes, layer.machine
        if layer.kind != "float":
            raise InputError(
                "weights='int8' of a float64 layer: write layer.float(), or leave the weights as "
                "they are"
            )
        if len(plan.parts) > 1:
            raise InputError(
                f"weights='int8': it takes cells whose equations have one part, and here are "
                f"{len(plan.parts)} (a product of a computed value, or a projection); leave the "
                "weights as they are"
            )
        self._layer = layer
        self._group = 4 if multiplies_bytes(machine) else 1
        self.kernel = _kernel(plan, machine)
        blocks = sizes.padded(sizes.hidden) // sizes.lanes
        self.words: dict[str, int] = {}
        self._rooms: list[tuple[Matrix, np.ndarray, np.ndarray, np.ndarray]] = []
        longest = 0
        for found in matrices(layer):
            number = len(found.starts)
            columns = -(-found.columns // self._group)
            longest = max(longest, found.columns)
            panel = room((blocks, columns, number, sizes.lanes, self._group), "int8")
            scale = room((blocks, number, sizes.lanes), "float")
            start = room((blocks, number, sizes.lanes), "int32")
            self._rooms.append((found, panel, scale, start))
            name = found.source
            self.words |= {f"panel:0:{name}": panel.ctypes.data,
                           f"scale:{name}": scale.ctypes.data,
                           f"start:{name}": start.ctypes.data}  # fmt: skip
        # Inputs as bytes, a row for each of the batch; their scales.
        width = -(-longest // 64) * 64
        self._bytes = []
        for found, *_ in self._rooms:
            own = room((sizes.batch, width), "uint8"), room((sizes.batch,), "float")
            self._bytes.append(own)
            name = found.source
            self.words |= {f"bytes:{name}": own[0].ctypes.data, f"unit:{name}": own[1].ctypes.data}
        self.words["bytes_row"] = width
        self.pack(weights)

    def pack(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the weights as they are now."""
        for found, panel, scale, start in self._rooms:
            blocks, columns, number, lanes_, group = panel.shape
            weight = weights[found.weight].numpy(force=True)
            rows = np.zeros((number, blocks * lanes_, columns * group), np.float32)
            for j, first in enumerate(found.starts):
                part = weight[first : first + found.units]
                rows[j, : found.units, : found.columns] = part
            scales = np.maximum(np.abs(rows).max(-1), _LEAST) / np.float32(_MOST)
            # What is not finite makes a scale that is not: whatever bytes it multiplies.
            with np.errstate(invalid="ignore"):
                whole = np.rint(rows / scales[..., None]).astype(np.int8)
            panel[...] = whole.reshape(number, blocks, lanes_, columns, group).transpose(
                1, 3, 0, 2, 4
            )
            scale[...] = scales.reshape(number, blocks, lanes_).swapaxes(0, 1)
            sums = whole.sum(-1, dtype=np.int32) * -_OFFSET
            start[...] = sums.reshape(number, blocks, lanes_).swapaxes(0, 1)


@lru_cache(maxsize=256)
def _kernel(plan: Plan, machine: Host) -> Kernel:
    library = compiled(f"int8 {plan.key}", lambda: Int8(plan, machine).text(), machine)
    return Kernel(library.address("forward"), words(plan))


class BytesAsFloats(Numbers):
    """Bytes of which floats are made before they are multiplied."""

    element = "i8"

    def vector(self, code: Function, place: str, nth: int) -> str:
        """See `Numbers.vector`."""
        integers, n = code.lanes.integers, code.lanes.count
        at = code.offset(place, nth * n, "i8")
        bytes_ = code.let(f"load <{n} x i8>, ptr {at}, align {n}")
        whole = code.let(f"sext <{n} x i8> {bytes_} to {integers}")
        return code.let(f"sitofp {integers} {whole} to {code.lanes.type}")


class Bytes(Numbers):
    """Bytes times bytes, four of a lane at once, summed up as whole numbers.

    Args:
        vector_bytes: Size of a vector.
    """

    element, group = "i8", 4

    def __init__(self, vector_bytes: int) -> None:
        _, bits = _INSTRUCTION[vector_bytes]
        self._name = f"@llvm.x86.avx512.vpdpbusd.{bits}"

    def kind(self, lanes: Lanes) -> str:
        """See `Numbers.kind`."""
        return lanes.integers

    def one(self, code: Function, row: str, at: str) -> str:
        """See `Numbers.one`."""
        integers, n = code.lanes.integers, code.lanes.count
        four = code.let(f"load i32, ptr {code.offset(row, at, 'i32')}, align 4")
        first = code.let(f"insertelement {integers} poison, i32 {four}, i32 0")
        zeros = f"<{n} x i32> zeroinitializer"
        return code.let(f"shufflevector {integers} {first}, {integers} poison, {zeros}")

    def vector(self, code: Function, place: str, nth: int) -> str:
        """See `Numbers.vector`."""
        return _whole(code, place, nth * code.lanes.count)

    def add(self, code: Function, one: str, vector: str, sums: str, name: str) -> None:
        """See `Numbers.add`."""
        kind = code.lanes.integers
        code.module.declare(self._name, f"declare {kind} {self._name}({kind}, {kind}, {kind})")
        given = ", ".join(f"{kind} {operand}" for operand in (sums, one, vector))
        code.let(f"call {kind} {self._name}({given})", name)


def _whole(code: Function, pointer: str, count: int) -> str:
    """A vector of whole numbers."""
    at = code.offset(pointer, count, "i32")
    return code.let(f"load {code.lanes.integers}, ptr {at}, align 4")


class Int8(Forward):
    """Writes the forward pass of a plan of one part, with weights of 8 bits.

    Args:
        plan: Of the cell.
        machine: Whose vectors.
    """

    def __init__(self, plan: Plan, machine: Host) -> None:
        vector = lanes(machine, "float")
        super().__init__(plan, vector, machine.registers, False)
        self.words = words(plan)
        # Few bytes are read one after another: more blocks at once would only make more places.
        self.shapes = [replace(shape, one=min(shape.one, 2)) for shape in self.shapes]
        self._bytes = multiplies_bytes(machine)
        self._numbers = Bytes(machine.vector_bytes) if self._bytes else BytesAsFloats()

    def text(self) -> str:
        """The module; its one public function is `forward`."""
        if self._bytes:
            self._to_bytes()
            self._rows_to_bytes()
        return super().text()

    def _sweep(self, block: Block, k: int, end: str) -> None:
        if self._bytes:
            block.code.do(f"call void @rows_to_bytes(ptr %block, i64 {end})")
        super()._sweep(block, k, end)

    def _rows_to_bytes(self) -> None:
        """The function that makes bytes of all that weights multiply at this step."""
        code, block = self._function("rows_to_bytes", "i64 %end")
        for source in sources(self.plan.parts[0]):
            with code.loop(block.word("begin"), "%end") as row:
                from_ = self._from(block, source, row)
                place = code.mul(row, block.word("bytes_row"))
                to = code.offset(block.pointer(f"bytes:{source}"), place, "i8")
                count = block.word("input" if source == INPUT else self._width(source))
                unit = code.offset(block.pointer(f"unit:{source}"), row)
                code.do(f"call void @to_bytes(ptr {from_}, i64 {count}, ptr {to}, ptr {unit})")
        code.do("ret void")
        self.module.add(code)

    def _add(
        self, block: Block, k: int, source: str, table: list[str], sums: list[list[str]], group: int
    ) -> None:
        """Add to the sums of a tile what one source gives, in place."""
        code, n, part = block.code, self.lanes.count, self.plan.parts[k]
        found = taking(part, source)
        which = [g * len(part.sums) + j for g in range(group) for j in found]
        width, size = len(found), self._numbers.group
        count = block.word("input" if source == INPUT else self._width(source))
        steps = code.let(f"lshr i64 {code.add(count, str(size - 1))}, {size.bit_length() - 1}")
        line = code.mul(steps, width * n * size)
        panels = [code.offset(block.pointer(f"panel:0:{source}"), code.mul("%unit", line), "i8")]
        for _ in range(group - 1):
            panels.append(code.offset(panels[-1], line, "i8"))
        at = code.mul("%unit", width * n)
        if self._bytes:
            base, row_size = block.pointer(f"bytes:{source}"), block.word("bytes_row")
            from_ = [code.offset(base, code.mul(row, row_size), "i8") for row in table]
            start = code.offset(block.pointer(f"start:{source}"), at)
            first = [_whole(code, start, j * n) for j in range(len(which))]
        else:
            from_ = [self._from(block, source, row) for row in table]
            first = ["zeroinitializer"] * len(which)
        own = [list(first) for _ in table]
        every = range(len(which))
        accumulate(code, own, from_, panels, steps, every, width, numbers=self._numbers)
        scale = code.offset(block.pointer(f"scale:{source}"), at)
        unit = block.pointer(f"unit:{source}") if self._bytes else ""
        scales = [code.load(scale, j * n) for j in every]
        for r, row in enumerate(table):
            one = code.broadcast(code.offset(unit, row)) if self._bytes else ""
            for j, nth in enumerate(which):
                value, factor = own[r][j], scales[j]
                if self._bytes:
                    value = code.let(f"sitofp {self.lanes.integers} {value} to {self.lanes.type}")
                    factor = code.arithmetic("fmul", factor, one)
                sums[r][nth] = code.fma(value, factor, sums[r][nth])

    def _to_bytes(self) -> None:
        """The function that rounds a row of floats to bytes, and writes the scale of it.

        A row that is not finite gets NaN as its scale.
        """
        vector, n = self.lanes, self.lanes.count
        code = Function(
            self.module, "to_bytes",
            [("ptr", "%from"), ("i64", "%count"), ("ptr", "%to"), ("ptr", "%unit")], vector,
        )  # fmt: skip
        kind = vector.integers
        largest = code.first(f"alloca {kind}, align 64")
        code.do(f"store {kind} zeroinitializer, ptr {largest}")
        vectors = code.let(f"lshr i64 {code.add('%count', str(n - 1))}, {n.bit_length() - 1}")

        def values(k: str) -> str:
            at = code.mul(k, n)
            return code.load_part(code.offset("%from", at), code.mask(code.sub("%count", at)))

        # As whole numbers, sizes are in order, and whatever is not finite is the largest.
        with code.loop("0", vectors) as k:
            bits = code.let(f"bitcast {vector.type} {values(k)} to {kind}")
            size = code.let(f"and {kind} {bits}, {vector.whole(0x7FFFFFFF)}")
            old = code.let(f"load {kind}, ptr {largest}")
            more = code.let(f"icmp ugt {kind} {size}, {old}")
            size = code.let(f"select {vector.bits} {more}, {kind} {size}, {kind} {old}")
            code.do(f"store {kind} {size}, ptr {largest}")
        reduce = self.module.declare(
            f"@llvm.vector.reduce.umax.v{n}i32",
            f"declare i32 @llvm.vector.reduce.umax.v{n}i32({kind})",
        )
        most = code.let(f"call i32 {reduce}({kind} {code.let(f'load {kind}, ptr {largest}')})")
        most = code.let(f"bitcast i32 {most} to float")
        some = code.let(f"fcmp ugt float {most}, {vector.number(_LEAST)}")
        most = code.let(f"select i1 {some}, float {most}, float {vector.number(_LEAST)}")
        # Infinity less itself is NaN.
        nothing = code.let(f"fsub float {most}, {most}")
        unit = code.let(f"fdiv float {most}, {vector.number(_MOST)}")
        code.do(f"store float {code.let(f'fadd float {unit}, {nothing}')}, ptr %unit")
        factor = code.let(f"fdiv float {vector.number(_MOST)}, {most}")
        first = code.let(f"insertelement {vector.type} poison, float {factor}, i32 0")
        zeros = f"<{n} x i32> zeroinitializer"
        factors = code.let(f"shufflevector {vector.type} {first}, {vector.type} poison, {zeros}")
        with code.loop("0", vectors) as k:
            shifted = code.fma(values(k), factors, vector.splat(_SHIFT))
            bits = code.let(f"bitcast {vector.type} {shifted} to {kind}")
            bytes_ = code.let(f"trunc {kind} {bits} to <{n} x i8>")
            code.do(f"store <{n} x i8> {bytes_}, ptr {code.offset('%to', code.mul(k, n), 'i8')}")
        code.do("ret void")
        self.module.add(code)
