"""A call forward in time: its states, its weights in order, and the kernel's run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from . import kernels
from .builder import Builder
from .forked import torch_alone
from .frame import Frame, Live, Place, Value
from .host import Host
from .plan import INPUT, Plan, sources, taking
from .pool import borrow
from .rows import Rows
from .sizes import Sizes
from .task import Form, strides_like_input
from .words import FEW_ROWS

KEEP = {
    "nothing": "no gradient is wanted, or everything is computed again",
    "values": "what the equations keep; states at some steps only",
    "all": "what the equations keep, and the states at all steps",
}
"""What a forward pass may write down."""

NAMED = {"first": "first", "last": "last"}
"""Words that say which steps are run."""

ORIGIN = NAMED | {"origin": "origin"}
"""And from which step on there is room for what is kept."""

_WIDE = 128
"""Units from which on several threads share those of one row."""

_COUNTER = 64
"""Bytes that the counter has to itself, since others' writes would slow it down."""

_NEAR = 1 << 14
"""Bytes of weights that stay in the nearest cache."""

_BEHIND = 64
"""Numbers behind the input's products that may be read, and count for nothing."""


class ForwardFrame:
    """The frame of a forward pass.

    Bases beside the tensors of the task: `y`; `final:STATE`; `arena`, memory for the time of the
    pass; `kept`, memory for the backward pass; `sums`, the product of input and weights, if
    `few_rows`.

    Args:
        form: Of the calls.
        machine: Whose vectors.
        rows: Who runs what.
        keep: What is written down for the backward pass: a key of `KEEP`.
        steps: Steps for which there is room in `kept`.

    Attributes:
        keep: What is written down.
        frame: The words.
        prepare: Region to run first.
        main: Region that runs time, from the words `first` to `last`.
        finish: Region that brings out the final states.
        whole: All three as one, for a single thread.
        alone: Where a single thread has all rows: one job that does all of it.
        team: What runs time instead of `main` where several threads share the units of one row.
        states: Where each state begins, with bytes from one value to the next.
        values: Where what the parts keep begins, with bytes from step to step.
        start: Where the output's initial state is kept.
        arena: Bytes of that memory.
        kept: Bytes of that memory.
        few_rows: Whether the input is multiplied before.
    """

    def __init__(self, form: Form, machine: Host, rows: Rows, keep: str, steps: int) -> None:
        plan, sizes = form.plan, form.sizes
        outputs = ("y", sizes.output), ("sums", len(plan.input_rows) * sizes.hidden)
        more = tuple((name, strides_like_input(form, units)) for name, units in outputs)
        form = form._replace(strides=form.strides + more)
        build, self.keep = Builder(form, machine, rows), keep
        told, jobs = build.inputs()
        told |= build.table("x", "x") | build.table("y", "y")
        self.few_rows = sizes.time > 1 and _is_few(rows) and _is_far(plan, sizes)
        if self.few_rows:
            told |= build.table("sums", "sums") | {"input": 0}
        packing: list[Place] = []
        for k, part in enumerate(plan.parts):
            told[f"bias:{k}"], more = _biases(build, k)
            jobs += more
            for source in sources(part):
                if source == INPUT and self.few_rows:
                    continue
                sums = [part.sums[j] for j in taking(part, source)]
                told[f"panel:{k}:{source}"], more = build.pack("pack_units", source, sums)
                packing += more
        self.states: dict[str, tuple[Place, int]] = {}
        finish = []
        for name in plan.states:
            units = sizes.state(plan, name)
            all_of_time = keep == "all" and name in plan.timed
            row = sizes.batch * sizes.row(units)
            place = build.room(
                row * (steps + 1 if all_of_time else 2), "kept" if all_of_time else "arena"
            )
            self.states[name] = place, row
            told[f"state:{name}"], told[f"state_step:{name}"] = place, row
            told[f"state_wrap:{name}"] = -1 if all_of_time else 1
            jobs.append(build.gather(f"state:{name}", place, units))
            ends = sizes.time if rows.lengths is None else rows.lengths
            behind = np.asarray(ends if all_of_time else np.bitwise_and(ends, 1)) * row
            finish.append(build.scatter(f"final:{name}", place, units, behind))
        self.values: dict[int, tuple[Place, int]] = {}
        if keep != "nothing":
            self.start = build.room(sizes.batch * sizes.row(sizes.output), "kept")
            jobs.append(build.gather(f"state:{plan.states[0]}", self.start, sizes.output))
            for k in range(len(plan.parts)):
                size = _kept_size(plan, sizes, k)
                place = build.room(steps * size, "kept")
                self.values[k] = place, size
                told[f"kept:{k}"], told[f"kept_step:{k}"] = place, size
        for name in plan.crossing:
            told[f"value:{name}"] = build.room(sizes.batch * sizes.row(sizes.hidden))
        for mean in plan.means:
            told[f"mean:{mean.name}"] = build.room(sizes.batch * sizes.size)

        kernel = kernels.forward(plan, form.kind, machine, keep != "nothing")
        told["last"] = rows.steps
        main = [
            build.frame.job(
                kernel.words, kernel.address, told | {"begin": begin, "end": end}, ORIGIN
            )
            for begin, end in rows.bounds
        ]
        self.team: Place | None = None
        if shares_units(form, rows):
            told_all = told | {"begin": 0, "end": 1} | meeting_of(build, jobs)
            team = [
                build.frame.job(kernel.words, kernel.address, told_all | part, ORIGIN)
                for part in shares_of(sizes, form.threads)
            ]
            self.team = build.frame.team(team, main[0])
        before = [build.sequence(jobs), *packing]
        after = [build.sequence(finish)]
        frame = build.frame
        self.prepare, self.main = frame.region(before), frame.region(main)
        self.finish, self.whole = frame.region(after), frame.region([*before, *main, *after])
        jobs = [*before, *main, *after]
        self.alone = build.sequence(jobs) if form.threads == 1 else None
        self.frame: Frame = frame.done()
        self.arena, self.kept = build.asked("arena"), build.asked("kept")


def run_time(frame: ForwardFrame, live: Live, threads: int) -> None:
    """Run time between `prepare` and `finish`."""
    if frame.team is not None and threads > 1:
        live.run_team(frame.team, threads)
    else:
        live.run(frame.main, threads)


def meeting_of(build: Builder, jobs: list[Place]) -> dict[str, Value]:
    """Words of jobs that share the units of one row: where they meet, and how many."""
    place = build.room(_COUNTER)
    jobs.append(build.zero(place, _COUNTER))
    return {"meeting": place, "team": build.form.threads}


def shares_of(sizes: Sizes, count: int, whole: int = 1) -> list[dict[str, int]]:
    """Which blocks of units each of `count` jobs has, in groups of `whole` blocks."""
    units = {"hidden": sizes.hidden, "output": sizes.output, "input": sizes.input}
    blocks = {name: sizes.padded(number) // sizes.lanes for name, number in units.items()}

    def edge(name: str, k: int) -> int:
        groups = -(-blocks[name] // whole)
        return min(blocks[name], groups * k // count * whole)

    return [
        {
            f"{name}:{end}": edge(name, k)
            for name in units
            for end, k in (("from", t), ("to", t + 1))
        }
        for t in range(count)
    ]


def shares_units(form: Form, rows: Rows) -> bool:
    """Whether one sequence is all there is, and wide enough for several threads."""
    wide = form.sizes.hidden >= _WIDE and not form.plan.means
    return wide and len(rows.order) == 1 and form.threads > 1


def forward_frame(form: Form, machine: Host, rows: Rows, keep: str, steps: int) -> ForwardFrame:
    """Make a frame, or find it: calls of one form share it, where all sequences are full."""
    if rows.lengths is not None:
        return ForwardFrame(form, machine, rows, keep, steps)
    return _full(form, machine, _Same(rows), keep, steps)


class _Same:
    """Rows that follow from the form: they do not tell frames apart."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same)


@lru_cache(maxsize=256)
def _full(form: Form, machine: Host, same: _Same, keep: str, steps: int) -> ForwardFrame:
    return ForwardFrame(form, machine, same.rows, keep, steps)


def products(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply all of the input with its weights, [batch, time, rows], by torch.

    Laid out as the input is, so that nothing is copied, and in borrowed memory; a vector is read
    behind the last row.
    """
    batch, time, _ = x.shape
    is_turned = batch > 1 and x.stride(0) < x.stride(1)
    flat = (x.transpose(0, 1) if is_turned else x).reshape(batch * time, -1)
    rows = weight.shape[0]
    room = borrow((batch * time * rows + _BEHIND) * x.element_size())
    out = room.tensor((batch * time, rows), x.dtype)
    with torch_alone():
        torch.mm(flat, weight.t(), out=out)
    return out.view(time, batch, rows).transpose(0, 1) if is_turned else out.view(batch, time, rows)


def _is_far(plan: Plan, sizes: Sizes) -> bool:
    """Whether the input's weights are too large to stay near from step to step."""
    return len(plan.input_rows) * sizes.row(sizes.hidden) * sizes.input > _NEAR


def _is_few(rows: Rows) -> bool:
    return max(end - begin for begin, end in rows.bounds) <= FEW_ROWS


def _biases(build: Builder, k: int) -> tuple[Place, list[Place]]:
    """The biases of a part's sums, a padded row for each, and the jobs that add them up."""
    plan, sizes, size = build.plan, build.sizes, build.sizes.size
    part, units = plan.parts[k], sizes.part(plan, k)
    names = {name for name, _ in build.form.strides}
    row = sizes.row(units)
    to = build.room(max(len(part.sums), 1) * row)
    from_x, from_u = [], []
    for j, sum_ in enumerate(part.sums):
        place = to.behind(j * row)
        if sum_.x and "bias_ih" in names:
            nth = plan.input_rows.index(sum_.x)
            from_x.append((place, Place("bias_ih", nth * units * size)))
        if sum_.u in plan.state_rows and "bias_hh" in names:
            nth = plan.state_rows.index(sum_.u)
            from_u.append((place, Place("bias_hh", nth * units * size)))
    jobs = [build.zero(to, max(len(part.sums), 1) * row)]
    for pairs in (from_x, from_u):
        if pairs:
            jobs.append(build.copy([t for t, _ in pairs], [f for _, f in pairs], units, add=True))
    return to, jobs


def _kept_size(plan: Plan, sizes: Sizes, k: int) -> int:
    """Bytes that a part keeps of one step."""
    units = sizes.padded(sizes.part(plan, k))
    return sizes.batch * units * len(plan.parts[k].kept) * sizes.size
