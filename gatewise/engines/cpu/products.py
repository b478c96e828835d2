"""Products that no cell has a part in: gradients through weights, and of weights."""

from __future__ import annotations

from .block import Block, Words
from .ir import Function, Lanes, Module
from .tile import accumulate, over_rows

HEIGHT = 6
"""Rows of the highest tile."""


def widths(registers: int) -> tuple[int, ...]:
    """Vectors of a tile, the widest first; the widest times the height is held in registers."""
    return (4, 2, 1) if registers >= 32 else (2, 1)


OUTER = Words([
    "a_rows", "a_step", "a_shift", "a_origin", "a_start", "a_row", "g_rows", "g_step", "g_row",
    "first", "last", "lengths", "rows", "tables", "count", "width", "to", "to_row",
    "begin", "end",
])  # fmt: skip
"""What `outer` is told.

At step s, row r, the numbers `a` are at `a_rows[r] + (s - a_shift) * a_step`, or before the first
step at `a_start + r * a_row`; where there is no table `a_rows`, at
`a_start + (s - a_origin) * a_step + r * a_row`. The vectors `g` are at
`g_rows + (s - first) * g_step + r * g_row`. `tables` is room for two addresses a row and step.
"""


def text(lanes: Lanes, registers: int) -> str:
    """The module, with the public functions `product`, `product_rows`, `outer`, `total`."""
    module = Module()
    sizes = widths(registers)
    for width in sizes:
        for rows in range(1, HEIGHT + 1):
            _product_tile(module, lanes, rows, width)
            _outer_tile(module, lanes, rows, width)
    _product(module, lanes, sizes, table=False)
    _product(module, lanes, sizes, table=True)
    _fill(module, lanes)
    _outer(module, lanes, sizes)
    _total(module, lanes)
    return module.text()


def _product_tile(module: Module, lanes: Lanes, rows: int, width: int) -> None:
    given = [("ptr", "%a"), ("i64", "%a_row"), ("i64", "%count"), ("ptr", "%panel"), ("ptr", "%to")]
    code = Function(module, f"product_{rows}_{width}", given, lanes)
    sums = [["zeroinitializer"] * width for _ in range(rows)]
    from_ = [code.offset("%a", code.mul("%a_row", r)) for r in range(rows)]
    accumulate(code, sums, from_, ["%panel"], "%count", range(width), width)
    for r in range(rows):
        for j, value in enumerate(sums[r]):
            code.store(value, "%to", (r * width + j) * lanes.count)
    code.do("ret void")
    module.add(code)


def _product(module: Module, lanes: Lanes, sizes: tuple[int, ...], table: bool) -> None:
    """Rows times panels; the result goes or is added to rows of one buffer, or to rows anywhere."""
    given = [("ptr", "%a"), ("i64", "%a_row"), ("i64", "%count"), ("ptr", "%panels"),
             ("i64", "%columns"), ("ptr", "%to"), ("i64", "%to_row"), ("i64", "%rows"),
             ("i64", "%add")]  # fmt: skip
    name = "product_rows" if table else "product"
    code = Function(module, name, given, lanes, public=True)
    n = lanes.count
    scratch = code.first(f"alloca [{HEIGHT * sizes[0] * n} x {lanes.kind}], align 64")
    padded = code.let(f"sdiv i64 {code.add('%columns', str(n - 1))}, {n}")
    start = "0"
    for width in sizes:
        whole = code.mul(code.let(f"sdiv i64 {padded}, {width}"), width)
        with code.loop(start, whole, str(width)) as vector:
            at = code.mul(vector, n)
            panel = code.offset("%panels", code.mul(at, "%count"))

            def tile(rows: int, row: str, width: int = width, at: str = at, panel: str = panel):
                a = code.offset("%a", code.mul(row, "%a_row"))
                code.do(
                    f"call void @product_{rows}_{width}(ptr {a}, i64 %a_row, i64 %count, "
                    f"ptr {panel}, ptr {scratch})"
                )
                with code.loop("0", str(rows)) as r:
                    nth = code.add(row, r)
                    if table:
                        to = code.offset(code.pointer("%to", nth), "%to_row", "i8")
                    else:
                        to = code.offset("%to", code.mul(nth, "%to_row"))
                    to = code.offset(to, at)
                    for j in range(width):
                        value = code.load(scratch, code.add(code.mul(r, width * n), str(j * n)))
                        _put(code, value, code.offset(to, j * n), at, j, table)

            over_rows(code, "0", "%rows", HEIGHT, tile)
        start = whole
    code.do("ret void")
    module.add(code)


def _put(code: Function, value: str, to: str, at: str, j: int, table: bool) -> None:
    # A row of the caller's ends where it ends.
    left = code.sub(code.sub("%columns", at), str(j * code.lanes.count))
    mask = code.mask(left) if table else ""
    adding, storing, done = code.label("a"), code.label("s"), code.label("o")
    code.branch(code.let("icmp ne i64 %add, 0"), adding, storing)
    for label in (adding, storing):
        code.block(label)
        new = value
        if label == adding:
            old = code.load_part(to, mask) if table else code.load(to)
            new = code.arithmetic("fadd", value, old)
        if table:
            code.store_part(new, to, mask)
        else:
            code.store(new, to)
        code.jump(done)
    code.block(done)


def _outer_tile(module: Module, lanes: Lanes, rows: int, width: int) -> None:
    """A few numbers of each `a` times a few vectors of each `g`, summed up over all of them."""
    given = [("ptr", "%tables"), ("i64", "%count"), ("i64", "%n"), ("i64", "%m"), ("ptr", "%to"),
             ("i64", "%to_row")]  # fmt: skip
    code = Function(module, f"outer_{rows}_{width}", given, lanes)
    n, kind = lanes.count, lanes.type
    begin, body, leave = code.label("k"), code.label("m"), code.label("d")
    counter, after = code.fresh("k"), code.fresh("k")
    held = [[code.fresh("a") for _ in range(width)] for _ in range(rows)]
    new = [[code.fresh("a") for _ in range(width)] for _ in range(rows)]
    code.jump(begin)
    code.block(begin)
    code.let(f"phi i64 [ 0, %entry ], [ {after}, %{body} ]", counter)
    for r in range(rows):
        for j in range(width):
            code.let(f"phi {kind} [ zeroinitializer, %entry ], [ {new[r][j]}, %{body} ]",
                     held[r][j])  # fmt: skip
    code.branch(code.less(counter, "%count"), body, leave)
    code.block(body)
    pair = code.offset("%tables", code.mul(counter, 2), "i64")
    a = code.offset(code.pointer(pair), "%n")
    g = code.offset(code.pointer(pair, 1), "%m")
    ones = [code.broadcast(a, r) for r in range(rows)]
    for j in range(width):
        vector = code.load(g, j * n)
        for r, one in enumerate(ones):
            code.fma(one, vector, held[r][j], new[r][j])
    code.let(f"add i64 {counter}, 1", after)
    code.jump(begin)
    code.block(leave)
    for r in range(rows):
        to = code.offset(code.offset("%to", code.mul(code.add("%n", str(r)), "%to_row")), "%m")
        for j in range(width):
            at = code.offset(to, j * n)
            code.store(code.arithmetic("fadd", code.load(at), held[r][j]), at)
    code.do("ret void")
    module.add(code)


def _fill(module: Module, lanes: Lanes) -> None:
    """Write the addresses of `a` and `g` at every step and row that runs; give their number."""
    code = Function(module, "fill", [("ptr", "%block")], lanes, returns="i64")
    block = Block(code, OUTER)
    held = code.first("alloca i64")
    code.do(f"store i64 0, ptr {held}")
    table, lengths = block.pointer("a_rows"), block.pointer("lengths")
    given = code.let(f"icmp ne ptr {table}, null")
    ragged = code.let(f"icmp ne ptr {lengths}, null")
    # Where there is no table the block serves as one: it is there to be read.
    readable = code.let(f"select i1 {given}, ptr {table}, ptr %block")
    limits = code.let(f"select i1 {ragged}, ptr {lengths}, ptr %block")
    with code.loop(block.word("first"), block.word("last")) as step:
        nth = code.sub(step, block.word("first"))
        shifted = code.sub(step, block.word("a_shift"))
        early = code.let(f"icmp slt i64 {shifted}, 0")
        by_table = code.mul(shifted, block.word("a_step"))
        by_step = code.mul(code.sub(step, block.word("a_origin")), block.word("a_step"))
        from_start = code.let(f"select i1 {given}, i64 0, i64 {by_step}")
        g_step = code.offset(block.pointer("g_rows"), code.mul(nth, block.word("g_step")), "i8")
        use = code.let(f"xor i1 {early}, true")
        use = code.let(f"and i1 {use}, {given}")
        with code.loop("0", block.word("rows")) as row:
            index = code.let(f"select i1 {ragged}, i64 {row}, i64 0")
            length = code.word(limits, index)
            runs = code.let(f"icmp sgt i64 {length}, {step}")
            not_ragged = code.let(f"xor i1 {ragged}, true")
            with code.when(code.let(f"or i1 {runs}, {not_ragged}")):
                k = code.let(f"load i64, ptr {held}")
                where = code.let(f"select i1 {given}, i64 {row}, i64 0")
                there = code.offset(code.pointer(readable, where), by_table, "i8")
                offset = code.add(from_start, code.mul(row, block.word("a_row")))
                start = code.offset(block.pointer("a_start"), offset, "i8")
                a = code.let(f"select i1 {use}, ptr {there}, ptr {start}")
                g = code.offset(g_step, code.mul(row, block.word("g_row")), "i8")
                pair = code.offset(block.pointer("tables"), code.mul(k, 2), "i64")
                code.do(f"store ptr {a}, ptr {pair}")
                code.do(f"store ptr {g}, ptr {code.offset(pair, 1, 'i64')}")
                code.do(f"store i64 {code.add(k, '1')}, ptr {held}")
    code.do(f"ret i64 {code.let(f'load i64, ptr {held}')}")
    module.add(code)


def _outer(module: Module, lanes: Lanes, sizes: tuple[int, ...]) -> None:
    """Add to a matrix, [count, width], what all steps and rows give; columns from begin to end."""
    code = Function(module, "outer", [("ptr", "%block")], lanes, public=True)
    block, n = Block(code, OUTER), lanes.count
    count = code.let("call i64 @fill(ptr %block)")
    start = block.word("begin")
    for width in sizes:
        left = code.sub(block.word("end"), start)
        whole = code.mul(code.let(f"sdiv i64 {left}, {width}"), width)
        stop = code.add(start, whole)
        with code.loop(start, stop, str(width)) as vector:
            m = code.mul(vector, n)

            def tile(rows: int, row: str, width: int = width, m: str = m) -> None:
                code.do(
                    f"call void @outer_{rows}_{width}(ptr {block.pointer('tables')}, i64 {count}, "
                    f"i64 {row}, i64 {m}, ptr {block.pointer('to')}, i64 {block.word('to_row')})"
                )

            over_rows(code, "0", block.word("count"), HEIGHT, tile)
        start = stop
    code.do("ret void")
    module.add(code)


def _total(module: Module, lanes: Lanes) -> None:
    """Add to a vector what all `g` give, columns from begin to end."""
    code = Function(module, "total", [("ptr", "%block")], lanes, public=True)
    block, n = Block(code, OUTER), lanes.count
    count = code.let("call i64 @fill(ptr %block)")
    with code.loop(block.word("begin"), block.word("end")) as vector:
        m = code.mul(vector, n)
        to = code.offset(block.pointer("to"), m)
        begin, body, leave = code.label("k"), code.label("m"), code.label("d")
        counter, after, held, new = (code.fresh("k") for _ in range(4))
        before = code.here
        code.jump(begin)
        code.block(begin)
        code.let(f"phi i64 [ 0, %{before} ], [ {after}, %{body} ]", counter)
        code.let(f"phi {lanes.type} [ zeroinitializer, %{before} ], [ {new}, %{body} ]", held)
        code.branch(code.less(counter, count), body, leave)
        code.block(body)
        pair = code.offset(block.pointer("tables"), code.mul(counter, 2), "i64")
        g = code.load(code.offset(code.pointer(pair, 1), m))
        code.let(f"fadd {lanes.type} {held}, {g}", new)
        code.let(f"add i64 {counter}, 1", after)
        code.jump(begin)
        code.block(leave)
        # Chunk by chunk: one long sum of many small numbers would lose their last digits.
        code.store(code.arithmetic("fadd", code.load(to), held), to)
    code.do("ret void")
    module.add(code)
