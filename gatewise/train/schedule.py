"""The learning rate from the first step to the last."""

from __future__ import annotations

import math

FLOOR = 0.01
"""Share of the peak at which a falling rate ends."""

RATIO = 32
"""How much higher the peak of a slanted triangle is than its ends."""


def factor(schedule: str, step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate at a step.

    Rises linearly over the first `warmup * total` steps, then falls to `FLOOR` along a half
    cosine (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983) or a line, or stays.
    "slanted" rises from 1/`RATIO` and falls back to it, both along a line: the slanted triangle
    of Howard & Ruder 2018 (https://arxiv.org/abs/1801.06146), who rise over a tenth.

    Args:
        schedule: "cosine", "linear", "slanted" or "constant".
        step: The step that is about to be taken, from 0.
        total: All steps.
        warmup: Share of them over which the rate rises.

    Example:
        >>> [round(factor("linear", step, 10, 0.2), 2) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.13]
    """
    rise = math.ceil(warmup * total)
    done = (step - rise) / max(total - rise, 1)
    if schedule == "slanted":
        share = step / rise if step < rise else 1.0 - done
        return (1.0 + share * (RATIO - 1)) / RATIO
    if step < rise:
        return (step + 1) / rise
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - (1.0 - FLOOR) * done
    if schedule == "cosine":
        return FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * done))
    raise ValueError(f"schedule is {schedule!r}, and has to be cosine, linear, slanted or constant")
