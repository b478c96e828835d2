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
from .block import Block, Words
from .forward import Forward, sources, taking
from .forward import words as forward_words
from .host import Host
from .ir import Function
from .jit import compile_text
from .kernels import Kernel, lanes
from .plan import INPUT, Plan
from .stream_weights import Layer, Matrix, matrices, room

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
    writer = Int8(plan, machine)
    return Kernel(compile_text(writer.text(), machine).address("forward"), writer.words)


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
        if self._bytes:
            _, bits = _INSTRUCTION[machine.vector_bytes]
            kind, name = vector.integers, f"@llvm.x86.avx512.vpdpbusd.{bits}"
            self._dot = self.module.declare(name, f"declare {kind} {name}({kind}, {kind}, {kind})")

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

    def _from(self, block: Block, source: str, row: str) -> str:
        if source == INPUT:
            return self._timed_row(block, "x", row)
        return self._row(block, source, block.pointer(f"old:{source}"), row)

    def _tile(self, k: int, rows: int, group: int) -> None:
        """The function that sums up a tile and has its equations computed."""
        part, n = self.plan.parts[k], self.lanes.count
        each = len(part.sums)
        code, block = self._function(f"tile_{k}_{rows}_{group}", "i64 %row", "i64 %unit")
        scratch = code.first(f"alloca [{rows * group * each * n} x float], align 64")
        table = [code.add("%row", str(r)) for r in range(rows)]
        sums = self._begin(block, k, table, group)
        for source in sources(part):
            found = taking(part, source)
            which = [g * each + j for g in range(group) for j in found]
            self._add(block, source, table, sums, which, len(found))
        for r in range(rows):
            for j, value in enumerate(sums[r]):
                code.store(value, scratch, (r * group * each + j) * n)
        code.do(
            f"call void @equations_{k}(ptr %block, ptr {scratch}, i64 %row, i64 {rows}, "
            f"i64 %unit, i64 {group})"
        )
        code.do("ret void")
        self.module.add(code)

    def _add(
        self, block: Block, source: str, table: list[str], sums: list[list[str]],
        which: list[int], width: int,
    ) -> None:  # fmt: skip
        """Add to the sums of a tile what one source gives, in place."""
        code, n = block.code, self.lanes.count
        count = block.word("input" if source == INPUT else self._width(source))
        size = 4 if self._bytes else 1
        steps = code.let(f"lshr i64 {code.add(count, str(size - 1))}, {size.bit_length() - 1}")
        line = width * n * size
        panel = code.offset(block.pointer(f"panel:0:{source}"),
                            code.mul("%unit", code.mul(steps, line)), "i8")  # fmt: skip
        panels = [panel]
        for _ in range(len(which) // width - 1):
            panels.append(code.offset(panels[-1], code.mul(steps, line), "i8"))
        at = code.mul("%unit", width * n)
        if self._bytes:
            base = block.pointer(f"bytes:{source}")
            row_size = block.word("bytes_row")
            from_ = [code.offset(base, code.mul(row, row_size), "i8") for row in table]
            start = code.offset(block.pointer(f"start:{source}"), at)
            first = [self._whole(code, start, j * n) for j in range(len(which))]
        else:
            from_ = [self._from(block, source, row) for row in table]
            first = ["zeroinitializer"] * len(which)
        found = self._products(code, from_, panels, steps, width, first)
        scale = code.offset(block.pointer(f"scale:{source}"), at)
        unit = block.pointer(f"unit:{source}") if self._bytes else ""
        scales = [code.load(scale, j * n) for j in range(len(which))]
        for r, row in enumerate(table):
            one = code.broadcast(code.offset(unit, row)) if self._bytes else ""
            for j, nth in enumerate(which):
                value, factor = found[r][j], scales[j]
                if self._bytes:
                    value = code.let(f"sitofp {self.lanes.integers} {value} to {self.lanes.type}")
                    factor = code.arithmetic("fmul", factor, one)
                sums[r][nth] = code.fma(value, factor, sums[r][nth])

    def _products(
        self, code: Function, rows: list[str], panels: list[str], steps: str, width: int,
        first: list[str],
    ) -> list[list[str]]:  # fmt: skip
        """The loop over a row: whole sums of bytes, or sums of floats."""
        n, many = self.lanes.count, range(len(first))
        kind = self.lanes.integers if self._bytes else self.lanes.type
        begin, body, leave = code.label("k"), code.label("m"), code.label("d")
        counter, after, before = code.fresh("k"), code.fresh("k"), code.here
        held = [[code.fresh("a") for _ in many] for _ in rows]
        new = [[code.fresh("a") for _ in many] for _ in rows]
        code.jump(begin)
        code.block(begin)
        code.let(f"phi i64 [ 0, %{before} ], [ {after}, %{body} ]", counter)
        for r in range(len(rows)):
            for j in many:
                code.let(f"phi {kind} [ {first[j]}, %{before} ], [ {new[r][j]}, %{body} ]",
                         held[r][j])  # fmt: skip
        code.branch(code.less(counter, steps), body, leave)
        code.block(body)
        line = width * n * (4 if self._bytes else 1)
        place = code.mul(counter, line)
        lines = [code.offset(panel, place, "i8") for panel in panels]
        ones = [self._one(code, row, counter) for row in rows]
        for j in many:
            vector = self._weights(code, lines[j // width], j % width)
            for r, one in enumerate(ones):
                if self._bytes:
                    code.let(f"call {kind} {self._dot}({kind} {held[r][j]}, {kind} {one}, "
                             f"{kind} {vector})", new[r][j])  # fmt: skip
                else:
                    code.fma(one, vector, held[r][j], new[r][j])
        code.let(f"add i64 {counter}, 1", after)
        code.jump(begin)
        code.block(leave)
        return held

    def _one(self, code: Function, row: str, counter: str) -> str:
        """A vector full of a row's next number, or of its next four bytes."""
        if not self._bytes:
            return code.broadcast(row, counter)
        integers, n = self.lanes.integers, self.lanes.count
        four = code.let(f"load i32, ptr {code.offset(row, counter, 'i32')}, align 4")
        first = code.let(f"insertelement {integers} poison, i32 {four}, i32 0")
        zeros = f"<{n} x i32> zeroinitializer"
        return code.let(f"shufflevector {integers} {first}, {integers} poison, {zeros}")

    def _weights(self, code: Function, line: str, place: int) -> str:
        """One vector of weights: four bytes a lane as they are, or one byte as a float."""
        integers, n = self.lanes.integers, self.lanes.count
        if self._bytes:
            return self._whole(code, line, place * n)
        at = code.offset(line, place * n, "i8")
        bytes_ = code.let(f"load <{n} x i8>, ptr {at}, align {n}")
        whole = code.let(f"sext <{n} x i8> {bytes_} to {integers}")
        return code.let(f"sitofp {integers} {whole} to {self.lanes.type}")

    def _whole(self, code: Function, pointer: str, count: int) -> str:
        """A vector of whole numbers."""
        at = code.offset(pointer, count, "i32")
        return code.let(f"load {self.lanes.integers}, ptr {at}, align 4")

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
