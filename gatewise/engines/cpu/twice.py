"""What autograd keeps of a call, and gradients that can be differentiated again."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..call import Call


def bare(call: Call) -> Call:
    """The call without the tensors that autograd looks after."""
    nothing = torch.empty(0)
    weights, noise = (dict.fromkeys(names, nothing) for names in (call.weights, call.noise))
    return call._replace(x=nothing, state=(), weights=weights, noise=noise)


def with_(call: Call, tensors: Sequence[Tensor], noise: Sequence[Tensor], states: int) -> Call:
    """Undo `bare`: x, the states and the weights, and the noise."""
    x, *others = tensors
    weights = dict(zip(call.weights, others[states:], strict=True))
    given = dict(zip(call.noise, noise, strict=True))
    return call._replace(x=x, state=tuple(others[:states]), weights=weights, noise=given)


def twice(
    call: Call,
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients of plain torch operations, by the reference engine."""
    from ..reference import Reference

    create, states = torch.is_grad_enabled(), len(call.state)
    with torch.enable_grad():
        # Where nothing is differentiated again, `torch.func` may hold batches of gradients.
        given = [
            (t.view_as(t) if create else t.detach().requires_grad_()) if w else t.detach()
            for t, w in zip(tensors, wanted, strict=True)
        ]
        y, last = Reference().run(with_(call, given, list(call.noise.values()), states))
        pairs = [(o, g) for o, g in zip((y, *last), gradients, strict=True) if g is not None]
        pairs = [(o, g) for o, g in pairs if o.requires_grad]
        inputs = [t for t, w in zip(given, wanted, strict=True) if w]
        found = iter(
            torch.autograd.grad(
                [o for o, _ in pairs], inputs, [g for _, g in pairs],
                create_graph=create, allow_unused=True,
            ) if pairs else [None] * len(inputs)
        )  # fmt: skip
    return [next(found) if w else None for w in wanted]
