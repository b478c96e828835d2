"""The backward pass of a plan as LLVM text: gradients of the equations, and through weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from . import graph
from .block import Block
from .forward import drop_ended
from .ir import Function, Lanes, Module
from .means import mean_of_row, spread
from .meeting import meet
from .plan import INPUT, RAW, Part, Plan
from .words import backward_words


class Backward:
    """Writes the module of one plan.

    Args:
        plan: Of the cell.
        lanes: The machine's vector.
    """

    def __init__(self, plan: Plan, lanes: Lanes) -> None:
        self.plan, self.lanes = plan, lanes
        self.words = backward_words(plan)
        self.module = Module()
        self.kept = {
            name: (k, j)
            for k, part in enumerate(plan.parts)
            for j, (name, _) in enumerate(part.kept)
        }

    def text(self) -> str:
        """The module; its public functions are `backward` and `rebuild`."""
        for k, part in enumerate(self.plan.parts):
            self._equations(k, part)
        for operand in (INPUT, *self.plan.operands):
            self._through(operand)
        self._time()
        self._rebuild()
        return self.module.text()

    def _function(
        self, name: str, arguments: Sequence[tuple[str, str]] = (), *, public: bool = False
    ) -> tuple[Function, Block]:
        given = [("ptr", "%block"), *arguments]
        code = Function(self.module, name, given, self.lanes, public=public)
        return code, Block(code, self.words)

    def _width(self, name: str) -> str:
        return "output" if name == self.plan.states[0] else "hidden"

    def _units(self, k: int) -> str:
        last = k == len(self.plan.parts) - 1
        return "output" if self.plan.projected and last else "hidden"

    def _equations(self, k: int, part: Part) -> None:
        """The function that turns gradients of what a part computes into those of what it reads."""
        plan = self.plan
        code, block = self._function(f"gradients_{k}", [("i64", "%begin"), ("i64", "%end")])
        units = self._units(k)
        planes = {row.name: j for j, row in enumerate(plan.planes)}
        means = {row.name for row in plan.means}
        outputs = (*part.gradients, *part.rebuilt)
        with self._each(block, "%begin", "%end", units) as leaf:
            at, mask = leaf.at, leaf.mask
            values = graph.write(code, [e for _, e in outputs], leaf)
            found = dict(zip((name for name, _ in part.gradients), values, strict=False))
            again = values[len(part.gradients) :]
            for name, value in found.items():
                if name in planes:
                    base = leaf.row_of("planes", self._planes_row)
                    place = code.mul(block.word("hidden:padded"), planes[name])
                    # What stands past the last unit is multiplied by 0 later: it must be a number.
                    whole = code.select(mask, value, "zeroinitializer")
                    code.store(whole, code.offset(base, code.add(place, at)))
                elif name in means:
                    to = code.offset(leaf.row_of(f"mean:{name}", self._mean_row, name), at)
                    code.store(code.select(mask, value, "zeroinitializer"), to)
                elif name in plan.weights:
                    to = code.offset(block.pointer(f"gradient:{name}"), at)
                    code.store(code.arithmetic("fadd", code.load(to), value), to)
            self._carry(leaf, k, part, found)
            for (name, _), value in zip(part.rebuilt, again, strict=True):
                to = leaf.row_of(f"operand:{name}", self._operand_row, name)
                code.store(code.select(mask, value, "zeroinitializer"), code.offset(to, at))
        code.do("ret void")
        self.module.add(code)

    @contextmanager
    def _each(self, block: Block, begin: str, end: str, units: str) -> Iterator[_Leaves]:
        """Go through rows, and in each through blocks of units."""
        code = block.code
        with code.loop(begin, end) as row:
            place = code.place()
            with code.loop(block.word(f"{units}:from"), block.word(f"{units}:to")) as unit:
                at = code.mul(unit, self.lanes.count)
                mask = code.mask(code.sub(block.word(units), at))
                yield _Leaves(self, block, row, place, unit, at, mask)

    def _carry(self, leaf: _Leaves, k: int, part: Part, found: dict[str, str]) -> None:
        """Hand on the gradients of old states and of earlier values.

        A state's is begun by the part that computes the state, where the gradient of its new
        value has just been used; a value's by the last part of the cell's. All others add.
        """
        plan, code = self.plan, leaf.block.code
        last = k == len(plan.parts) - 1 - plan.projected
        begun = {n for n, _ in part.computes if n in plan.states}
        begun |= set(plan.crossing) - {RAW} if last else set()
        for name in (*plan.states, *plan.crossing):
            if name not in begun and name not in found:
                continue
            to = code.offset(leaf.row_of(f"carry:{name}", self._carry_row, name), leaf.at)
            if name in begun:
                code.store(found.get(name, "zeroinitializer"), to)
            else:
                code.store(code.arithmetic("fadd", code.load(to), found[name]), to)

    def _carry_row(self, block: Block, row: str, name: str) -> str:
        padded = block.word(f"{self._width(name)}:padded")
        return block.code.offset(block.pointer(f"carry:{name}"), block.code.mul(row, padded))

    def _mean_row(self, block: Block, row: str, name: str) -> str:
        padded = block.word("hidden:padded")
        return block.code.offset(block.pointer(f"mean:{name}"), block.code.mul(row, padded))

    def _means(self, block: Block, value: str, end: str) -> None:
        """Hand on the gradients of the means of a value: each unit has its share of all of them."""
        code = block.code
        for mean in self.plan.means:
            if mean.mean != value:
                continue
            with code.loop(block.word("begin"), end) as row:
                from_ = self._mean_row(block, row, mean.name)
                share = mean_of_row(code, from_, block.word("hidden"))
                to, blocks = self._carry_row(block, row, value), block.word("hidden:blocks")
                spread(code, share, to, blocks)

    def _planes_row(self, block: Block, row: str) -> str:
        code = block.code
        offset = code.mul(block.word("nth"), block.word("planes_step"))
        base = code.offset(block.pointer("planes"), offset, "i8")
        return code.offset(base, code.mul(row, block.word("planes_row")))

    def _operand_row(self, block: Block, row: str, name: str) -> str:
        code = block.code
        offset = code.mul(block.word("nth"), block.word(f"operand_step:{name}"))
        base = code.offset(block.pointer(f"operand:{name}"), offset, "i8")
        return code.offset(base, code.mul(row, block.word("hidden:padded")))

    def _through(self, operand: str) -> None:
        """The function that multiplies gradients of sums with the weights of an operand."""
        code, block = self._function(f"through_{self._name(operand)}", [("i64", "%end")])
        begin = block.word("begin")
        rows, padded = code.sub("%end", begin), block.word("hidden:padded")
        for j, (first, number) in enumerate(self.plan.runs(operand)):
            a = code.offset(self._planes_row(block, begin), code.mul(padded, first))
            count = code.mul(block.word(f"{self._run_width(first)}:padded"), number)
            units = "input" if operand == INPUT else self._width(operand)
            at, to_at = (
                code.mul(block.word(f"{units}:{end}"), self.lanes.count) for end in ("from", "to")
            )
            panels = code.offset(block.pointer(f"panel:{operand}:{j}"), code.mul(at, count))
            given = [f"ptr {a}", f"i64 {block.word('planes_row')}", f"i64 {count}", f"ptr {panels}"]
            if operand == INPUT:
                to = code.offset(block.pointer("dx_rows"), begin, "i64")
                offset = code.mul(block.word("step"), block.word("dx_step"))
                offset = code.add(offset, code.mul(at, self.lanes.size))
                left = code.sub(code.least(to_at, block.word("input")), at)
                given += [f"i64 {left}", f"ptr {to}", f"i64 {offset}"]
                given += [f"i64 {rows}", f"i64 {int(j > 0)}"]
                callee = block.pointer("product_rows")
            else:
                columns = code.sub(to_at, at)
                to = code.offset(self._carry_row(block, begin, operand), at)
                row = block.word(f"{units}:padded")
                given += [f"i64 {columns}", f"ptr {to}", f"i64 {row}", f"i64 {rows}"]
                if operand == RAW and j == 0:
                    # What is projected is used by nothing else: here its gradient begins.
                    numbers = code.mul(rows, columns)
                    with code.loop("0", numbers, str(self.lanes.count)) as k:
                        code.store("zeroinitializer", to, k)
                callee = block.pointer("product")
            code.do(f"call void {callee}({', '.join(given)})")
        code.do("ret void")
        self.module.add(code)

    def _run_width(self, first: int) -> str:
        """Whose number of units a plane has: that of a projection has the output's."""
        return "output" if self.plan.planes[first].operand == RAW else "hidden"

    def _name(self, operand: str) -> str:
        return "x" if operand == INPUT else str(self.plan.operands.index(operand))

    def _time(self) -> None:
        """The public function: all steps of a job's rows, from the last to the first."""
        plan = self.plan
        code, block = self._function("backward", public=True)
        rows_end = code.first("alloca i64")
        begin = block.word("begin")
        code.do(f"store i64 {begin}, ptr {rows_end}")
        with code.loop(block.word("first"), block.word("last"), down=True) as step:
            block.put("step", step)
            block.put("nth", code.sub(step, block.word("first")))
            _put_since(block, step)
            _take_begun(block, rows_end, step)
            end = code.let(f"load i64, ptr {rows_end}")

            def call(name: str, end: str = end) -> None:
                code.do(f"call void @through_{self._name(name)}(ptr %block, i64 {end})")

            for k in reversed(range(len(plan.parts))):
                code.do(f"call void @gradients_{k}(ptr %block, i64 {begin}, i64 {end})")
                meet(block)
                for operand in dict.fromkeys(s.operand for s in plan.parts[k].sums):
                    if operand and operand not in plan.states:
                        call(operand)
                for value in dict.fromkeys(s.mean for s in plan.parts[k].sums):
                    if value not in plan.states:
                        self._means(block, value, end)
            for operand in plan.operands:
                if operand in plan.states:
                    call(operand)
            for state in plan.states:
                self._means(block, state, end)
            if plan.runs(INPUT):
                with code.when(code.let(f"icmp ne ptr {block.pointer('dx_rows')}, null")):
                    call(INPUT)
        code.do("ret void")
        self.module.add(code)

    def _rebuild(self) -> None:
        """The public function that computes states of some steps again, from what was kept."""
        plan = self.plan
        code, block = self._function("states", [("i64", "%end")])
        with self._each(block, block.word("begin"), "%end", "hidden") as leaf:
            values = graph.write(code, [e for _, e in plan.rebuilt], leaf)
            for (name, _), value in zip(plan.rebuilt, values, strict=True):
                code.store(value, leaf.state_place(name, "1"))
        code.do("ret void")
        self.module.add(code)
        code, block = self._function("rebuild", public=True)
        rows_end = code.first("alloca i64")
        code.do(f"store i64 {block.word('end')}, ptr {rows_end}")
        with code.loop(block.word("first"), block.word("last")) as step:
            block.put("step", step)
            _put_since(block, step)
            drop_ended(block, rows_end, step)
            end = code.let(f"load i64, ptr {rows_end}")
            code.do(f"call void @states(ptr %block, i64 {end})")
        code.do("ret void")
        self.module.add(code)


class _Leaves:
    """Reads the variables of a part's gradients at one row and block of units.

    Where a row of anything begins is found once for all of its units, at a place before them.
    """

    def __init__(
        self, backward: Backward, block: Block, row: str, place: list[str], unit: str, at: str,
        mask: str,
    ) -> None:  # fmt: skip
        self.plan, self.kept, self.backward = backward.plan, backward.kept, backward
        self.block, self.row, self.unit, self.at, self.mask = block, row, unit, at, mask
        self._place, self._rows = place, {}

    def row_of(self, key: str, find: Callable[..., str], *names: str) -> str:
        """Where a row begins, as `find(block, row, *names)` writes it; once for each key."""
        if key not in self._rows:
            with self.block.code.at(self._place):
                self._rows[key] = find(self.block, self.row, *names)
        return self._rows[key]

    def __call__(self, name: str) -> str:
        code, plan = self.block.code, self.plan
        if name in self.kept:
            return self._kept(*self.kept[name])
        if name.startswith("d@"):
            return self._gradient(name[2:])
        if name.startswith("new@"):
            state = name[4:]
            return self._output() if state == plan.states[0] else self._state(state, "1")
        if name in plan.weights:
            return code.load(self.block.pointer(f"weight:{name}"), self.at)
        if name in plan.noises:
            return self._of_caller(f"noise_rows:{name}", f"noise_step:{name}")
        return self._output_before() if name == plan.states[0] else self._state(name, "0")

    def _kept(self, k: int, j: int) -> str:
        code, n, number = self.block.code, self.backward.lanes.count, len(self.plan.parts[k].kept)
        row = self.row_of(f"kept:{k}", self._kept_row, str(k))
        at = code.offset(code.offset(row, code.mul(self.unit, number * n)), j * n)
        return code.load(self._and_next(at, f"kept_step:{k}"))

    def _and_next(self, at: str, step: str) -> str:
        """Call near what the step before will read: it comes from memory during the products."""
        code = self.block.code
        code.prefetch(code.offset(at, code.sub("0", self.block.word(step)), "i8"))
        return at

    def _kept_row(self, block: Block, row: str, k: str) -> str:
        code, number = block.code, len(self.plan.parts[int(k)].kept)
        blocks = block.word(f"{self.backward._units(int(k))}:blocks")
        step = code.mul(block.word("since"), block.word(f"kept_step:{k}"))
        base = code.offset(block.pointer(f"kept:{k}"), step, "i8")
        size = number * self.backward.lanes.count
        return code.offset(base, code.mul(code.mul(row, blocks), size))

    def _gradient(self, name: str) -> str:
        """Of a value that the part computes; what left the layer has one from outside, too."""
        code, block = self.block.code, self.block
        row = self.row_of(f"carry:{name}", self.backward._carry_row, name)
        carried = code.load(row, self.at)
        if name != self.plan.states[0]:
            return carried
        given = code.let(f"icmp ne ptr {block.pointer('d_rows')}, null")
        here, there, done = code.here, code.label("g"), code.label("f")
        # Found ahead, for all units, and so whether it is there or not.
        from_ = self.row_of("d", self._gradient_row)
        code.branch(given, there, done)
        code.block(there)
        at = self._and_next(code.offset(from_, self.at), "d_step")
        outside = code.load_part(at, self.mask)
        code.jump(done)
        code.block(done)
        kind = code.lanes.type
        outside = code.let(f"phi {kind} [ zeroinitializer, %{here} ], [ {outside}, %{there} ]")
        return code.arithmetic("fadd", carried, outside)

    def _gradient_row(self, block: Block, row: str) -> str:
        code, table = block.code, block.pointer("d_rows")
        given = code.let(f"icmp ne ptr {table}, null")
        # Where there is no table the block serves as one: it is there to be read.
        readable = code.let(f"select i1 {given}, ptr {table}, ptr {block.base}")
        first = code.pointer(readable, code.let(f"select i1 {given}, i64 {row}, i64 0"))
        return code.offset(first, code.mul(block.word("step"), block.word("d_step")), "i8")

    def _of_caller(self, rows: str, size: str) -> str:
        code = self.block.code
        row = self.row_of(rows, _callers_row, rows, size)
        return code.load_part(self._and_next(code.offset(row, self.at), size), self.mask)

    def _output(self) -> str:
        return self._of_caller("y_rows", "y_step")

    def _output_before(self) -> str:
        """The output of the step before; of the first step, what the layer started from."""
        code = self.block.code
        row = self.row_of("y before", self._row_before)
        return code.load_part(code.offset(row, self.at), self.mask)

    def _row_before(self, block: Block, row: str) -> str:
        code = block.code
        before = code.sub(block.word("step"), "1")
        first = code.pointer(block.pointer("y_rows"), row)
        there = code.offset(first, code.mul(before, block.word("y_step")), "i8")
        start = code.offset(block.pointer("start"), code.mul(row, block.word("output:padded")))
        early = code.let(f"icmp slt i64 {before}, 0")
        return code.let(f"select i1 {early}, ptr {start}, ptr {there}")

    def _state(self, name: str, later: str) -> str:
        at = self._and_next(self.state_place(name, later), f"state_step:{name}")
        return self.block.code.load(at)

    def state_place(self, name: str, later: str) -> str:
        """Where the old or the new value of a state is."""
        row = self.row_of(f"state:{name}:{later}", _state_row, name, later)
        return self.block.code.offset(row, self.at)


def _callers_row(block: Block, row: str, rows: str, size: str) -> str:
    code = block.code
    first = code.pointer(block.pointer(rows), row)
    return code.offset(first, code.mul(block.word("step"), block.word(size)), "i8")


def _state_row(block: Block, row: str, name: str, later: str) -> str:
    code = block.code
    index = code.add(block.word("state_since"), later)
    offset = code.mul(index, block.word(f"state_step:{name}"))
    base = code.offset(block.pointer(f"state:{name}"), offset, "i8")
    return code.offset(base, code.mul(row, block.word("hidden:padded")))


def _put_since(block: Block, step: str) -> None:
    """Set how far a step lies behind what was kept, and behind the first states."""
    for since, origin in (("since", "origin"), ("state_since", "state_origin")):
        block.put(since, block.code.sub(step, block.word(origin)))


def _take_begun(block: Block, rows_end: str, step: str) -> None:
    """Take in the rows whose sequence is long enough for a step: rows are sorted by length."""
    code = block.code
    lengths, end_word = block.pointer("lengths"), block.word("end")
    ragged, whole, done = code.label("ra"), code.label("wh"), code.label("tb")
    code.branch(code.let(f"icmp ne ptr {lengths}, null"), ragged, whole)
    code.block(whole)
    code.do(f"store i64 {end_word}, ptr {rows_end}")
    code.jump(done)
    code.block(ragged)
    check, test, body = code.label("tc"), code.label("tt"), code.label("tk")
    code.jump(check)
    code.block(check)
    end = code.let(f"load i64, ptr {rows_end}")
    code.branch(code.less(end, end_word), test, done)
    code.block(test)
    length = code.word(lengths, end)
    code.branch(code.let(f"icmp sgt i64 {length}, {step}"), body, done)
    code.block(body)
    code.do(f"store i64 {code.add(end, '1')}, ptr {rows_end}")
    code.jump(check)
    code.block(done)
