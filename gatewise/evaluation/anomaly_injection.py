"""Faults of known kinds in readings that have no labels: what would be found, and what not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

KINDS = ("spike", "shift", "noise", "standstill")

SIZE = 3.0
"""Of a fault, in usual deviations of the channel."""

APART = 4
"""Lengths of a fault between one and the next."""


class Injected(NamedTuple):
    """Readings with faults in them.

    Args:
        values: [steps, channels].
        labels: 1 in a fault, int64 [steps].
        kinds: Of each fault, in order.
    """

    values: np.ndarray
    labels: np.ndarray
    kinds: tuple[str, ...]


def inject(values: np.ndarray, length: int, seed: int = 0) -> Injected:
    """Put faults into readings, each into one channel, in turns of their kinds.

    A spike lasts a tenth of `length`; a shift, noise and standing still last all of it. They are as
    many as fit with `APART` lengths between them.

    Args:
        values: In units of the usual deviation, [steps, channels], NaN where missing.
        length: Steps.
        seed: Of where they lie and how they look.

    Example:
        >>> made = inject(np.zeros((200, 2)), length=10)
        >>> made.kinds, int(made.labels.sum())
        (('spike', 'shift', 'noise', 'standstill'), 31)
    """
    random = np.random.default_rng(seed)
    out, labels = values.copy(), np.zeros(len(values), np.int64)
    room = (APART + 1) * length
    count = len(values) // room
    kinds = tuple(KINDS[k % len(KINDS)] for k in range(count))
    for k, kind in enumerate(kinds):
        first = k * room + int(random.integers(length, room - length + 1))
        last = first + (max(1, length // 10) if kind == "spike" else length)
        part = out[first:last, int(random.integers(values.shape[1]))]
        sign = random.choice((-1.0, 1.0))
        if kind == "noise":
            part += SIZE / 2 * random.normal(size=len(part))
        elif kind == "standstill":
            part[:] = part[0]
        else:
            part += sign * SIZE * (2 if kind == "spike" else 1)
        labels[first:last] = 1
    return Injected(out, labels, kinds)
