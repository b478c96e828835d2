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
from ..tracing import is_batched, is_recorded, is_transformed
from . import whole
from .both import run_both
from .image import may_make_code
from .twice import bare, twice, with_

TYPES = (torch.float32, torch.float64)


class Cpu:
    """Machine code made from a cell's equations, for the processor that it runs on."""

    name = "cpu"

    def why_not(self, call: Call) -> str | None:
        """See `Engine.why_not`."""
        x = call.x
        if x.device.type != "cpu":
            return f"it makes code for the processor, and x is on {x.device}"
        if x.dtype not in TYPES:
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
            if tensor.dtype != x.dtype or not tensor.is_cpu:
                return (
                    f"all tensors must be like x, {x.dtype} on {x.device}, and one is "
                    f"{tensor.dtype} on {tensor.device}"
                )
        return unable()

    def run(self, call: Call) -> Result:
        """See `Engine.run`."""
        call = call.settled()
        tensors = (call.x, *call.state, *call.weights.values())
        if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
            y, *last = _Recurrence.apply(call, *tensors)
            return y, tuple(last)
        return whole.forward(call)

    def runs_both(self, calls: Sequence[Call]) -> bool:
        """Whether two calls of one input, both directions of a layer, are best run at once.

        Each then has a thread of its own, so they must be two, or rows too few for more.
        """
        threads = torch.get_num_threads()
        return threads == 2 or 2 <= 2 * calls[0].x.shape[0] <= threads

    def run_both(self, calls: Sequence[Call]) -> list[Result]:
        """Run two calls of one input at once; see `runs_both`."""
        return run_both([call.settled() for call in calls])


@lru_cache(maxsize=1)
def unable() -> str | None:
    """Why no machine code is made here, whatever the call; nothing where it is."""
    if find_spec("llvmlite") is None:
        return "llvmlite is not installed: pip install llvmlite"
    if not may_make_code():
        return "this system lets no program make code as it runs"
    return None


class _Recurrence(torch.autograd.Function):
    """The recurrence as one operation; its second derivative is the reference engine's."""

    @staticmethod
    def forward(ctx: Any, call: Call, *tensors: Tensor) -> Any:
        y, last, kept = whole.forward_keeping(call)
        # Autograd lets go of what it saved with the graph, though outputs live on.
        ctx.kept, memory = (None, torch.empty(0)) if kept is None else kept.apart()
        ctx.save_for_backward(*tensors, *call.noise.values(), y, memory)
        ctx.call, ctx.states = bare(call), len(call.state)
        ctx.set_materialize_grads(False)
        return y, *last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        *given, y, memory = ctx.saved_tensors
        count = len(given) - len(ctx.call.noise)
        tensors, noise = given[:count], given[count:]
        call = with_(ctx.call, tensors, noise, ctx.states)
        wanted = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled() or is_transformed() or any(map(is_batched, gradients)):
            return None, *twice(call, tensors, gradients, wanted)
        to_weights = any(wanted[1 + ctx.states :])
        kept = None if ctx.kept is None else ctx.kept.together(memory)
        found = whole.backward(call, kept, y, gradients, (wanted[0], to_weights))
        flat = (found.x, *found.state, *(found.weights[name] for name in call.weights))
        return None, *(g if w else None for g, w in zip(flat, wanted, strict=True))
