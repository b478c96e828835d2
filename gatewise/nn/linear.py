"""A linear layer's product by the faster of the two libraries that torch has on a processor."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn import functional as F

from ..engines import onednn
from ..engines.tracing import is_batched, is_recorded, is_transformed

_FEW = 1 << 20
"""Products up to which the cost of a call hides what a library wins."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply by weights and add a bias, as `torch.nn.functional.linear` but for rounding.

    Torch multiplies float32 matrices by MKL, which on processors of another maker does half of what
    they can do. Its other library, oneDNN, knows them all; here it is asked where it can be.

    Args:
        x: [..., input].
        weight: [output, input].
        bias: [output].

    Returns:
        [..., output]; it can be differentiated as often as asked.

    Example:
        >>> linear(torch.ones(2, 3), torch.ones(4, 3), torch.ones(4)).tolist()
        [[4.0, 4.0, 4.0, 4.0], [4.0, 4.0, 4.0, 4.0]]
    """
    given = (x, weight) if bias is None else (x, weight, bias)
    if x.numel() * weight.shape[0] <= _FEW or not all(map(_is_plain, given)) or _is_watched():
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad
        rows, flat = x.reshape(-1, x.shape[-1]), gradient.reshape(-1, gradient.shape[-1])
        return (
            linear(gradient, weight.t()) if to_x else None,
            linear(flat.t(), rows.t()) if to_weight else None,
            flat.sum(0) if to_bias else None,
        )


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is memory that oneDNN reads; nothing that is expanded is."""
    return (
        (type(tensor) is Tensor or type(tensor) is Parameter)
        and tensor.is_cpu
        and tensor.dtype is torch.float32
        and not is_batched(tensor)
        and 0 not in tensor.stride()
    )


def _is_watched() -> bool:
    """Whether torch has to see an operation of its own here."""
    return (
        torch.compiler.is_compiling()
        or is_recorded()
        or is_transformed()
        or torch.is_autocast_enabled("cpu")
        or not (_has_product() and onednn.can_run())
    )


@lru_cache(maxsize=1)
def _has_product() -> bool:
    return hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # What torch's own compiler calls it by; named here only.
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
