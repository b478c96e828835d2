"""The forecasts that a sceptic asks for first: naive, seasonal naive, drift, mean and Naive2.

Each takes a history (a `Panel`, [series, steps] with NaN where missing, or a list of [steps]) and
gives a `Forecast`. Quantiles are the point plus quantiles of the errors that the same method
makes so many steps ahead within the history: no error model, and wider with the horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .history import right_aligned


class Forecast(NamedTuple):
    """A forecast of every series.

    Args:
        point: [series, horizon].
        quantiles: [series, horizon, levels]; no level, no quantiles.

    Example:
        >>> naive([[1.0, 2.0, 3.0]], horizon=2, levels=[0.1, 0.9]).quantiles.shape
        (1, 2, 2)
    """

    point: np.ndarray
    quantiles: np.ndarray


def naive(series: Any, horizon: int, levels: Sequence[float] = ()) -> Forecast:
    """Repeat the last observed value.

    Example:
        >>> naive([[1.0, 2.0, 3.0]], horizon=2).point
        array([[3., 3.]])
    """
    history = _history(series, horizon)
    point = np.repeat(_last(history)[:, None], horizon, axis=1)
    filled = _carry(history)
    return _with_quantiles(point, levels, lambda h: history[:, h:] - filled[:, :-h])


def seasonal_naive(
    series: Any, horizon: int, period: int, levels: Sequence[float] = ()
) -> Forecast:
    """Repeat the last season; where a step of it was never observed, the last value.

    Example:
        >>> seasonal_naive([[1.0, 2.0, 3.0, 4.0]], horizon=3, period=2).point
        array([[3., 4., 3.]])
    """
    history = _history(series, horizon)
    if period < 1:
        raise InputError(f"period is {period}; it is a number of steps, 1 or more")
    season = _last_season(history, period)
    point = season[:, np.arange(horizon) % period]

    def errors(h: int) -> np.ndarray:
        lag = -(-h // period) * period
        return history[:, lag:] - history[:, :-lag]

    return _with_quantiles(point, levels, errors)


def drift(series: Any, horizon: int, levels: Sequence[float] = ()) -> Forecast:
    """Carry on along the line from the first to the last observed value.

    Example:
        >>> drift([[1.0, 2.0, 5.0]], horizon=2).point
        array([[7., 9.]])
    """
    history = _history(series, horizon)
    first, start = _first(history)
    steps = np.arange(history.shape[1])
    filled = _carry(history)
    place = _carry(np.where(np.isnan(history), np.nan, steps))
    run = place - start[:, None]
    slope = np.where(run > 0, (filled - first[:, None]) / np.maximum(run, 1), 0)
    # The last value may be some steps old.
    age = steps - place
    ahead = np.arange(1, horizon + 1) + age[:, -1:]
    point = filled[:, -1:] + slope[:, -1:] * ahead

    def errors(h: int) -> np.ndarray:
        return history[:, h:] - (filled + slope * (h + age))[:, :-h]

    return _with_quantiles(point, levels, errors)


def mean(series: Any, horizon: int, levels: Sequence[float] = ()) -> Forecast:
    """Forecast the mean of the history.

    Example:
        >>> mean([[1.0, 2.0, 3.0]], horizon=2).point
        array([[2., 2.]])
    """
    history = _history(series, horizon)
    seen = ~np.isnan(history)
    total, count = np.where(seen, history, 0).cumsum(axis=1), seen.cumsum(axis=1)
    running = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    point = np.repeat(running[:, -1:], horizon, axis=1)
    return _with_quantiles(point, levels, lambda h: history[:, h:] - running[:, :-h])


def naive2(series: Any, horizon: int, period: int, levels: Sequence[float] = ()) -> Forecast:
    """M4's Naive2: repeat the last seasonally adjusted value, and put the season back on.

    The season is a classical multiplicative decomposition where M4's test finds one (90 %,
    autocorrelation at the period), and none otherwise. Where values are not all positive the
    season is added and not multiplied. Makridakis et al. 2020, The M4 Competition,
    https://doi.org/10.1016/j.ijforecast.2019.04.014; code: Mcompetitions/M4-methods.

    Example:
        >>> wave = [1.0, 2.0, 3.0, 2.0] * 6
        >>> naive2([wave], horizon=4, period=4).point.round(6)
        array([[1., 2., 3., 2.]])
    """
    history = _history(series, horizon)
    adjusted = history.copy()
    index, times = np.zeros((len(history), horizon)), np.zeros(len(history), bool)
    factor = np.zeros_like(history)
    for i, row in enumerate(history):
        start = int(np.argmax(~np.isnan(row)))
        own = _interpolated(row[start:])
        times[i] = own.min() > 0
        pattern = _season(own, period, times[i]) if _is_seasonal(own, period) else None
        if pattern is None:
            factor[i] = index[i] = 1.0 if times[i] else 0.0
            continue
        phase = (np.arange(history.shape[1] + horizon) - start) % period
        factor[i], index[i] = np.split(pattern[phase], [history.shape[1]])
    adjusted = np.where(
        times[:, None], history / np.where(times[:, None], factor, 1), history - factor
    )
    last = _last(adjusted)[:, None]
    point = np.where(times[:, None], last * index, last + index)
    filled = _carry(adjusted)

    def errors(h: int) -> np.ndarray:
        carried, season = filled[:, :-h], factor[:, h:]
        back = np.where(times[:, None], carried * season, carried + season)
        return history[:, h:] - back

    return _with_quantiles(point, levels, errors)


def _history(series: Any, horizon: int) -> np.ndarray:
    if horizon < 1:
        raise InputError(f"horizon is {horizon}; forecast at least one step")
    history = right_aligned(series)
    empty = np.flatnonzero(np.isnan(history).all(axis=1))
    if len(empty):
        raise InputError(f"series {int(empty[0])} has no observed value; leave it out")
    return history


def _with_quantiles(
    point: np.ndarray, levels: Sequence[float], errors: Callable[[int], np.ndarray]
) -> Forecast:
    quantiles = np.empty((*point.shape, len(levels)))
    for step in range(point.shape[1] if len(levels) else 0):
        quantiles[:, step] = point[:, step, None] + sorted_quantiles(errors(step + 1), levels)
    return Forecast(point, quantiles)


def sorted_quantiles(errors: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles of each row without its NaN, [series, levels]; zero where there is no error."""
    if not errors.shape[1]:
        return np.zeros((len(errors), len(levels)))
    ranked = np.sort(errors, axis=1)
    count = (~np.isnan(errors)).sum(axis=1)[:, None]
    place = np.asarray(levels) * np.maximum(count - 1, 0)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = np.take_along_axis(ranked, low, axis=1)
    above = np.take_along_axis(ranked, high, axis=1)
    return np.where(count > 0, below + (above - below) * (place - low), 0.0)


def _carry(values: np.ndarray) -> np.ndarray:
    """Fill each NaN with the value before it."""
    place = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    np.maximum.accumulate(place, axis=1, out=place)
    return np.take_along_axis(values, place, axis=1)


def _last(values: np.ndarray) -> np.ndarray:
    return _carry(values)[:, -1]


def _first(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start = np.argmax(~np.isnan(values), axis=1)
    return values[np.arange(len(values)), start], start


def _last_season(history: np.ndarray, period: int) -> np.ndarray:
    """The last observed value of each step of the season to come, [series, period]."""
    lead = -history.shape[1] % period
    padded = np.pad(history, ((0, 0), (lead, 0)), constant_values=np.nan)
    seasons = padded.reshape(len(history), -1, period)
    last = _carry(seasons.transpose(0, 2, 1).reshape(-1, seasons.shape[1]))[:, -1]
    last = last.reshape(len(history), period)
    return np.where(np.isnan(last), _last(history)[:, None], last)


def _interpolated(values: np.ndarray) -> np.ndarray:
    seen = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), seen, values[seen])


def _is_seasonal(values: np.ndarray, period: int) -> bool:
    """M4's test: the autocorrelation at the period exceeds its 90 % limit (Bartlett)."""
    if period < 2 or len(values) < 3 * period or np.ptp(values) == 0:
        return False
    centred = values - values.mean()
    lags = [centred[lag:] @ centred[: len(centred) - lag] for lag in range(1, period + 1)]
    correlation = np.array(lags) / (centred @ centred)
    limit = 1.645 / np.sqrt(len(values)) * np.sqrt(1 + 2 * np.sum(correlation[:-1] ** 2))
    return bool(abs(correlation[-1]) > limit)


def _season(values: np.ndarray, period: int, times: bool) -> np.ndarray:
    """Seasonal figure of a classical decomposition by centred moving averages, [period]."""
    weights = np.ones(period) / period
    if period % 2 == 0:
        weights = np.concatenate([[0.5], np.ones(period - 1), [0.5]]) / period
    half = len(weights) // 2
    trend = np.convolve(values, weights, mode="valid")
    inner = values[half : len(values) - half]
    ratio = inner / trend if times else inner - trend
    phase = (np.arange(len(inner)) + half) % period
    figure = np.bincount(phase, ratio, period) / np.bincount(phase, minlength=period)
    return figure / figure.mean() if times else figure - figure.mean()
