"""Where jobs that share the units of one row wait for each other, as LLVM text."""

from __future__ import annotations

from .block import Block

_PATIENCE = 2_000
"""Looks at the counter before other threads are let run."""


def meet(block: Block) -> None:
    """Wait for the other jobs of the row, if there are any.

    They run on threads of their own at the same time. Who has waited for long lets others run.
    """
    code, meeting = block.code, block.pointer("meeting")
    with code.when(code.let(f"icmp ne ptr {meeting}, null")):
        place = code.offset("%block", block.words["met"], "i64")
        goal = code.add(code.let(f"load i64, ptr {place}"), block.word("team"))
        code.do(f"store i64 {goal}, ptr {place}")
        code.let(f"atomicrmw add ptr {meeting}, i64 1 seq_cst")
        check, patient, wait, leave = (code.label(s) for s in ("mc", "mp", "mw", "me"))
        turns, more, before = code.fresh("w"), code.fresh("w"), code.here
        code.jump(check)
        code.block(check)
        code.let(f"phi i64 [ 0, %{before} ], [ {more}, %{wait} ]", turns)
        count = code.let(f"load atomic i64, ptr {meeting} acquire, align 8")
        code.branch(code.less(count, goal), patient, leave)
        code.block(patient)
        code.let(f"add i64 {turns}, 1", more)
        long = code.let(f"icmp sgt i64 {turns}, {_PATIENCE}")
        with code.when(long):
            code.module.declare("@sched_yield", "declare i32 @sched_yield()")
            code.let("call i32 @sched_yield()")
        code.jump(wait)
        code.block(wait)
        code.jump(check)
        code.block(leave)
