"""Two calls of one input at once, as one operation of autograd: both directions of a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ..call import Call, Result
from ..tracing import is_batched, is_transformed
from .twice import bare, twice, with_
from .whole import backward_both, forward_both


def run_both(calls: Sequence[Call]) -> list[Result]:
    """Run two calls of one input at the same time.

    Args:
        calls: With the same `x`, all of their noise given.
    """
    tensors = [calls[0].x, *(t for call in calls for t in _own(call))]
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        found = iter(_Both.apply(calls, *tensors))
        return [_result(found, call) for call in calls]
    return [(y, last) for y, last, _ in forward_both(calls, keep=False)]


def _own(call: Call) -> list[Tensor]:
    return [*call.state, *call.weights.values()]


def _result(found: Iterator[Tensor], call: Call) -> Result:
    y = next(found)
    return y, tuple(next(found) for _ in call.state)


class _Both(torch.autograd.Function):
    """As `engine._Recurrence`, twice."""

    @staticmethod
    def forward(ctx: Any, calls: Sequence[Call], *tensors: Tensor) -> Any:
        results = forward_both(calls, keep=True)
        apart = [(None, torch.empty(0)) if kept is None else kept.apart()
                 for _, _, kept in results]  # fmt: skip
        ctx.kept = [kept for kept, _ in apart]
        extra = [
            [*call.noise.values(), y, memory]
            for call, (y, _, _), (_, memory) in zip(calls, results, apart, strict=True)
        ]
        ctx.save_for_backward(*tensors, *(t for own in extra for t in own))
        ctx.calls = [bare(call) for call in calls]
        ctx.states = [len(call.state) for call in calls]
        ctx.set_materialize_grads(False)
        return tuple(t for y, last, _ in results for t in (y, *last))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        x, *saved = ctx.saved_tensors
        to_x, *wanted = ctx.needs_input_grad[1:]
        given, asked, along = iter(saved), iter(wanted), iter(gradients)
        parts = []
        for call, states in zip(ctx.calls, ctx.states, strict=True):
            count = states + len(call.weights)
            tensors = [x, *(next(given) for _ in range(count))]
            parts.append((tensors, [to_x, *(next(asked) for _ in range(count))],
                          [next(along) for _ in range(1 + states)]))  # fmt: skip
        rest = [([next(given) for _ in call.noise], next(given), next(given)) for call in ctx.calls]
        calls = [
            with_(call, tensors, noise, states)
            for call, (tensors, _, _), (noise, _, _), states in zip(
                ctx.calls, parts, rest, ctx.states, strict=True
            )
        ]
        if torch.is_grad_enabled() or is_transformed() or any(map(is_batched, gradients)):
            found = [
                twice(call, tensors, dys, want)
                for call, (tensors, want, dys) in zip(calls, parts, strict=True)
            ]
        else:
            found = _quick(ctx, calls, parts, rest)
        both = [own[0] for own in found if own[0] is not None]
        dx = None if not both or not to_x else sum(both[1:], start=both[0])
        return None, dx, *(g for own in found for g in own[1:])


def _quick(ctx: Any, calls: Sequence[Call], parts: Sequence, rest: Sequence) -> list[list]:
    """By the kernels; like what the calls took."""
    given = []
    for call, kept, (_, want, dys), (_, y, memory) in zip(
        calls, ctx.kept, parts, rest, strict=True
    ):
        own = None if kept is None else kept.together(memory)
        to_weights = any(want[1 + len(call.state) :])
        given.append((call, own, y, dys, (want[0], to_weights)))
    found = backward_both(given)
    flat = [
        [each.x, *each.state, *(each.weights[name] for name in call.weights)]
        for call, each in zip(calls, found, strict=True)
    ]
    return [
        [g if w else None for g, w in zip(own, want, strict=True)]
        for own, (_, want, _) in zip(flat, parts, strict=True)
    ]
