"""Numbers from one order into another, as LLVM text: what happens before and after time runs."""

from __future__ import annotations

from collections.abc import Sequence

from .block import Block
from .ir import Function, Lanes, Module
from .words import COPY, SEQUENCE, UNPACK, ZERO


def text(lanes: Lanes) -> str:
    """The module, with the public functions `copy_rows`, `transpose`, `zero`, `sequence`."""
    module = Module()
    _copy(module, lanes)
    _transpose(module, lanes)
    _zero(module, lanes)
    _sequence(module, lanes)
    return module.text()


def transposed(code: Function, rows: Sequence[str]) -> list[str]:
    """Turn n vectors of n numbers, so that number j of vector i is number i of vector j."""
    n, kind = len(rows), code.lanes.type
    held, distance = list(rows), 1
    while distance < n:
        new = list(held)
        for k in range(n):
            if k & distance:
                continue
            low, high = held[k], held[k | distance]
            for side, place in ((0, k), (1, k | distance)):
                take = [
                    (j & ~distance) | (side * distance) if not j & distance
                    else n + ((j & ~distance) | (side * distance))
                    for j in range(n)
                ]  # fmt: skip
                mask = ", ".join(f"i32 {t}" for t in take)
                new[place] = code.let(
                    f"shufflevector {kind} {low}, {kind} {high}, <{n} x i32> <{mask}>"
                )
        held, distance = new, 2 * distance
    return held


def _copy(module: Module, lanes: Lanes) -> None:
    code = Function(module, "copy_rows", [("ptr", "%block")], lanes, public=True)
    block, n = Block(code, COPY), lanes.count
    columns, padded = block.word("columns"), block.word("padded")
    adds = code.let(f"icmp ne i64 {block.word('add')}, 0")
    stays = code.let(f"xor i1 {adds}, true")
    whole = code.let(f"and i64 {columns}, {-n}")
    with code.loop("0", block.word("rows")) as row:
        to = code.pointer(block.pointer("to"), row)
        from_ = code.pointer(block.pointer("from"), row)
        with code.loop("0", whole, str(n)) as at:
            value, place = code.load(code.offset(from_, at)), code.offset(to, at)
            with code.when(adds):
                code.store(code.arithmetic("fadd", value, code.load(place)), place)
            with code.when(stays):
                code.store(value, place)
        with code.when(code.less(whole, columns)):
            mask = code.mask(code.sub(columns, whole))
            value = code.load_part(code.offset(from_, whole), mask)
            place = code.offset(to, whole)
            with code.when(adds):
                old = code.load_part(place, mask)
                code.store_part(code.arithmetic("fadd", value, old), place, mask)
            with code.when(stays):
                code.store_part(value, place, mask)
        with code.loop(columns, padded) as at:
            code.do(f"store {lanes.kind} 0.0, ptr {code.offset(to, at)}")
    code.do("ret void")
    module.add(code)


def _transpose(module: Module, lanes: Lanes) -> None:
    code = Function(module, "transpose", [("ptr", "%block")], lanes, public=True)
    block, n, kind = Block(code, UNPACK), lanes.count, lanes.kind
    rows, columns = block.word("rows"), block.word("columns")
    row_size, column_size = block.word("to_row"), block.word("from_row")
    rows_whole = code.let(f"and i64 {rows}, {-n}")
    columns_whole = code.let(f"and i64 {columns}, {-n}")

    def single(row: str, column: str) -> None:
        source = code.offset(block.pointer("from"), code.mul(column, column_size), "i8")
        value = code.let(f"load {kind}, ptr {code.offset(source, row)}")
        target = code.offset(block.pointer("to"), code.mul(row, row_size), "i8")
        code.do(f"store {kind} {value}, ptr {code.offset(target, column)}")

    with code.loop("0", rows_whole, str(n)) as row:
        with code.loop("0", columns_whole, str(n)) as column:
            vectors = []
            for j in range(n):
                nth = code.mul(code.add(column, str(j)), column_size)
                source = code.offset(block.pointer("from"), nth, "i8")
                vectors.append(code.load(code.offset(source, row)))
            for j, vector in enumerate(transposed(code, vectors)):
                nth = code.mul(code.add(row, str(j)), row_size)
                target = code.offset(block.pointer("to"), nth, "i8")
                code.store(vector, code.offset(target, column))
        with code.loop(columns_whole, columns) as column, code.loop("0", str(n)) as j:
            single(code.add(row, j), column)
    with code.loop(rows_whole, rows) as row, code.loop("0", columns) as column:
        single(row, column)
    code.do("ret void")
    module.add(code)


def _zero(module: Module, lanes: Lanes) -> None:
    code = Function(module, "zero", [("ptr", "%block")], lanes, public=True)
    block = Block(code, ZERO)
    with code.loop("0", block.word("count")) as k:
        at = code.offset(block.pointer("to"), code.mul(k, lanes.count))
        code.store("zeroinitializer", at)
    code.do("ret void")
    module.add(code)


def _sequence(module: Module, lanes: Lanes) -> None:
    """Jobs one after another, as one."""
    code = Function(module, "sequence", [("ptr", "%block")], lanes, public=True)
    block = Block(code, SEQUENCE)
    with code.loop("0", block.word("count")) as k:
        job = code.pointer("%block", code.add(k, str(len(SEQUENCE))))
        function = code.pointer(job)
        code.do(f"call void {function}(ptr {job})")
    code.do("ret void")
    module.add(code)
