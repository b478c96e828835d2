"""Weights in the order in which the kernels read them, as LLVM text."""

from __future__ import annotations

from .block import Block
from .host import widths
from .ir import Function, Lanes, Module
from .moving import transposed
from .words import PACK


def text(lanes: Lanes, registers: int) -> str:
    """The module, with the public functions `pack_units` and `pack_columns`."""
    module = Module()
    _units(module, lanes)
    _columns(module, lanes, widths(registers))
    return module.text()


def _units(module: Module, lanes: Lanes) -> None:
    """Write [unit / lanes, column, block, lanes], for blocks of units from begin to end."""
    code = Function(module, "pack_units", [("ptr", "%block")], lanes, public=True)
    block, n, kind = Block(code, PACK), lanes.count, lanes.kind
    columns, number, ld = block.word("columns"), block.word("number"), block.word("from_row")
    size = code.mul(columns, code.mul(number, n))
    with code.loop(block.word("begin"), block.word("end")) as vector:
        first = code.mul(vector, n)
        to_vector = code.offset(block.pointer("to"), code.mul(vector, size))
        left = code.sub(block.word("units"), first)
        there = code.least(left, str(n))
        with code.loop("0", number) as j:
            row = code.add(code.word(block.pointer("starts"), j), first)
            from_ = code.offset(block.pointer("from"), code.mul(row, ld))
            to = code.offset(to_vector, code.mul(j, n))
            # Whole squares are turned in registers; what is left over goes number by number.
            full = code.let(f"icmp eq i64 {there}, {n}")
            squares = code.let(
                f"select i1 {full}, i64 {code.let(f'and i64 {columns}, {-n}')}, i64 0"
            )
            with code.loop("0", squares, str(n)) as k:
                lines = [code.offset(from_, code.mul(ld, r)) for r in range(n)]
                vectors = transposed(code, [code.load(code.offset(line, k)) for line in lines])
                for r, vector in enumerate(vectors):
                    nth = code.mul(code.add(k, str(r)), code.mul(number, n))
                    code.store(vector, code.offset(to, nth))
            with code.loop(squares, columns) as k:
                at = code.offset(to, code.mul(k, code.mul(number, n)))
                with code.when(code.less(there, str(n))):
                    code.store("zeroinitializer", at)
                source = code.offset(from_, k)
                with code.loop("0", there) as lane:
                    one = code.offset(source, code.mul(lane, ld))
                    value = code.let(f"load {kind}, ptr {one}")
                    code.do(f"store {kind} {value}, ptr {code.offset(at, lane)}")
    code.do("ret void")
    module.add(code)


def _columns(module: Module, lanes: Lanes, sizes: tuple[int, ...]) -> None:
    """Write [column / width, row, width]: first the widest, at the end narrower ones."""
    code = Function(module, "pack_columns", [("ptr", "%block")], lanes, public=True)
    block, n = Block(code, PACK), lanes.count
    number, padded, columns = (block.word(w) for w in ("number", "padded", "columns"))
    count = code.mul(number, padded)
    vectors = code.let(f"sdiv i64 {code.add(columns, str(n - 1))}, {n}")
    start = "0"
    for width in sizes:
        whole = code.mul(code.let(f"sdiv i64 {vectors}, {width}"), width)
        with code.loop(start, whole, str(width)) as vector:
            at = code.mul(vector, n)
            panel = code.offset(block.pointer("to"), code.mul(at, count))
            masks = [code.mask(code.sub(code.sub(columns, at), str(j * n))) for j in range(width)]
            with code.loop("0", number) as b, code.loop("0", padded) as unit:
                nth = code.add(code.mul(b, padded), unit)
                to = code.offset(panel, code.mul(nth, width * n))
                inside, outside, done = (code.label(s) for s in ("in", "out", "pd"))
                code.branch(code.less(unit, block.word("units")), inside, outside)
                code.block(inside)
                row = code.add(code.word(block.pointer("starts"), b), unit)
                from_ = code.offset(block.pointer("from"), code.mul(row, block.word("from_row")))
                from_ = code.offset(from_, at)
                for j in range(width):
                    code.store(code.load_part(code.offset(from_, j * n), masks[j]), to, j * n)
                code.jump(done)
                code.block(outside)
                for j in range(width):
                    code.store("zeroinitializer", to, j * n)
                code.jump(done)
                code.block(done)
        start = whole
    code.do("ret void")
    module.add(code)
