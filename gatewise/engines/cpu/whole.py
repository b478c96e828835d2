"""Whole calls: forward, forward with what the backward pass wants, and backward; or two at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..call import Call, Result
from . import threads
from .backward_run import BackwardRun, Gradients, of_nothing
from .forward_run import ForwardRun, Kept
from .vanished import stretch

Given = tuple[Call, "Kept | None", Tensor, Sequence["Tensor | None"], Sequence[bool]]
"""What `BackwardRun` takes."""


def forward(call: Call) -> Result:
    """Run a call of which no gradient is wanted."""
    y, last, _ = _forward(call, keep=False)
    return y, last


def forward_keeping(call: Call) -> tuple[Tensor, tuple[Tensor, ...], Kept | None]:
    """Run a call, and keep what its backward pass wants."""
    return _forward(call, keep=True)


def backward(
    call: Call,
    kept: Kept | None,
    y: Tensor,
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> Gradients:
    """Differentiate a call; the arguments are those of `BackwardRun`."""
    if kept is None:
        return of_nothing(call, gradients)
    run = BackwardRun(call, kept, y, gradients, wanted)
    run.run()
    return run.gradients


def forward_both(
    calls: Sequence[Call], keep: bool
) -> list[tuple[Tensor, tuple[Tensor, ...], Kept | None]]:
    """Run two calls at the same time, each on a thread of its own.

    Where one of them is too large to be one job, one after the other on all threads.
    """
    if any(_is_empty(call) for call in calls):
        return [_forward(call, keep) for call in calls]
    runs = [ForwardRun(call, keep, threads=1) for call in calls]
    if not all(run.is_one_job for run in runs):
        del runs
        return [_forward(call, keep) for call in calls]
    threads.run([run.alone() for run in runs], torch.get_num_threads())
    for run in runs:
        run.done()
    return [(run.y, run.last, run.kept()) for run in runs]


def backward_both(given: Sequence[Given]) -> list[Gradients]:
    """Differentiate two calls, at the same time if that is how they were run."""
    kept = [each[1] for each in given]
    if any(k is None or k.points is not None or k.share.threads > 1 for k in kept):
        return [backward(*each) for each in given]
    runs = [BackwardRun(*each) for each in given]  # pyright: ignore[reportArgumentType]
    count = torch.get_num_threads()

    def together(name: str, some: Sequence[BackwardRun] = runs) -> None:
        jobs = [run.live.address(run.frame.alone[name]) for run in some if name in run.frame.alone]
        if jobs:
            threads.run(jobs, count)

    together("prepare")
    each = min(run.frame.steps for run in runs)
    length = stretch(each)
    for end in range(max(run.steps for run in runs), 0, -length):
        begin = max(0, end - length)
        some = [run for run in runs if not run.vanished.passes(begin, end)]
        for last in range(end, begin, -each):
            for run in some:
                run.live.set("last", last)
                run.live.set("first", max(begin, last - each))
            together("main", some)
            together("outer", some)
    together("finish")
    for run in runs:
        run.done()
    return [run.gradients for run in runs]


def _forward(call: Call, keep: bool) -> tuple[Tensor, tuple[Tensor, ...], Kept | None]:
    if _is_empty(call):
        # Without sequences or steps the state stays as it is.
        y = call.x.new_zeros(*call.x.shape[:2], call.state[0].shape[1])
        return y, tuple(s.detach().clone() for s in call.state), None
    run = ForwardRun(call, keep)
    run.run()
    return run.y, run.last, run.kept()


def _is_empty(call: Call) -> bool:
    return call.x.shape[0] == 0 or call.x.shape[1] == 0
