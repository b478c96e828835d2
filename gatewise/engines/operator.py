"""The one operator: a cell over time, as torch sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from ..compiler import Cell
from ..connectivity import Connectivity
from ..connectivity.contract import from_key
from ..errors import InputError, nearest
from .call import NO_NOISE, Call, Result
from .choice import CPU, REFERENCE, choose
from .tracing import autocast_type, is_traced_inside_a_transform


def recurrence(
    cell: Cell,
    connectivity: Connectivity,
    x: Tensor,
    weights: Mapping[str, Tensor],
    state: tuple[Tensor, ...],
    lengths: Tensor | None = None,
    reverse: bool = False,
    noise: Mapping[str, Tensor] = NO_NOISE,
    memory: str = "keep",
) -> Result:
    """Run a cell over time, on the first engine that can.

    In eager mode the engine is called directly and torch differentiates it, as often as asked.
    Under `torch.compile` and `torch.export` it is one node of the graph, `gatewise::recurrence`,
    which can be differentiated once; a compiled transform of `torch.func` holds the reference
    engine's operations instead. Under autocast all of it runs in the autocast type (in float64
    where `x` is that).

    Args:
        cell: The equations of one step.
        connectivity: How the last state reaches the gates.
        x: Input, [batch, time, input].
        weights: By name, as `engines.parameters` lists them.
        state: One tensor for each of the cell's states, [batch, features].
        lengths: Steps of each sequence, [batch], on the device of `x`; 0 is legal.
        reverse: Whether time runs from the last step to the first.
        noise: The cell's noise by name, [batch, time, hidden], or [batch, 1, hidden] for all
            times; what is not here has its value of evaluation.
        memory: What is kept for gradients, a key of `engines.call.MEMORY`; an engine whose
            gradients are torch's keeps what torch keeps.

    Returns:
        Outputs, [batch, time, output], zero past a sequence's end, and the state after its last
        step.

    Raises:
        InputError: A forced engine cannot run the call, or the noise is not the cell's or not of
            such a shape.

    Example:
        >>> from gatewise.cells import elman
        >>> from gatewise.connectivity import Dense
        >>> from gatewise.engines import parameters
        >>> shapes = parameters(elman, Dense(), 3, 4)
        >>> weights = {name: torch.ones(shape) for name, shape in shapes.items()}
        >>> start = (torch.zeros(2, 4),)
        >>> y, (h,) = recurrence(elman, Dense(), torch.ones(2, 5, 3), weights, start)
        >>> y.shape, h.shape
        (torch.Size([2, 5, 4]), torch.Size([2, 4]))
    """
    call = Call(cell, connectivity, x, weights, state, lengths, reverse, noise, memory)
    (result,) = recurrences([call])
    return result


def recurrences(calls: Sequence[Call]) -> list[Result]:
    """Run calls of one input, such as the two directions of a layer: at once where an engine can.

    Args:
        calls: As `recurrence` takes them apart.

    Returns:
        Outputs and final state of each.

    Raises:
        InputError: As `recurrence`.
    """
    for call in calls:
        _check_noise(call)
    device, dtype = calls[0].x.device.type, autocast_type(calls[0].x)
    if dtype is None:
        return _run(calls)
    with torch.autocast(device, enabled=False):
        return _run([call.cast(dtype) for call in calls])


def _run(calls: Sequence[Call]) -> list[Result]:
    if torch.compiler.is_compiling():
        if is_traced_inside_a_transform():
            return [REFERENCE.run(call.settled()) for call in calls]
        found = [forward(*_flatten(call)) for call in calls]
        return [(y, tuple(state)) for y, *state in found]
    calls = [call.settled() for call in calls]
    engines = [choose(call) for call in calls]
    if len(calls) == 2 and all(engine is CPU for engine in engines) and CPU.runs_both(calls):
        return CPU.run_both(calls)
    return [engine.run(call) for engine, call in zip(engines, calls, strict=True)]


def _check_noise(call: Call) -> None:
    if not call.noise:
        return
    batch, steps = call.x.shape[:2]
    hidden = call.weights["weight_ih"].shape[0] // len(call.cell.input_rows)
    for name, value in call.noise.items():
        if name not in call.cell.noises:
            raise InputError(
                f"noise names {name!r}, which is no Noise of cell {call.cell.name}: "
                f"{nearest(name, call.cell.noises)}"
            )
        shape = tuple(value.shape)
        if shape not in ((batch, steps, hidden), (batch, 1, hidden)):
            raise InputError(
                f"noise {name} of shape {shape}: give [batch, time, hidden], here "
                f"{(batch, steps, hidden)}, or one step for all, {(batch, 1, hidden)}"
            )


Flat = tuple[
    Tensor, list[Tensor], list[Tensor], list[Tensor], Tensor | None, str, str, str, str, bool
]


def _flatten(call: Call) -> Flat:
    """A call as what an operator of torch can take: tensors, lists of them, text and flags."""
    return (
        call.x,
        list(call.state),
        list(call.weights.values()),
        list(call.noise.values()),
        call.lengths,
        " ".join(call.weights),
        " ".join(call.noise),
        call.cell.key,
        call.connectivity.key,
        call.reverse,
    )


def _unflatten(
    x: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    noise: Sequence[Tensor],
    lengths: Tensor | None,
    names: str,
    noises: str,
    cell: str,
    connectivity: str,
    reverse: bool,
) -> Call:
    named = dict(zip(names.split(), weights, strict=True))
    given = dict(zip(noises.split(), noise, strict=True))
    kind = from_key(connectivity)
    call = Call(Cell.from_key(cell), kind, x, named, tuple(state), lengths, reverse, given)
    return call.settled()


@torch.library.custom_op("gatewise::recurrence", mutates_args=())
def forward(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    noise: list[Tensor],
    lengths: Tensor | None,
    names: str,
    noises: str,
    cell: str,
    connectivity: str,
    reverse: bool,
) -> list[Tensor]:
    """Outputs, then the final state."""
    call = _unflatten(x, state, weights, noise, lengths, names, noises, cell, connectivity, reverse)
    y, last = choose(call).run(call)
    # Without a time step the final state is the initial one, which an operator may not return.
    return [y.contiguous(), *(s.clone(memory_format=torch.contiguous_format) for s in last)]


@forward.register_fake
def _(x, state, weights, noise, lengths, names, noises, cell, connectivity, reverse):
    y = x.new_empty(x.shape[0], x.shape[1], state[0].shape[1])
    return [y, *(torch.empty_like(s, memory_format=torch.contiguous_format) for s in state)]


@torch.library.custom_op("gatewise::recurrence_backward", mutates_args=())
def backward(
    gradients: list[Tensor],
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    noise: list[Tensor],
    lengths: Tensor | None,
    names: str,
    noises: str,
    cell: str,
    connectivity: str,
    reverse: bool,
) -> list[Tensor]:
    """Gradients of the input, of the initial state and of the weights; runs forward once more."""
    with _recording():
        tensors = [t.detach().requires_grad_() for t in (x, *state, *weights)]
        x, state, weights = tensors[0], tensors[1 : len(state) + 1], tensors[len(state) + 1 :]
        call = _unflatten(
            x, state, weights, noise, lengths, names, noises, cell, connectivity, reverse
        )
        y, last = choose(call).run(call)
        # Without a time step the outputs depend on nothing.
        pairs = zip([y, *last], gradients, strict=True)
        outputs, along = zip(*((o, g) for o, g in pairs if o.requires_grad), strict=True)
        found = torch.autograd.grad(outputs, tensors, along, materialize_grads=True)
    return [g.clone(memory_format=torch.contiguous_format) for g in found]


@backward.register_fake
def _(gradients, x, state, weights, noise, lengths, names, noises, cell, connectivity, reverse):
    tensors = (x, *state, *weights)
    return [torch.empty_like(t, memory_format=torch.contiguous_format) for t in tensors]


_AUTOGRAD = [
    key for name, key in torch._C.DispatchKey.__members__.items() if name.startswith("Autograd")
]


@contextmanager
def _recording() -> Iterator[None]:
    """Record operations for autograd inside an operator's kernel, where torch leaves it out."""
    included = torch._C._dispatch_tls_local_include_set()
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in _AUTOGRAD:
        excluded = excluded - torch._C.DispatchKeySet(key)
    with torch._C._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():
        yield


def _remember(ctx, inputs, output) -> None:
    x, state, weights, noise, lengths, *rest = inputs
    ctx.save_for_backward(x, lengths, *state, *weights, *noise)
    ctx.counts, ctx.rest = (len(state), len(weights), len(noise)), rest


def _differentiate(ctx, gradients):
    x, lengths, *tensors = ctx.saved_tensors
    states, weights, noises = ctx.counts
    parts = tensors[:states], tensors[states : states + weights], tensors[states + weights :]
    found = backward(list(gradients), x, *parts, lengths, *ctx.rest)
    ends = 1 + states
    nothing = [None] * len(ctx.rest)
    return found[0], found[1:ends], found[ends:], [None] * noises, None, *nothing


forward.register_autograd(_differentiate, setup_context=_remember)
