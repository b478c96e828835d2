"""What repeats in a set of series, and how long a step of the network should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SERIES = 200
"""Series looked at: more change no choice and cost time."""

LONGEST_PATCH = 96
"""Longest patch in steps: beyond it a patch hides more than a step of the network can say."""

DIP = 0.97
"""How much better than its neighbours a multiple of a season has to repeat to be one itself."""


@dataclass(frozen=True)
class Rhythm:
    """The clockwork of a set of series, in steps.

    Args:
        period: The shortest season that helps, 1 for none: the day of an hourly load.
        cycle: The season above it, a multiple of `period`, or `period` itself: the week.
        patch: Steps that the network reads at once, a divisor of `period`.
        lookback: Steps that each patch is seen together with, at least a cycle.

    Example:
        >>> hours = np.arange(24 * 7 * 8)
        >>> load = np.sin(hours * 2 * np.pi / 24) + 0.5 * ((hours // 24) % 7 > 4)
        >>> find_rhythm([load], candidates=(24, 168), horizon=24)
        Rhythm(period=24, cycle=168, patch=24, lookback=168)
    """

    period: int
    cycle: int
    patch: int
    lookback: int

    def state(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def find_rhythm(
    series: Sequence[np.ndarray],
    candidates: Sequence[int] | None,
    horizon: int,
) -> Rhythm:
    """Choose seasons and patch from the training part of the series.

    A candidate stays when repeating the value of one season ago errs less than repeating the
    last value does over the same horizon. Without candidates (no stamps) they are the peaks
    of the mean autocorrelation.

    Args:
        series: Training parts, float [steps] with NaN where missing.
        candidates: Seasons that the frequency suggests, in steps; None to look for them.
        horizon: Steps to be forecast.
    """
    shown = [np.asarray(s, float) for s in _spread(series)]
    length = int(np.median([len(s) for s in shown]))
    if candidates is None:
        candidates = _autocorrelation_peaks(shown, longest=length // 3)
    usable = sorted({int(m) for m in candidates if 2 <= m <= length // 3})
    errors = {m: _seasonal_error(shown, m, horizon) for m in [1, *usable]}
    period = next((m for m in usable if errors[m] < 0.95 * errors[1]), 1)
    # The longer season has to stand on its own: it may cost accuracy on the last few values,
    # which the network mends, but not when the series is too short to have seen it repeat.
    above = [m for m in usable if m > period > 1 and m % period == 0 and m <= length // 3]
    cycle = next((m for m in above if errors[m] < 1.3 * errors[period]), period)
    patch = _patch(period, length)
    wanted = max(cycle, _round_up(min(max(2 * period, 2 * patch, horizon), length // 3), patch))
    return Rhythm(period, cycle, patch, _round_up(max(wanted, patch), patch))


def _spread(series: Sequence[np.ndarray]) -> list[np.ndarray]:
    step = max(1, len(series) // MOST_SERIES)
    return list(series[::step])


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _patch(period: int, length: int) -> int:
    """The longest divisor of the season that leaves the median series a dozen patches."""
    most = max(1, min(LONGEST_PATCH, length // 12))
    return max(d for d in range(1, min(period, most) + 1) if period % d == 0)


def _seasonal_error(series: Sequence[np.ndarray], season: int, horizon: int) -> float:
    """Mean error of repeating the last season over the horizon, relative to each series."""
    errors = []
    for y in series:
        if len(y) < 2 * season + 1:
            continue
        # The k-th step ahead repeats the value season * ceil(k / season) before it.
        lags = sorted({season * -(-k // season) for k in range(1, horizon + 1)})
        parts = [np.abs(y[lag:] - y[:-lag]) for lag in lags[:: max(1, len(lags) // 8)]]
        parts = [p[np.isfinite(p)] for p in parts if len(p)]
        spread = np.nanstd(y)
        if parts and spread > 0 and all(len(p) for p in parts):
            errors.append(np.mean([p.mean() for p in parts]) / spread)
    return float(np.mean(errors)) if errors else float("inf")


def _autocorrelation_peaks(series: Sequence[np.ndarray], longest: int) -> list[int]:
    """Lags at which the mean autocorrelation of the differences peaks, the strongest first."""
    if longest < 4:
        return []
    total = np.zeros(longest + 2)
    for y in series:
        d = np.diff(np.where(np.isfinite(y), y, np.nanmean(y)))
        d = d - d.mean()
        size = 1 << (2 * len(d) - 1).bit_length()
        power = np.abs(np.fft.rfft(d, size)) ** 2
        acf = np.fft.irfft(power, size)[: len(total)]
        if len(acf) == len(total) and acf[0] > 0:
            total += acf / acf[0]
    total /= max(1, len(series))
    inner = np.arange(2, longest + 1)
    peaks = inner[
        (total[inner] > total[inner - 1])
        & (total[inner] >= total[inner + 1])
        & (total[inner] > 2 / np.sqrt(max(longest, 1)))
        & (total[inner] > 0.1)
    ]
    if not len(peaks):
        return []
    first = int(peaks[np.argmax(total[peaks] >= 0.8 * total[peaks].max())])
    return [first, *_season_above(series, first, longest)]


def _season_above(series: Sequence[np.ndarray], season: int, longest: int) -> list[int]:
    """The multiple of a season after which series repeat better than a season sooner or later."""
    most = min(longest // season, 13)
    errors = {k: _seasonal_error(series, k * season, season) for k in range(1, most + 1)}
    dips = {
        k: errors[k] / min(errors[k - 1], errors[k + 1])
        for k in range(3, most)
        if errors[k] < DIP * min(errors[k - 1], errors[k + 1])
    }
    return [season * min(dips, key=lambda k: dips[k])] if dips else []
