"""Torch's own operations in a forked child, which has lost the threads that torch believes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from . import threads


@contextmanager
def torch_alone() -> Iterator[None]:
    """Let torch compute on this thread alone if this is a child: it would wait for the others.

    Example:
        >>> with torch_alone():
        ...     torch.ones(2, 3).sum().item()
        6.0
    """
    count = torch.get_num_threads() if threads.is_child() else 1
    if count == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)
