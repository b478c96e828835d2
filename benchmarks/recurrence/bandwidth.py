"""How many bytes a second come from memory and go there."""

from __future__ import annotations

import torch

from .timing import take_turns

NBYTES = 1 << 28
"""Of a tensor that is much larger than the caches."""


def bandwidth(seconds: float) -> float:
    """Bytes a second, read and written, as torch copies a large tensor with its threads.

    Args:
        seconds: For which it is tried; the quickest copy counts.
    """
    source, target = torch.ones(2, NBYTES, dtype=torch.uint8)
    times = take_turns({"copy": lambda: target.copy_(source)}, seconds)
    return 2 * NBYTES / times.least("copy")
