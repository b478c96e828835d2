"""Whether tensors are plain values now, or are traced or transformed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C import _functorch  # pyright: ignore[reportAttributeAccessIssue]
from torch.autograd import forward_ad

from ..compiler import Cell
from .reference import program


def traceable(cell: Cell) -> Cell:
    """Give a cell whose derived properties are known: `torch.compile` reads, but cannot make them.

    A layer calls it when it takes a cell, and again when it has been unpickled or copied.
    """
    _ = program(cell), cell.input_rows, cell.state_rows, cell.weights, cell.noises, cell.draws
    return cell


def autocast_type(x: Tensor) -> torch.dtype | None:
    """The type in which autocast has a call of this input run; nothing where it leaves it alone."""
    device = x.device.type
    if x.dtype == torch.float64 or not torch.amp.is_autocast_available(device):
        return None
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def is_transformed() -> bool:
    """Whether a transform of `torch.func` or a forward-mode gradient is at work."""
    return forward_ad._current_level >= 0 or _functorch.peek_interpreter_stack() is not None


@torch.compiler.assume_constant_result
def is_traced_inside_a_transform() -> bool:
    """`is_transformed`, asked while `torch.compile` traces: an operator knows no transform."""
    return is_transformed()


def is_recorded() -> bool:
    """Whether something wants to see torch's own operations: a trace, or a dispatch mode."""
    return torch._C._is_tracing() or torch._C._len_torch_dispatch_stack() > 0


def is_batched(tensor: Tensor | None) -> bool:
    """Whether a gradient stands for many, as `torch.autograd.grad` makes it on request."""
    return tensor is not None and _functorch.is_legacy_batchedtensor(tensor)


def has_values() -> bool:
    """Whether Python may look at what a tensor holds, and branch on it."""
    return not torch.compiler.is_compiling() and not is_transformed()
