"""Where a stamp stands in its day, week and year, as smooth features."""

from __future__ import annotations

import numpy as np

HOUR = np.timedelta64(3_600_000_000_000, "ns")
CYCLES: dict[str, float] = {"hour of day": 24.0, "day of week": 168.0, "day of year": 8765.82}
"""Cycle to its length in hours; harmonics of each are features."""

HARMONICS = {"hour of day": 2, "day of week": 3, "day of year": 2}


def cycles_worth_learning(step: np.timedelta64, span: np.timedelta64) -> tuple[str, ...]:
    """Name the cycles that are longer than two steps and were seen at least twice.

    Args:
        step: From one stamp to the next.
        span: From the first stamp of the training part to the last.

    Example:
        >>> day = np.timedelta64(1, "D")
        >>> cycles_worth_learning(day, 100 * day)
        ('day of week',)
    """
    hours, seen = step / HOUR, span / HOUR
    return tuple(c for c, length in CYCLES.items() if 2 * hours <= length and seen >= 2 * length)


def features(stamps: np.ndarray, cycles: tuple[str, ...]) -> np.ndarray:
    """Sines and cosines of each cycle's first harmonics, float32 [steps, features].

    Args:
        stamps: datetime64[ns] [steps], on the wall clock of the series.
        cycles: Names, as `cycles_worth_learning` gave them.

    Example:
        >>> noon = np.array(["2024-01-01T12"], dtype="datetime64[ns]")
        >>> features(noon, ("hour of day",)).round(1) + 0.0
        array([[ 0., -1.,  0.,  1.]], dtype=float32)
    """
    # 1970-01-05 was a Monday, so weeks begin where they do on a calendar.
    hours = (stamps - np.datetime64("1970-01-05", "ns")) / HOUR
    columns = []
    for cycle in cycles:
        for k in range(1, HARMONICS[cycle] + 1):
            angle = 2 * np.pi * k * hours / CYCLES[cycle]
            columns += [np.sin(angle), np.cos(angle)]
    if not columns:
        return np.zeros((len(stamps), 0), np.float32)
    return np.stack(columns, axis=1).astype(np.float32)
