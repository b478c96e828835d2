"""Series to the units of a network and back: filling, logarithm, and a scale that never peeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Transform = Literal["log", "linear"]

DEEPEST_DIP = 8.0
"""How far below the median, in robust deviations, a logarithm may fall and still be of use."""


@dataclass(frozen=True)
class Scaled:
    """One series in model units.

    Args:
        values: float64 [steps], gaps filled by the season before.
        missing: bool [steps], where `values` were filled.
        scale: float64 [steps + 1]; `scale[e]` is what the first e values say of the size of a
            step's change: the units of a window that ends there. All ones under a logarithm.
        volatility: float64 [steps + 1]; mean change from season to season in the first e values,
            in model units: the same as `scale` without a logarithm.
        center: Subtracted before dividing.
        unit: Divided by.
        transform: "log" when the logarithm was taken first.
    """

    values: np.ndarray
    missing: np.ndarray
    scale: np.ndarray
    volatility: np.ndarray
    center: float
    unit: float
    transform: Transform

    def undo(self, z: np.ndarray) -> np.ndarray:
        """Model units back to the series' own.

        Example:
            >>> y = np.array([10.0, 12.0, 11.0, 13.0, 12.0, 14.0])
            >>> s = scale_series(y, period=2, transform="log")
            >>> bool(np.allclose(s.undo(s.values), y))
            True
        """
        z = np.asarray(z, np.float64) * self.unit + self.center
        # float64 holds exp(700); beyond that a forecast is nonsense and infinity says so worse.
        return np.exp(np.clip(z, -700, 700)) if self.transform == "log" else z


def choose_transform(series: Sequence[np.ndarray]) -> Transform:
    """Take the logarithm of positive series unless it would make outliers of small values.

    Args:
        series: Training parts, float [steps] with NaN where missing.

    Example:
        >>> choose_transform([np.array([100.0, 200.0, 150.0])])
        'log'
        >>> choose_transform([np.array([3.0, 0.0, 4.0])])
        'linear'
    """
    deep = 0
    for y in series:
        y = y[np.isfinite(y)]
        if not len(y):
            continue
        if y.min() <= 0:
            return "linear"
        z = np.log(y)
        spread = 1.4826 * np.median(np.abs(z - np.median(z)))
        deep += bool(spread > 0 and np.median(z) - z.min() > DEEPEST_DIP * spread)
    return "log" if deep <= 0.1 * len(series) else "linear"


def settled_after(period: int) -> int:
    """Steps of a series that set its center and unit; those that follow change neither."""
    return max(3 * period, 8)


def scale_series(
    y: np.ndarray, period: int, transform: Transform, known: int | None = None
) -> Scaled:
    """Fill gaps and bring a series to model units, without looking ahead.

    What happens to a value depends on the values before it and on those that settle center and
    unit only, so a stream that goes on from there sees what a second look at everything would.

    Args:
        y: float [steps], NaN where missing, at least one value.
        period: Season in steps, 1 for none.
        transform: "log" for positive series.
        known: Steps that center and unit may be taken from, where not all may be seen.
    """
    y = np.asarray(y, np.float64)
    missing = ~np.isfinite(y)
    if transform == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.log(y)
        missing |= ~np.isfinite(y)
    z = fill(y, missing, period)
    start = settled_after(period) if known is None else min(settled_after(period), known)
    center = float(z[:start].mean())
    typical = typical_change(z[:start], missing[:start], period)
    volatility = expanding_scale((z - center) / typical, missing, period)
    if transform == "log":
        ones = np.ones(len(z) + 1)
        return Scaled(z - center, missing, ones, volatility * typical, center, 1.0, transform)
    return Scaled(
        (z - center) / typical, missing, volatility, volatility, center, typical, transform
    )


def fill(y: np.ndarray, missing: np.ndarray, period: int) -> np.ndarray:
    """Give a missing step the value of the season before; within the first season, a neighbour's.

    Example:
        >>> y = np.array([1.0, 2.0, np.nan, np.nan, 5.0])
        >>> fill(y, np.isnan(y), period=2)
        array([1., 2., 1., 2., 5.])
    """
    if not missing.any():
        return y.copy()
    first = y[:period].copy()
    known = np.flatnonzero(~missing[:period])
    if len(known):
        nearest = np.abs(np.arange(len(first))[:, None] - known[None]).argmin(1)
        first = first[known[nearest]]
    else:
        later = np.flatnonzero(~missing)
        first[:] = y[later[0]] if len(later) else 0.0
    rows = -(-len(y) // period)
    table = np.full(rows * period, np.nan)
    table[: len(y)] = np.where(missing, np.nan, y)
    table[: len(first)] = first
    table = table.reshape(rows, period)
    row = np.where(np.isfinite(table), np.arange(rows)[:, None], 0)
    return table[np.maximum.accumulate(row, axis=0), np.arange(period)].reshape(-1)[: len(y)]


def typical_change(z: np.ndarray, missing: np.ndarray, period: int) -> float:
    """Mean change from season to season, or what comes next best for a short or flat series."""
    for lag in (period, 1):
        if len(z) > lag:
            seen = ~(missing[lag:] | missing[:-lag])
            change = np.abs(z[lag:] - z[:-lag])[seen]
            if len(change) and change.mean() > 0:
                return float(change.mean())
    spread = float(np.std(z))
    return spread or float(np.abs(z).mean()) or 1.0


def expanding_scale(z: np.ndarray, missing: np.ndarray, period: int) -> np.ndarray:
    """Mean change from season to season in the values so far, float64 [steps + 1].

    One season's worth of the opening scale, 1 in these units, steadies the first estimates.
    """
    change = np.zeros(len(z))
    counted = np.zeros(len(z))
    if len(z) > period:
        seen = ~(missing[period:] | missing[:-period])
        change[period:] = np.where(seen, np.abs(z[period:] - z[:-period]), 0.0)
        counted[period:] = seen
    total = np.concatenate([[0.0], np.cumsum(change)]) + period
    return np.maximum(total / (np.concatenate([[0.0], np.cumsum(counted)]) + period), 1e-6)
