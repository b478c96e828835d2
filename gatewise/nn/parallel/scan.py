"""Linear recurrences over time, many steps at once: chunks side by side, then chunks of chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...engines.tracing import is_batched, is_transformed
from ...errors import InputError

CHUNK = 32
"""Steps that are taken one after the other, in all chunks at once."""


def linear_scan(a: Tensor, b: Tensor, start: Tensor | None = None) -> Tensor:
    """Run `h = a * h + b` over time, in parallel.

    Time is cut into chunks. All chunks take their steps side by side, once to learn what each
    makes of a state, and once more from the state that it begins with, which the same scan over
    the chunks gives. The work is linear in time, and the gradient is the scan in the other
    direction (Martin & Cundy 2018, https://arxiv.org/abs/1709.04057). Rounding errors add up
    within chunks and not over all of time, so it is more exact than a loop.

    Args:
        a: What each step keeps of the state, [batch, time, ...], from -1 to 1: of larger ones,
            the product over a chunk may overflow. Exactly 0 and 1 are fine.
        b: What each step adds, of the same shape, or of one that broadcasts.
        start: State before the first step, [batch, ...]; zero by default.

    Returns:
        State before the first step and after each, [batch, time + 1, ...], of the arguments' type;
        16-bit numbers are added up in float32.

    Raises:
        InputError: The shapes do not fit, or the numbers are not real.

    Example:
        >>> linear_scan(torch.full((1, 3), 0.5), torch.ones(1, 3))
        tensor([[0.0000, 1.0000, 1.5000, 1.7500]])
    """
    a, b, start, dtype = _checked(a, b, start, nothing=0.0)
    return _linear(a, b, start, reverse=False).to(dtype)


def log_linear_scan(log_a: Tensor, log_b: Tensor, log_start: Tensor | None = None) -> Tensor:
    """Run `h = a * h + b` over time on logarithms, for positive numbers of any size.

    It is `linear_scan` for gates such as `exp(x)`, which would overflow or vanish as plain
    numbers; where they do not, `linear_scan` is several times faster. Each step is one
    `logaddexp`, so nothing cancels; the usual way, by cumulative sums (Heinsen 2023,
    https://arxiv.org/abs/2311.06281), loses digits as time grows.

    Args:
        log_a: Logarithm of what each step keeps, [batch, time, ...]; -inf keeps nothing.
        log_b: Logarithm of what each step adds, of the same shape, or of one that broadcasts.
        log_start: Logarithm of the state before the first step, [batch, ...]; -inf by default.

    Returns:
        Logarithm of the state before the first step and after each, [batch, time + 1, ...].

    Raises:
        InputError: The shapes do not fit, or the numbers are not real.

    Example:
        >>> log_linear_scan(torch.full((1, 3), 0.5).log(), torch.full((1, 3), 200.0))
        tensor([[    -inf, 200.0000, 200.4055, 200.5596]])
    """
    log_a, log_b, log_start, dtype = _checked(log_a, log_b, log_start, -torch.inf, "log_")
    if is_transformed():
        return _by_steps(log_a, log_b, log_start, False, _LOG).to(dtype)
    return _LogScan.apply(log_a, log_b, log_start).to(dtype)


class _Kind(NamedTuple):
    """What a scan is made of.

    Attributes:
        step: The next state, from what is kept, the state and what is added; into `out` if given.
        joined: What steps keep together, along an axis.
    """

    step: Callable[..., Tensor]
    joined: Callable[[Tensor, int], Tensor]


def _plain_step(a: Tensor, h: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.addcmul(b, a, h, out=out)


def _log_step(a: Tensor, h: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    return torch.logaddexp(torch.add(a, h, out=out), b, out=out)


_PLAIN = _Kind(_plain_step, torch.prod)
_LOG = _Kind(_log_step, torch.sum)


class _LinearScan(torch.autograd.Function):
    """All states, [batch, time + 1, ...]; time runs backwards with `reverse`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, start: Tensor, reverse: bool) -> Tensor:
        states = _states(a, b, start, reverse, _PLAIN)
        ctx.save_for_backward(a, states)
        ctx.reverse = reverse
        return states

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        a, states = ctx.saved_tensors
        # What a state owes to the loss: its own part, and a times what the next one owes.
        last, earlier = _ends(grads[0], not ctx.reverse)
        owed = _linear(a, earlier, last, not ctx.reverse)
        of_start, of_b = _ends(owed, ctx.reverse)
        _, before = _ends(states, not ctx.reverse)
        return of_b * before if ctx.needs_input_grad[0] else None, of_b, of_start, None


class _LogScan(torch.autograd.Function):
    """Logarithms of all states, [batch, time + 1, ...]."""

    @staticmethod
    def forward(ctx: Any, log_a: Tensor, log_b: Tensor, log_start: Tensor) -> Tensor:
        states = _states(log_a, log_b, log_start, False, _LOG)
        ctx.save_for_backward(log_a, log_b, states)
        return states

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        log_a, log_b, states = ctx.saved_tensors
        # Of each state, the share that was kept and the share that was added: a plain scan. In
        # float64, since shares near 1 are raised to high powers.
        wide = torch.float32 if states.device.type == "mps" else torch.float64
        before, after = (s.to(wide) for s in (states[:, :-1], states[:, 1:]))
        level = after.masked_fill(after == -torch.inf, 0)
        kept, added = (log_a + before - level).exp(), (log_b - level).exp()
        owed = _linear(kept, grads[0][:, :-1].to(wide), grads[0][:, -1].to(wide), reverse=True)
        later = owed[:, 1:]
        found = later * kept, later * added, owed[:, 0]
        return tuple(gradient.to(states.dtype) for gradient in found)


def _linear(a: Tensor, b: Tensor, start: Tensor, reverse: bool) -> Tensor:
    if is_transformed() or is_batched(b):
        return _by_steps(a, b, start, reverse, _PLAIN)
    return _LinearScan.apply(a, b, start, reverse)


def _by_steps(a: Tensor, b: Tensor, start: Tensor, reverse: bool, kind: _Kind) -> Tensor:
    """All states by torch's own operations, for transforms that look into them."""
    states = [start]
    for a_t, b_t in _in_order(reverse, a.unbind(1), b.unbind(1)):
        states.append(kind.step(a_t, states[-1], b_t))
    return torch.stack(states[::-1] if reverse else states, 1)


def _states(a: Tensor, b: Tensor, start: Tensor, reverse: bool, kind: _Kind) -> Tensor:
    """All states, [batch, time + 1, ...]."""
    states = b.new_empty(b.shape[0], b.shape[1] + 1, *b.shape[2:])
    first, after = _ends(states, reverse)
    first.copy_(start)
    _fill(after, a, b, first, reverse, kind)
    return states


def _fill(out: Tensor, a: Tensor, b: Tensor, start: Tensor, reverse: bool, kind: _Kind) -> None:
    """Write the state after each step into `out`, [batch, time, ...]."""
    time = a.shape[1]
    chunks = time // CHUNK
    if chunks < 2:
        _walk(out, a, b, start, 1, reverse, kind)
        return
    # The steps that make no whole chunk are taken last.
    rest = time - chunks * CHUNK
    whole, left = (slice(rest, time), slice(0, rest)) if reverse else (
        slice(0, time - rest), slice(time - rest, time))  # fmt: skip
    out_by_chunk, a_by_chunk, b_by_chunk = (
        t[:, whole].unflatten(1, (chunks, CHUNK)) for t in (out, a, b)
    )
    made = _made_of_nothing(a_by_chunk, b_by_chunk, reverse, kind)
    ends = torch.empty_like(made)
    _fill(ends, kind.joined(a_by_chunk, 2), made, start, reverse, kind)
    begins = start.unsqueeze(1)
    if reverse:
        begins, end = torch.cat([ends[:, 1:], begins], 1), ends[:, 0]
    else:
        begins, end = torch.cat([begins, ends[:, :-1]], 1), ends[:, -1]
    _walk(out_by_chunk, a_by_chunk, b_by_chunk, begins, 2, reverse, kind)
    _walk(out[:, left], a[:, left], b[:, left], end, 1, reverse, kind)


def _walk(
    out: Tensor, a: Tensor, b: Tensor, h: Tensor, axis: int, reverse: bool, kind: _Kind
) -> None:
    """Take the steps along an axis one after the other."""
    rows = (t.unbind(axis) for t in (a, b, out))
    for a_t, b_t, out_t in _in_order(reverse, *rows):
        h = kind.step(a_t, h, b_t, out_t)


def _made_of_nothing(a: Tensor, b: Tensor, reverse: bool, kind: _Kind) -> Tensor:
    """Where each chunk ends that starts without a state, [batch, chunks, ...]."""
    (_, first), *steps = _in_order(reverse, a.unbind(2), b.unbind(2))
    h = first.clone(memory_format=torch.contiguous_format)
    for a_t, b_t in steps:
        kind.step(a_t, h, b_t, h)
    return h


def _in_order(reverse: bool, *rows: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    steps = list(zip(*rows, strict=True))
    return steps[::-1] if reverse else steps


def _ends(states: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """Split [batch, time + 1, ...] into where a run starts and what follows."""
    return (states[:, -1], states[:, :-1]) if reverse else (states[:, 0], states[:, 1:])


def _checked(
    a: Tensor, b: Tensor, start: Tensor | None, nothing: float, prefix: str = ""
) -> tuple[Tensor, Tensor, Tensor, torch.dtype]:
    """Give a scan's arguments in one shape and in a type to add up in, and the result's type.

    Raises:
        InputError: The shapes do not fit, or the numbers are not real.
    """
    dtype = torch.promote_types(a.dtype, b.dtype)
    shapes = tuple(a.shape), tuple(b.shape)
    if not dtype.is_floating_point or min(map(len, shapes)) < 2 or not _broadcast(*shapes):
        raise InputError(
            f"{prefix}a and {prefix}b of shapes {shapes} and types {a.dtype} and {b.dtype}: give "
            "both the shape [batch, time, ...] and a type such as float32"
        )
    a, b = torch.broadcast_tensors(a, b)
    wanted = (b.shape[0], *b.shape[2:])
    if start is not None and tuple(start.shape) != wanted:
        raise InputError(
            f"{prefix}start of shape {tuple(start.shape)}: give one of shape {wanted}, which is "
            f"that of {prefix}b without time"
        )
    wide = torch.promote_types(dtype, torch.float32)
    if start is None:
        start = b.new_full(wanted, nothing, dtype=wide)
    return a.to(wide), b.to(wide), start.to(wide), dtype


def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes of equally many axes become one."""
    return len(one) == len(other) and all(
        m == n or 1 in (m, n) for m, n in zip(one, other, strict=True)
    )
