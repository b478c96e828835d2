"""Whole calls: forward, forward with what the backward pass wants, and backward."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..call import Call, Result
from .backward_pass import BackwardPass, Gradients
from .forward_pass import ForwardPass, Kept, all_of_time, final, two_in_turn
from .task import Task, task


def forward(call: Call) -> Result:
    """Run a call of which no gradient is wanted."""
    if _is_empty(call):
        return _nothing(call)
    parts = task(call)
    y = _outputs(parts)
    told, held = two_in_turn(parts, parts.call.state)
    run = ForwardPass(parts, y)
    run.run(0, parts.sizes.time, told, None)
    run.release()
    return y, tuple(final(parts, held, 0, parts.sizes.time))


def forward_keeping(call: Call) -> tuple[Tensor, tuple[Tensor, ...], Kept | None]:
    """Run a call, and keep what its backward pass wants."""
    if _is_empty(call):
        return *_nothing(call), None
    parts = task(call)
    y = _outputs(parts)
    told, held, kept = all_of_time(parts, parts.call.state, 0, parts.sizes.time)
    run = ForwardPass(parts, y)
    run.run(0, parts.sizes.time, told, kept.values)
    run.release()
    return y, tuple(final(parts, held, 0, parts.sizes.time)), kept


def backward(
    call: Call,
    kept: Kept | None,
    y: Tensor,
    gradients: Sequence[Tensor | None],
    to_input: bool,
) -> Gradients:
    """Differentiate a call.

    Args:
        call: As it was run.
        kept: What its forward pass kept.
        y: Its outputs.
        gradients: Of the outputs and of the final states; nothing where they are 0.
        to_input: Whether the gradient of the input is wanted.
    """
    dy, *rest = gradients
    dstate = [
        torch.zeros_like(s) if d is None else d for s, d in zip(call.state, rest, strict=True)
    ]
    if kept is None:
        zeros = {name: torch.zeros_like(w) for name, w in call.weights.items()}
        return Gradients(torch.zeros_like(call.x), dstate, zeros)
    parts = task(call)
    return BackwardPass(parts, y, to_input).run(dy, dstate, lambda first, last: kept)


def _is_empty(call: Call) -> bool:
    return call.x.shape[0] == 0 or call.x.shape[1] == 0


def _nothing(call: Call) -> Result:
    """Without sequences or steps the state stays as it is."""
    y = call.x.new_zeros(*call.x.shape[:2], call.state[0].shape[1])
    return y, tuple(s.detach().clone() for s in call.state)


def _outputs(parts: Task) -> Tensor:
    """Memory for the outputs, laid out as the input is; zero where a sequence has ended."""
    sizes, x = parts.sizes, parts.call.x
    make = torch.empty if parts.call.lengths is None else torch.zeros
    if sizes.batch > 1 and x.stride(0) < x.stride(1):
        y = make(sizes.time, sizes.batch, sizes.output, dtype=x.dtype)
        return y.transpose(0, 1)
    return make(sizes.batch, sizes.time, sizes.output, dtype=x.dtype)
