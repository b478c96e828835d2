"""The engine: what it can run, and how autograd sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from ...connectivity import Dense
from ..call import Call, Result
from ..tracing import is_recorded, is_transformed

_TYPES = (torch.float32, torch.float64)


class Cpu:
    """Machine code made from a cell's equations, for the processor that it runs on."""

    name = "cpu"

    def why_not(self, call: Call) -> str | None:
        """See `Engine.why_not`."""
        x = call.x
        if x.device.type != "cpu":
            return f"it makes code for the processor, and x is on {x.device}"
        if x.dtype not in _TYPES:
            return f"it has kernels for float32 and float64, not {x.dtype}"
        if not isinstance(call.connectivity, Dense):
            return f"it knows only the dense connectivity, not {call.connectivity}"
        if is_transformed():
            return "its kernels know no torch.func transforms and no forward-mode gradients"
        if is_recorded():
            return "a trace or a dispatch mode is at work, which sees torch's own operations only"
        for tensor in (x, *call.state, *call.weights.values(), *call.noise.values()):
            if type(tensor) is not Tensor and type(tensor) is not Parameter:
                return f"it reads memory, and a {type(tensor).__name__} may have none"
            if tensor.dtype != x.dtype or tensor.device != x.device:
                return (
                    f"all tensors must be like x, {x.dtype} on {x.device}, and one is "
                    f"{tensor.dtype} on {tensor.device}"
                )
        if not _has_llvmlite():
            return "llvmlite is not installed: pip install llvmlite"
        return None

    def run(self, call: Call) -> Result:
        """See `Engine.run`."""
        call = call.settled()
        tensors = (call.x, *call.state, *call.weights.values())
        if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
            y, *last = _Recurrence.apply(call, *tensors)
            return y, tuple(last)
        from .whole import forward

        return forward(call)


@lru_cache(maxsize=1)
def _has_llvmlite() -> bool:
    return find_spec("llvmlite") is not None


class _Recurrence(torch.autograd.Function):
    """The recurrence as one operation; its second derivative is the reference engine's."""

    @staticmethod
    def forward(ctx: Any, call: Call, *tensors: Tensor) -> Any:
        from .whole import forward_keeping

        y, last, kept = forward_keeping(call)
        ctx.save_for_backward(*tensors, y)
        ctx.call, ctx.kept, ctx.states = _bare(call), kept, len(call.state)
        ctx.set_materialize_grads(False)
        return y, *last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        *tensors, y = ctx.saved_tensors
        call = _with(ctx.call, tensors, ctx.states)
        wanted = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():
            return None, *_twice(call, tensors, gradients, wanted)
        from .whole import backward

        to_weights = any(wanted[1 + ctx.states :])
        found = backward(call, ctx.kept, y, gradients, (wanted[0], to_weights))
        flat = (found.x, *found.state, *(found.weights[name] for name in call.weights))
        return None, *(g if w else None for g, w in zip(flat, wanted, strict=True))


def _bare(call: Call) -> Call:
    """The call without the tensors that autograd looks after."""
    nothing = torch.empty(0)
    return call._replace(x=nothing, state=(), weights=dict.fromkeys(call.weights, nothing))


def _with(call: Call, tensors: Sequence[Tensor], states: int) -> Call:
    x, *others = tensors
    weights = dict(zip(call.weights, others[states:], strict=True))
    return call._replace(x=x, state=tuple(others[:states]), weights=weights)


def _twice(
    call: Call,
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients that can be differentiated again, by the reference engine."""
    from ..reference import Reference

    given = [t.view_as(t) if w else t.detach() for t, w in zip(tensors, wanted, strict=True)]
    y, last = Reference().run(_with(call, given, len(call.state)))
    pairs = [(o, g) for o, g in zip((y, *last), gradients, strict=True) if g is not None]
    pairs = [(o, g) for o, g in pairs if o.requires_grad]
    inputs = [t for t, w in zip(given, wanted, strict=True) if w]
    found = iter(
        torch.autograd.grad(
            [o for o, _ in pairs], inputs, [g for _, g in pairs],
            create_graph=True, allow_unused=True,
        ) if pairs else [None] * len(inputs)
    )  # fmt: skip
    return [next(found) if w else None for w in wanted]
