"""Whether torch's second library of products, oneDNN, is there to be asked."""

from __future__ import annotations

import torch

from .cpu.image import may_make_code


def is_used() -> bool:
    """Whether torch asks it for what it can do.

    Example:
        >>> is_used() in (torch.backends.mkldnn.is_available(), False)
        True
    """
    return torch.backends.mkldnn.is_available() and torch._C._get_mkldnn_enabled()


def can_run() -> bool:
    """Whether it can do so here: it makes code as it runs."""
    return is_used() and may_make_code()
