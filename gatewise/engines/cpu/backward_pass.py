"""A call backward in time: gradients step by step, and of the weights chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from . import kernels
from .builder import Builder
from .forward_pass import (
    NAMED,
    ORIGIN,
    ForwardFrame,
    _Same,
    meeting_of,
    shares_of,
    shares_units,
)
from .frame import Frame, Live, Place, Value
from .host import Host, widths
from .plan import INPUT
from .rows import Rows
from .task import Form
from .words import OUTER

CHECK = 16
"""Steps from one written state to the next, where those in between are computed again; even."""

_CHUNK = 1 << 19
"""Bytes of the sums' gradients that wait for the gradients of the weights."""


class BackwardFrame:
    """The frame of a backward pass.

    Bases beside the tensors of the task: `y`; `dy`, if it is given; gradients of the final states
    that are given, `end:STATE`; what is wanted, `dx`, `d:STATE`, `d:WEIGHT`; `arena`; `kept`, as
    the forward pass left it.

    Args:
        form: Of the calls, with the strides of `y` and of all gradients that there are.
        machine: Whose vectors.
        rows: Who runs what.
        kept: The forward pass that left `kept`.

    Attributes:
        frame: The words.
        prepare: Region to run first.
        main: Region that runs time, from the words `last` down to `first`, of what was kept from
            the word `origin` on.
        team: What runs instead of `main` where several threads share the units of one row.
        outer: Region that adds up the gradients of the weights after each run of `main`.
        finish: Region that brings out what was wanted.
        whole: All as one, for a single thread where `steps` is all of time.
        alone: Where a single thread has all rows: `prepare`, `main`, `outer` and `finish`, each as
            one job, if there is something to do.
        steps: The most steps of one run of `main`.
        carries: The gradients of the states between two steps: where, and how many bytes.
        arena: Bytes of that memory.
    """

    def __init__(self, form: Form, machine: Host, rows: Rows, kept: ForwardFrame) -> None:
        self._build = build = Builder(form, machine, rows)
        plan, sizes = form.plan, form.sizes
        given = {name for name, _ in form.strides}
        self._weights = any(name in given for name in ("d:weight_ih", "d:weight_hh"))
        told, jobs = build.inputs()
        told |= build.table("y", "y") | {"start": kept.start}
        told |= build.table("dy", "d") if "dy" in given else {}
        told |= build.table("dx", "dx") if "dx" in given else {}
        packing: list[Place] = []
        for operand in (*([INPUT] if "dx" in given else []), *plan.operands):
            for j, (first, number) in enumerate(plan.runs(operand)):
                sums = plan.planes[first : first + number]
                told[f"panel:{operand}:{j}"], more = build.pack("pack_columns", operand, sums)
                packing += more
        self._planes(told)
        for name in ("product", "product_rows"):
            told[name] = kernels.product(name, form.kind, machine)
        carries = self._carries(told, jobs, given)
        self.carries = [
            (place, sizes.batch * sizes.row(sizes.state(plan, name)))
            for name, place in carries.items()
        ]
        self.states = self._states(kept)
        for name, (place, size) in self.states.items():
            told[f"state:{name}"], told[f"state_step:{name}"] = place, size
        for k, (place, size) in kept.values.items():
            told[f"kept:{k}"], told[f"kept_step:{k}"] = place, size

        kernel = kernels.backward(plan, form.kind, machine)
        vectors = {n: [self._zeros(jobs, sizes.row(sizes.hidden)) for _ in rows.bounds]
                   for n in plan.weights}  # fmt: skip
        told["last"] = rows.steps
        main = []
        named = ORIGIN | {"state_origin": "state_origin"}
        for t, (begin, end) in enumerate(rows.bounds):
            own: dict[str, Value] = {"begin": begin, "end": end}
            own |= {f"gradient:{name}": places[t] for name, places in vectors.items()}
            main.append(build.frame.job(kernel.words, kernel.address, told | own, named))
        self.team: Place | None = None
        if shares_units(form, rows) and len(plan.parts) == 1:
            whole = widths(machine.registers)[0]
            own = told | meeting_of(build, jobs) | {"begin": 0, "end": 1}
            own |= {f"gradient:{name}": places[0] for name, places in vectors.items()}
            team = [
                build.frame.job(kernel.words, kernel.address, own | share, named)
                for share in shares_of(sizes, form.threads, whole)
            ]
            self.team = build.frame.team(team, main[0])
        self.rebuild = self._rebuild(told)
        finish = self._finish_states(carries, given)
        outer, zeros, turned = self._outer(told, kept) if self._weights else ([], [], [])
        if self._weights:
            finish += self._finish_vectors(vectors)
        before = [build.sequence([*jobs, *zeros]), *packing]
        after = [build.sequence(finish), *turned] if finish or turned else []
        frame = build.frame
        self.prepare, self.main = frame.region(before), frame.region(main)
        self.outer, self.finish = frame.region(outer), frame.region(after)
        self.whole = frame.region([*before, *main, *outer, *after])
        named = {"prepare": before, "main": main, "outer": outer, "finish": after}
        self.alone = {
            name: build.sequence(jobs) for name, jobs in named.items() if jobs and form.threads == 1
        }
        self.frame: Frame = frame.done()
        self.arena = build.asked("arena")

    def run(self, live: Live, first: int, last: int, threads: int) -> None:
        """Run time from `last` down to `first`, and add up the gradients of the weights."""
        for end in range(last, first, -self.steps):
            live.set("last", end)
            live.set("first", max(first, end - self.steps))
            if self.team is not None and threads > 1:
                live.run_team(self.team, threads)
            else:
                live.run(self.main, threads)
            live.run(self.outer, threads)

    def _states(self, kept: ForwardFrame) -> dict[str, tuple[Place, int]]:
        """Where the states are: as the forward pass left them, or room for those of a chunk."""
        build = self._build
        plan, sizes = build.plan, build.sizes
        if kept.keep == "all":
            return {name: kept.states[name] for name in plan.timed}
        row = sizes.batch * sizes.row(sizes.hidden)
        return {name: (build.room((CHECK + 1) * row), row) for name in plan.timed}

    def _rebuild(self, told: dict[str, Value]) -> Place:
        """The region that computes the states of a chunk again."""
        build, form = self._build, self._build.form
        kernel = kernels.backward(build.plan, form.kind, build.machine, "rebuild")
        named = {"first": "chunk", "last": "chunk_end", "state_origin": "state_origin"}
        jobs = []
        for begin, end in build.rows.bounds:
            own = told | {"begin": begin, "end": end}
            jobs.append(build.frame.job(kernel.words, kernel.address, own, named))
        return build.frame.region(jobs)

    def _zeros(self, jobs: list[Place], nbytes: int) -> Place:
        to = self._build.room(nbytes)
        jobs.append(self._build.zero(to, nbytes))
        return to

    def _planes(self, told: dict[str, Value]) -> None:
        """A plane for each sum, side by side; the pad keeps rows from falling on each other."""
        build = self._build
        plan, sizes = build.plan, build.sizes
        self._places, width = [], 0
        for row in plan.planes:
            self._places.append(width)
            width += sizes.padded(sizes.plane(row))
        self._width = width
        self._row = width + (sizes.lanes if width % (4 * sizes.lanes) == 0 else 0)
        step = sizes.batch * self._row * sizes.size
        self.steps = max(1, min(sizes.time, _CHUNK // step))
        told["planes"] = build.room(self.steps * step)
        told["planes_row"], told["planes_step"] = self._row, step
        row = sizes.batch * sizes.row(sizes.hidden)
        for part in plan.parts:
            for name, _ in part.rebuilt:
                told[f"operand:{name}"] = build.room(self.steps * row)
                told[f"operand_step:{name}"] = row

    def _carries(
        self, told: dict[str, Value], jobs: list[Place], given: set[str]
    ) -> dict[str, Place]:
        """Padded rows for the gradients of states, from those of the final states."""
        build = self._build
        plan, sizes = build.plan, build.sizes
        carries: dict[str, Place] = {}
        for name in plan.states:
            units = sizes.state(plan, name)
            nbytes = sizes.batch * sizes.row(units)
            carries[name] = told[f"carry:{name}"] = build.room(nbytes)
            if f"end:{name}" in given:
                jobs.append(build.gather(f"end:{name}", carries[name], units))
            else:
                jobs.append(build.zero(carries[name], nbytes))
        for name in plan.crossing:
            told[f"carry:{name}"] = build.room(sizes.batch * sizes.row(sizes.hidden))
        for mean in plan.means:
            told[f"mean:{mean.name}"] = build.room(sizes.batch * sizes.row(sizes.hidden))
        return carries

    def _finish_states(self, carries: dict[str, Place], given: set[str]) -> list[Place]:
        build = self._build
        return [
            build.scatter(f"d:{name}", carries[name], build.sizes.state(build.plan, name))
            for name in build.plan.states
            if f"d:{name}" in given
        ]

    def _finish_vectors(self, vectors: dict[str, list[Place]]) -> list[Place]:
        """Add up what each thread found."""
        build, units = self._build, self._build.sizes.hidden
        return [
            build.copy([Place(f"d:{name}")], [place], units, padded=units, add=t > 0)
            for name, places in vectors.items()
            for t, place in enumerate(places)
        ]

    def _outer(
        self, told: dict[str, Value], kept: ForwardFrame
    ) -> tuple[list[Place], list[Place], list[Place]]:
        """Jobs that add up gradients of matrices and biases; that begin them; that bring them out.

        The matrices are kept turned: a row for each number that the weights multiply.
        """
        build, form = self._build, self._build.form
        plan, sizes = build.plan, build.sizes
        pairs = 16 * self.steps * sizes.batch
        self._tables = [build.room(pairs) for _ in range(form.threads)]
        row = self._width * sizes.size
        common: dict[str, Value] = {
            "g_rows": told["planes"], "g_step": told["planes_step"],
            "g_row": self._row * sizes.size, "lengths": told.get("lengths", 0),
            "rows": sizes.batch, "to_row": self._width, "last": sizes.time,
        }  # fmt: skip
        jobs: list[Place] = []
        zeros: list[Place] = []
        turned: list[Place] = []
        function = kernels.product("outer", form.kind, build.machine)
        for operand in (*([INPUT] if plan.runs(INPUT) else []), *plan.operands):
            count = sizes.operand(plan, operand)
            to = self._zeros(zeros, count * row)
            own = common | self._operand(operand, told, kept) | {"count": count, "to": to}
            named = NAMED | ({"a_origin": "state_origin"} if operand in plan.timed else {})
            named |= {"a_origin": "first"} if operand in plan.crossing else {}
            for start, number in plan.runs(operand):
                begin = self._places[start] // sizes.lanes
                planes = plan.planes[start : start + number]
                end = begin + sum(sizes.padded(sizes.plane(p)) for p in planes) // sizes.lanes
                jobs += self._shared(function, own, begin, end, named)
                for j, plane in enumerate(planes):
                    turned.append(self._turned(operand, plane, to.behind(
                        self._places[start + j] * sizes.size), row, count))  # fmt: skip
        to = self._zeros(zeros, row)
        function = kernels.product("total", form.kind, build.machine)
        jobs += self._shared(function, common | {"to": to}, 0, self._width // sizes.lanes, NAMED)
        return jobs, zeros, [*turned, *self._finish_biases(to)]

    def _turned(self, operand: str, plane, from_: Place, row: int, count: int) -> Place:
        """Bring out the gradient of the rows of weights of one sum."""
        build = self._build
        name, (start,), units = build.matrix(operand, [plane])
        size = build.sizes.size
        return build.transpose(
            Place(f"d:{name}", start * count * size), count * size, from_, row, units, count
        )

    def _finish_biases(self, from_: Place) -> list[Place]:
        build, size = self._build, self._build.sizes.size
        plan, units = build.plan, build.sizes.hidden
        given = {name for name, _ in build.form.strides}
        jobs = []
        for name, rows in (("bias_ih", plan.input_rows), ("bias_hh", plan.state_rows)):
            if f"d:{name}" not in given:
                continue
            planes = {(p.x if name == "bias_ih" else p.u): k for k, p in enumerate(plan.planes)}
            to = [Place(f"d:{name}", j * units * size) for j in range(len(rows))]
            places = [from_.behind(self._places[planes[r]] * size) for r in rows if r in planes]
            to = [t for t, r in zip(to, rows, strict=True) if r in planes]
            jobs.append(build.copy(to, places, units, padded=units))
        return jobs

    def _shared(
        self, function: int, told: dict[str, Value], begin: int, end: int, named: Mapping[str, str]
    ) -> list[Place]:
        """A job for each thread, each with some of the columns, in whole tiles."""
        shares, tile = self._build.form.threads, 4
        tiles = -(-(end - begin) // tile)
        jobs = []
        for t in range(shares):
            own: dict[str, Value] = {
                "begin": begin + tiles * t // shares * tile,
                "end": min(end, begin + tiles * (t + 1) // shares * tile),
                "tables": self._tables[t],
            }
            jobs.append(self._build.frame.job(OUTER, function, told | own, named))
        return jobs

    def _operand(
        self, operand: str, told: dict[str, Value], kept: ForwardFrame
    ) -> dict[str, Value]:
        """Where the numbers are that a matrix multiplied, as `outer` is told."""
        build = self._build
        sizes, plan = build.sizes, build.plan
        row = sizes.row(sizes.hidden)
        if operand == INPUT:
            table = build.table("x", "x")
            return {"a_rows": table["x_rows"], "a_step": table["x_step"]}
        if operand == plan.states[0]:
            return {
                "a_rows": told["y_rows"], "a_step": told["y_step"], "a_shift": 1,
                "a_start": kept.start, "a_row": sizes.row(sizes.output),
            }  # fmt: skip
        if operand in plan.timed:
            start, step = self.states[operand]
            return {"a_step": step, "a_start": start, "a_row": row}
        return {"a_step": sizes.batch * row, "a_start": told[f"operand:{operand}"], "a_row": row}


def backward_frame(form: Form, machine: Host, rows: Rows, kept: ForwardFrame) -> BackwardFrame:
    """Make a frame, or find it: calls of one form share it, where all sequences are full."""
    if rows.lengths is not None:
        return BackwardFrame(form, machine, rows, kept)
    return _full(form, machine, _Same(rows), kept)


@lru_cache(maxsize=256)
def _full(form: Form, machine: Host, same: _Same, kept: ForwardFrame) -> BackwardFrame:
    return BackwardFrame(form, machine, same.rows, kept)
