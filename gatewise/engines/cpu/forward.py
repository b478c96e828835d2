"""The forward pass of a plan as LLVM text: tiles of sums, equations, and the loop over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import graph
from .block import Block
from .ir import Function, Lanes, Module
from .means import mean_of_row
from .meeting import meet
from .plan import INPUT, Part, Plan, sources, taking
from .tile import UpperHalves, accumulate, over_rows
from .words import FEW_ROWS, forward_words

PANELS = {
    "whole": "in the type of the layer",
    "bfloat": "as the upper halves of floats",
    "sparse": "some columns for each block of units, with their numbers",
}
"""How matrices may be given."""


@dataclass(frozen=True)
class Shape:
    """How many sums are held in registers at once.

    Attributes:
        most: Rows of the highest tile.
        wide: Blocks of units that a tile takes side by side.
        one: The same for a single row.
        two: The same for two rows.
    """

    most: int
    wide: int
    one: int
    two: int

    @property
    def tiles(self) -> list[tuple[int, int]]:
        """Rows and blocks of every tile that is called."""
        found = [(m, g) for m in range(1, self.most + 1) for g in (self.wide, 1)]
        return list(dict.fromkeys([*found, (1, self.one), (2, self.two), (1, 1), (2, 1)]))


def shape(sums: int, registers: int) -> Shape:
    """Choose tiles for a number of sums per unit.

    Two thirds to three quarters of the registers hold sums; a few rows take more blocks of units,
    so that enough products are under way at once.

    Example:
        >>> shape(4, 32)
        Shape(most=6, wide=1, one=4, two=2)
    """
    room = 24 if registers >= 32 else 12
    each = max(sums, 1)

    def blocks(rows: int) -> int:
        return next(g for g in (4, 2, 1) if g == 1 or g * each * rows <= max(room * 2 // 3, 8))

    wide = next(g for g in (4, 2, 1) if g == 1 or 6 * g * each <= room)
    return Shape(max(1, min(8, room // (wide * each))), wide, blocks(1), blocks(2))


class Forward:
    """Writes the module of one plan.

    Args:
        plan: Of the cell.
        lanes: The machine's vector.
        registers: How many vectors it holds.
        keep: Whether what the backward pass wants is written down.
        panels: How matrices are given, a key of `PANELS`.
    """

    def __init__(
        self, plan: Plan, lanes: Lanes, registers: int, keep: bool, panels: str = "whole"
    ) -> None:
        self.plan, self.lanes, self.keep, self.panels = plan, lanes, keep, panels
        self.words = forward_words(plan)
        self.shapes = [shape(len(part.sums), registers) for part in plan.parts]
        if panels == "sparse":
            # Each block of units has columns of its own.
            self.shapes = [replace(tiles, wide=1, one=1, two=1) for tiles in self.shapes]
        self.module = Module()

    def text(self) -> str:
        """The module; its one public function is `forward`."""
        for k in range(len(self.plan.parts)):
            self._equations(k)
            for rows, blocks in self.shapes[k].tiles:
                self._tile(k, rows, blocks)
        self._time()
        return self.module.text()

    def _function(self, name: str, *arguments: str, public: bool = False) -> tuple[Function, Block]:
        given = [("ptr", "%block"), *(tuple(a.split()) for a in arguments)]
        code = Function(self.module, name, given, self.lanes, public=public)
        return code, Block(code, self.words)

    def _units(self, k: int) -> str:
        """Whose number of units a part has: a projection has that of the output."""
        last = k == len(self.plan.parts) - 1
        return "output" if self.plan.projected and last else "hidden"

    def _row(self, block: Block, name: str, base: str, row: str) -> str:
        """A row of a state or of a value for a later part."""
        padded = block.word(f"{self._width(name)}:padded")
        return block.code.offset(base, block.code.mul(row, padded))

    def _width(self, name: str) -> str:
        """Whose number of units a state or another value has."""
        return "output" if name == self.plan.states[0] else "hidden"

    def _timed_row(self, block: Block, what: str, row: str) -> str:
        """A row of the caller's, at the step that is being computed."""
        code = block.code
        first = code.pointer(block.pointer(f"{what}_rows"), row)
        offset = code.mul(block.word("step"), block.word(f"{what}_step"))
        return code.offset(first, offset, "i8")

    def _equations(self, k: int) -> None:
        """The function that computes a part's equations from a tile of sums."""
        part, n = self.plan.parts[k], self.lanes.count
        code, block = self._function(
            f"equations_{k}", "ptr %sums", "i64 %row", "i64 %rows", "i64 %unit", "i64 %blocks"
        )
        places = {s.name: j for j, s in enumerate(part.sums)}
        units = block.word(self._units(k))
        count = block.word(f"{self._units(k)}:blocks")
        kept = part.kept if self.keep else ()
        reads = graph.variables((*part.computes, *kept))
        output = self.plan.states[0]
        with code.loop("0", "%rows") as i:
            row = code.add("%row", i)
            rows = self._rows_of(block, row, reads, [name for name, _ in part.computes])
            with code.loop("0", "%blocks") as j:
                unit = code.add("%unit", j)
                at = code.mul(unit, n)
                nth = code.add(code.mul(i, "%blocks"), j)
                sums = code.offset("%sums", code.mul(nth, len(part.sums) * n))
                left = code.sub(units, at)
                inside: list[str] = []

                def leaf(name: str) -> str:
                    if name in places:
                        return code.load(sums, places[name] * n)
                    if name in self.plan.weights:
                        return code.load(block.pointer(f"weight:{name}"), at)
                    if name in self.plan.noises:
                        inside[:] = inside or [code.mask(left)]
                        return code.load_part(code.offset(rows[name], at), inside[0])
                    return code.load(rows[name], at)

                values = graph.write(code, [e for _, e in (*part.computes, *kept)], leaf)
                for (name, _), value in zip(part.computes, values, strict=False):
                    code.store(value, rows[f"new:{name}"], at)
                    if name == output:
                        self._leave(code, value, code.offset(rows["@y"], at), left)
                if kept:
                    nth = code.add(code.mul(row, count), unit)
                    base = code.offset(block.pointer(f"keep:{k}"), code.mul(nth, len(kept) * n))
                    for j, value in enumerate(values[len(part.computes) :]):
                        code.store(value, base, j * n)
        code.do("ret void")
        self.module.add(code)

    def _rows_of(
        self, block: Block, row: str, reads: Sequence[str], computes: Sequence[str]
    ) -> dict[str, str]:
        """Where a row of everything begins that a part reads or writes."""
        plan, rows = self.plan, {}
        for name in reads:
            if name in plan.noises:
                rows[name] = self._timed_noise(block, name, row)
            elif name in plan.states or name in plan.crossing:
                base = f"old:{name}" if name in plan.states else f"value:{name}"
                rows[name] = self._row(block, name, block.pointer(base), row)
        for name in computes:
            base = f"new:{name}" if name in plan.states else f"value:{name}"
            rows[f"new:{name}"] = self._row(block, name, block.pointer(base), row)
        if plan.states[0] in computes:
            rows["@y"] = self._timed_row(block, "y", row)
        return rows

    def _timed_noise(self, block: Block, name: str, row: str) -> str:
        code = block.code
        first = code.pointer(block.pointer(f"noise_rows:{name}"), row)
        offset = code.mul(block.word("step"), block.word(f"noise_step:{name}"))
        return code.offset(first, offset, "i8")

    def _leave(self, code: Function, value: str, y: str, left: str) -> None:
        """Write the output where the caller wants it; at a row's end only what is there."""
        whole, part, done = code.label("w"), code.label("p"), code.label("y")
        code.branch(code.less(left, str(self.lanes.count)), part, whole)
        code.block(whole)
        code.store(value, y)
        code.jump(done)
        code.block(part)
        code.store_part(value, y, code.mask(left))
        code.jump(done)
        code.block(done)

    def _tile(self, k: int, rows: int, group: int) -> None:
        """The function that sums up a tile and has its equations computed."""
        part, n = self.plan.parts[k], self.lanes.count
        each = len(part.sums)
        code, block = self._function(f"tile_{k}_{rows}_{group}", "i64 %row", "i64 %unit")
        held = max(rows * group * each, 1)
        scratch = code.first(f"alloca [{held * n} x {self.lanes.kind}], align 64")
        if each:
            table = [code.add("%row", str(r)) for r in range(rows)]
            sums = self._begin(block, k, table, group)
            for source in sources(part):
                self._add(block, k, source, table, sums, group)
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
        self, block: Block, k: int, source: str, table: list[str], sums: list[list[str]], group: int
    ) -> None:
        """Add to the sums of a tile what one source gives, in place."""
        code, part = block.code, self.plan.parts[k]
        found = taking(part, source)
        panels, count = self._panels(block, k, source, group, len(found))
        columns = ""
        if self.panels == "sparse":
            count = block.word(f"chosen:{k}:{source}")
            base = block.pointer(f"columns:{k}:{source}")
            columns = code.offset(base, code.mul("%unit", count), "i64")
        numbers = UpperHalves() if self.panels == "bfloat" else None
        from_ = [self._from(block, source, row) for row in table]
        which = [g * len(part.sums) + j for g in range(group) for j in found]
        accumulate(
            code, sums, from_, panels, count, which, len(found), numbers=numbers, columns=columns
        )

    def _from(self, block: Block, source: str, row: str) -> str:
        """Where a row of what weights multiply begins."""
        if source == INPUT:
            return self._timed_row(block, "x", row)
        base = f"old:{source}" if source in self.plan.states else f"value:{source}"
        return self._row(block, source, block.pointer(base), row)

    def _begin(self, block: Block, k: int, table: list[str], group: int) -> list[list[str]]:
        """What the sums of a tile start from: the biases, and the input's product if it is given.

        Biases are a padded row for each sum. The products of a step are a row of the caller's, as
        long as `weight_ih` is high.
        """
        code, n, part = block.code, self.lanes.count, self.plan.parts[k]
        at = code.mul("%unit", n)
        padded = block.word(f"{self._units(k)}:padded")
        starts = []
        for j in range(len(part.sums)):
            row = code.offset(block.pointer(f"bias:{k}"), code.mul(padded, j))
            row = code.offset(row, at)
            starts.append([code.load(row, g * n) for g in range(group)])
        each = [starts[j][g] for g in range(group) for j in range(len(part.sums))]
        alike = [self._with_means(block, part, each, row) for row in table]
        found = taking(part, INPUT)
        if not found or len(table) > FEW_ROWS:
            return alike
        given = code.let(f"icmp ne ptr {block.pointer('sums_rows')}, null")
        here, adding, done = code.here, code.label("ad"), code.label("go")
        code.branch(given, adding, done)
        code.block(adding)
        sums = []
        for row, begun in zip(table, alike, strict=True):
            first = self._timed_row(block, "sums", row)
            new = list(begun)
            for j in found:
                place = self.plan.input_rows.index(part.sums[j].x)
                there = code.offset(first, code.add(code.mul(block.word("hidden"), place), at))
                for g in range(group):
                    nth = g * len(part.sums) + j
                    new[nth] = code.arithmetic("fadd", begun[nth], code.load(there, g * n))
            sums.append(new)
        code.jump(done)
        code.block(done)
        kind = code.lanes.type
        return [
            [
                code.let(f"phi {kind} [ {old}, %{here} ], [ {new}, %{adding} ]")
                for old, new in zip(begun, row, strict=True)
            ]
            for begun, row in zip(alike, sums, strict=True)
        ]

    def _with_means(self, block: Block, part: Part, starts: list[str], row: str) -> list[str]:
        """What a row's sums start from: the mean, where a sum is one, which all units share."""
        means = {
            j: block.code.broadcast(block.pointer(f"mean:{s.name}"), row)
            for j, s in enumerate(part.sums)
            if s.mean
        }
        return [means.get(nth % len(part.sums), start) for nth, start in enumerate(starts)]

    def _panels(
        self, block: Block, k: int, source: str, group: int, width: int
    ) -> tuple[list[str], str]:
        """Addresses of the weights' panels of some blocks of units, and their length."""
        code = block.code
        count = block.word("input" if source == INPUT else self._width(source))
        if self.panels == "sparse":
            count = block.word(f"chosen:{k}:{source}")
        size = code.mul(count, width * self.lanes.count)
        element = "i16" if self.panels == "bfloat" else self.lanes.kind
        first = block.pointer(f"panel:{k}:{source}")
        panels = [code.offset(first, code.mul("%unit", size), element)]
        for _ in range(group - 1):
            panels.append(code.offset(panels[-1], size, element))
        return panels, count

    def _time(self) -> None:
        """The public function: all steps of a job's rows."""
        code, block = self._function("forward", public=True)
        rows_end = code.first("alloca i64")
        code.do(f"store i64 {block.word('end')}, ptr {rows_end}")
        with code.loop(block.word("first"), block.word("last")) as step:
            block.put("step", step)
            drop_ended(block, rows_end, step)
            end = code.let(f"load i64, ptr {rows_end}")
            nth = code.sub(step, block.word("first"))
            for state in self.plan.states:
                self._turn(block, state, nth)
                self._means(block, state, f"old:{state}", end)
            for k, part in enumerate(self.plan.parts):
                if part.kept and self.keep:
                    since = code.sub(step, block.word("origin"))
                    offset = code.mul(since, block.word(f"kept_step:{k}"))
                    kept = code.offset(block.pointer(f"kept:{k}"), offset, "i8")
                    block.put(f"keep:{k}", kept, "ptr")
                self._sweep(block, k, end)
                meet(block)
                for name, _ in part.computes:
                    if name not in self.plan.states:
                        self._means(block, name, f"value:{name}", end)
        code.do("ret void")
        self.module.add(code)

    def _means(self, block: Block, value: str, base: str, end: str) -> None:
        """Compute the means over the units of a value, if there are any."""
        for mean in self.plan.means:
            if mean.mean != value:
                continue
            code = block.code
            # What is put is not what was read when the function began.
            at = code.offset("%block", self.words[base], "i64")
            first = code.let(f"load ptr, ptr {at}")
            with code.loop(block.word("begin"), end) as row:
                found = mean_of_row(code, self._row(block, value, first, row), block.word("hidden"))
                to = code.offset(block.pointer(f"mean:{mean.name}"), row)
                code.do(f"store {self.lanes.kind} {found}, ptr {to}")

    def _turn(self, block: Block, state: str, nth: str) -> None:
        """Set where a state's old and new value are at a step: all of time, or two in turn."""
        code = block.code
        base = block.pointer(f"state:{state}")
        size, wrap = block.word(f"state_step:{state}"), block.word(f"state_wrap:{state}")
        for what, index in (("old", nth), ("new", code.add(nth, "1"))):
            place = code.mul(code.let(f"and i64 {index}, {wrap}"), size)
            block.put(f"{what}:{state}", code.offset(base, place, "i8"), "ptr")

    def _sweep(self, block: Block, k: int, end: str) -> None:
        """All units of all rows: blocks of units outside, so that weights stay near."""
        code, tiles = block.code, self.shapes[k]
        begin = block.word("begin")
        first, count = (block.word(f"{self._units(k)}:{end}") for end in ("from", "to"))
        rows = code.sub(end, begin)

        def call(m: int, g: int, row: str, unit: str) -> None:
            code.do(f"call void @tile_{k}_{m}_{g}(ptr %block, i64 {row}, i64 {unit})")

        def blocks_of(group: int, write) -> None:
            left = code.let(f"and i64 {code.sub(count, first)}, {-group}")
            whole = code.add(first, left)
            with code.loop(first, whole, str(group)) as unit:
                write(group, unit)
            if group > 1:
                with code.loop(whole, count) as unit:
                    write(1, unit)

        one, two, more, done = (code.label(s) for s in ("one", "two", "more", "done"))
        code.do(f"switch i64 {rows}, label %{more} [ i64 1, label %{one} i64 2, label %{two} ]")
        code.block(one)
        blocks_of(tiles.one, lambda g, unit: call(1, g, begin, unit))
        code.jump(done)
        code.block(two)
        blocks_of(tiles.two, lambda g, unit: call(2, g, begin, unit))
        code.jump(done)
        code.block(more)
        blocks_of(
            tiles.wide,
            lambda g, unit: over_rows(
                code, begin, end, range(1, tiles.most + 1), lambda m, row: call(m, g, row, unit)
            ),
        )
        code.jump(done)
        code.block(done)


def drop_ended(block: Block, rows_end: str, step: str) -> None:
    """Leave out the rows at the end whose sequence has ended: rows are sorted by length."""
    code = block.code
    lengths = block.pointer("lengths")
    with code.when(code.let(f"icmp ne ptr {lengths}, null")):
        check, test, body, leave = (code.label(s) for s in ("lc", "lt", "lb", "le"))
        code.jump(check)
        code.block(check)
        end = code.let(f"load i64, ptr {rows_end}")
        code.branch(code.let(f"icmp sgt i64 {end}, {block.word('begin')}"), test, leave)
        code.block(test)
        last = code.sub(end, "1")
        length = code.word(lengths, last)
        code.branch(code.let(f"icmp sle i64 {length}, {step}"), body, leave)
        code.block(body)
        code.do(f"store i64 {last}, ptr {rows_end}")
        code.jump(check)
        code.block(leave)
