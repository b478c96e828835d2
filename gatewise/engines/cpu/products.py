"""Products that no cell has a part in: gradients through weights, and of weights."""

from __future__ import annotations

from collections.abc import Iterator

from .block import Block
from .host import widths
from .ir import Function, Lanes, Module
from .tile import accumulate, over_rows
from .words import OUTER

HEIGHT = 6
"""Rows of the highest of the widest tiles."""

_FAR = 2 << 20
"""Bytes from which on a matrix is far away: behind the second-level cache."""


def heights(width: int, widest: int) -> tuple[int, ...]:
    """Rows of the tiles of a width; narrow ones do what is left over: they are high, and few."""
    return tuple(range(HEIGHT, 0, -1)) if width == widest else (2 * HEIGHT, HEIGHT, HEIGHT // 2, 1)


def text(lanes: Lanes, registers: int) -> str:
    """The module, with the public functions `product`, `product_rows`, `outer`, `total`."""
    module = Module()
    sizes = widths(registers)
    for width in sizes:
        for rows in heights(width, sizes[0]):
            _product_tile(module, lanes, rows, width)
            _outer_tile(module, lanes, rows, width)
    _product(module, lanes, sizes)
    _product_rows(module, lanes, sizes)
    _fill(module, lanes)
    _outer(module, lanes, sizes)
    _total(module, lanes)
    return module.text()


def _product_tile(module: Module, lanes: Lanes, rows: int, width: int) -> None:
    """A few rows times one panel, added to rows that lie `%to_row` numbers apart."""
    given = [("ptr", "%a"), ("i64", "%a_row"), ("i64", "%count"), ("ptr", "%panel"), ("ptr", "%to"),
             ("i64", "%to_row")]  # fmt: skip
    code = Function(module, f"product_{rows}_{width}", given, lanes)
    sums = [["zeroinitializer"] * width for _ in range(rows)]
    from_ = [code.offset("%a", code.mul("%a_row", r)) for r in range(rows)]
    accumulate(code, sums, from_, ["%panel"], "%count", range(width), width)
    for r in range(rows):
        to = code.offset("%to", code.mul("%to_row", r))
        for j, value in enumerate(sums[r]):
            at = code.offset(to, j * lanes.count)
            code.store(code.arithmetic("fadd", code.load(at), value), at)
    code.do("ret void")
    module.add(code)


def _product(module: Module, lanes: Lanes, sizes: tuple[int, ...]) -> None:
    """Rows times panels, added to rows of one buffer."""
    given = [("ptr", "%a"), ("i64", "%a_row"), ("i64", "%count"), ("ptr", "%panels"),
             ("i64", "%columns"), ("ptr", "%to"), ("i64", "%to_row"), ("i64", "%rows")]  # fmt: skip
    code = Function(module, "product", given, lanes, public=True)
    for width, at, panel in _panels(code, sizes):

        def tile(rows: int, row: str, width: int = width, at: str = at, panel: str = panel) -> None:
            to = code.offset(code.offset("%to", code.mul(row, "%to_row")), at)
            _call_tile(code, rows, width, row, panel, to, "%to_row")

        over_rows(code, "0", "%rows", heights(width, sizes[0]), tile)
    code.do("ret void")
    module.add(code)


def _product_rows(module: Module, lanes: Lanes, sizes: tuple[int, ...]) -> None:
    """Rows times panels, written or added to rows anywhere, whose addresses are given."""
    for width in sizes:
        _put(module, lanes, width)
    given = [("ptr", "%a"), ("i64", "%a_row"), ("i64", "%count"), ("ptr", "%panels"),
             ("i64", "%columns"), ("ptr", "%to"), ("i64", "%to_row"), ("i64", "%rows"),
             ("i64", "%add")]  # fmt: skip
    code = Function(module, "product_rows", given, lanes, public=True)
    n = lanes.count
    numbers = HEIGHT * sizes[0] * n
    scratch = code.first(f"alloca [{numbers} x {lanes.kind}], align 64")
    with code.loop("0", str(numbers), str(n)) as k:
        code.store("zeroinitializer", scratch, k)
    for width, at, panel in _panels(code, sizes):

        def tile(rows: int, row: str, width: int = width, at: str = at, panel: str = panel) -> None:
            _call_tile(code, rows, width, row, panel, scratch, str(width * n))
            to = code.offset("%to", row, "i64")
            code.do(
                f"call void @put_{width}(ptr {scratch}, ptr {to}, i64 %to_row, i64 {at}, "
                f"i64 %columns, i64 {rows}, i64 %add)"
            )

        over_rows(code, "0", "%rows", heights(width, sizes[0]), tile)
    code.do("ret void")
    module.add(code)


def _panels(code: Function, sizes: tuple[int, ...]) -> Iterator[tuple[int, str, str]]:
    """Go through panels: how wide one is, which column it begins at, and where it is."""
    n = code.lanes.count
    padded = code.let(f"sdiv i64 {code.add('%columns', str(n - 1))}, {n}")
    start = "0"
    for width in sizes:
        whole = code.mul(code.let(f"sdiv i64 {padded}, {width}"), width)
        with code.loop(start, whole, str(width)) as vector:
            at = code.mul(vector, n)
            yield width, at, code.offset("%panels", code.mul(at, "%count"))
        start = whole


def _call_tile(
    code: Function, rows: int, width: int, row: str, panel: str, to: str, to_row: str
) -> None:
    a = code.offset("%a", code.mul(row, "%a_row"))
    code.do(
        f"call void @product_{rows}_{width}(ptr {a}, i64 %a_row, i64 %count, ptr {panel}, "
        f"ptr {to}, i64 {to_row})"
    )


def _put(module: Module, lanes: Lanes, width: int) -> None:
    """Bring a tile to rows of the caller's, each of which ends where it ends, and make it zero."""
    given = [("ptr", "%from"), ("ptr", "%to"), ("i64", "%to_row"), ("i64", "%at"),
             ("i64", "%columns"), ("i64", "%rows"), ("i64", "%add")]  # fmt: skip
    code = Function(module, f"put_{width}", given, lanes)
    n = lanes.count
    left = code.sub("%columns", "%at")
    masks = [code.mask(code.sub(left, str(j * n))) for j in range(width)]
    adds = code.let("icmp ne i64 %add, 0")
    with code.loop("0", "%rows") as r:
        from_ = code.offset("%from", code.mul(r, width * n))
        to = code.offset(code.offset(code.pointer("%to", r), "%to_row", "i8"), "%at")
        for j, mask in enumerate(masks):
            place = code.offset(to, j * n)
            # Where nothing is added nothing is read.
            old = code.load_part(place, code.let(f"select i1 {adds}, {lanes.bits} {mask}, "
                                                 f"{lanes.bits} zeroinitializer"))  # fmt: skip
            value = code.arithmetic("fadd", code.load(from_, j * n), old)
            code.store_part(value, place, mask)
            code.store("zeroinitializer", from_, j * n)
    code.do("ret void")
    module.add(code)


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


def _bring(module: Module, lanes: Lanes, width: int) -> None:
    """Call the sums of an outer tile near, which it wants at its end."""
    given = [("ptr", "%to"), ("i64", "%to_row"), ("i64", "%rows")]
    code = Function(module, f"bring_{width}", given, lanes)
    with code.loop("0", "%rows") as r:
        row = code.offset("%to", code.mul(r, "%to_row"))
        for j in range(width):
            code.prefetch(code.offset(row, j * lanes.count))
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
                # Rows of the caller's lie far apart: without this the first tile waits for each.
                with code.loop("0", block.word("count"), str(lanes.count)) as at:
                    code.prefetch(code.offset(a, at))
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
    to, to_row = block.pointer("to"), block.word("to_row")
    numbers = code.mul(block.word("count"), to_row)
    is_far = code.let(f"icmp sge i64 {numbers}, {_FAR // lanes.size}")
    start = block.word("begin")
    for width in sizes:
        _bring(module, lanes, width)
        left = code.sub(block.word("end"), start)
        whole = code.mul(code.let(f"sdiv i64 {left}, {width}"), width)
        stop = code.add(start, whole)
        with code.loop(start, stop, str(width)) as vector:
            m = code.mul(vector, n)

            def tile(rows: int, row: str, width: int = width, m: str = m) -> None:
                with code.when(is_far):
                    at = code.offset(code.offset(to, code.mul(row, to_row)), m)
                    code.do(f"call void @bring_{width}(ptr {at}, i64 {to_row}, i64 {rows})")
                code.do(
                    f"call void @outer_{rows}_{width}(ptr {block.pointer('tables')}, i64 {count}, "
                    f"i64 {row}, i64 {m}, ptr {to}, i64 {to_row})"
                )

            over_rows(code, "0", block.word("count"), heights(width, sizes[0]), tile)
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
