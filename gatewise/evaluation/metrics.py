"""How far a forecast is from what happened: the measures that papers and competitions report.

Every measure takes `actual` [series, horizon], leaves out its NaN, and answers by `by`: one
number ("all"), one per series ("series", [series]) or one per step ahead ("step", [horizon]).
Measures that are scaled per series (sMAPE, MASE, MSIS) are averaged over steps and then over
series, as in M4; the others pool all observed values. Where nothing is observed, or a scale is
zero, the answer is NaN, and one number over all leaves such series out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..errors import InputError
from .history import right_aligned

By = Literal["all", "series", "step"]


def mae(actual: Any, forecast: Any, by: By = "all") -> Any:
    """Mean absolute error.

    Example:
        >>> mae([[1.0, 2.0, float("nan")]], [[2.0, 4.0, 0.0]])
        1.5
    """
    actual, forecast = _pair(actual, forecast)
    return _pool(np.abs(actual - forecast), by)


def mse(actual: Any, forecast: Any, by: By = "all") -> Any:
    """Mean squared error.

    Example:
        >>> mse([[1.0, 2.0]], [[2.0, 4.0]], by="step")
        array([1., 4.])
    """
    actual, forecast = _pair(actual, forecast)
    return _pool((actual - forecast) ** 2, by)


def rmse(actual: Any, forecast: Any, by: By = "all") -> Any:
    """Root of the mean squared error.

    Example:
        >>> rmse([[0.0, 0.0]], [[3.0, 3.0]])
        3.0
    """
    return _number(np.sqrt(mse(actual, forecast, by)))


def nd(actual: Any, forecast: Any, by: By = "all") -> Any:
    """Normalised deviation: sum of absolute errors over sum of absolute values.

    Salinas et al. 2020, DeepAR, https://arxiv.org/abs/1704.04110.

    Example:
        >>> nd([[1.0, 3.0]], [[2.0, 4.0]])
        0.5
    """
    actual, forecast = _pair(actual, forecast)
    return _ratio(np.abs(actual - forecast), np.abs(actual), by)


def smape(actual: Any, forecast: Any, by: By = "all") -> Any:
    """Symmetric mean absolute percentage error as in M4: 200 |y - f| / (|y| + |f|), 0 to 200.

    Makridakis et al. 2020, The M4 Competition,
    https://doi.org/10.1016/j.ijforecast.2019.04.014. Where both are zero the error is zero.

    Example:
        >>> smape([[1.0, 0.0]], [[3.0, 0.0]])
        50.0
    """
    actual, forecast = _pair(actual, forecast)
    size = np.abs(actual) + np.abs(forecast)
    return _each_series(200 * np.abs(actual - forecast) / np.where(size == 0, 1, size), by)


def seasonal_scale(insample: Any, period: int) -> np.ndarray:
    """Mean absolute error of the seasonal naive forecast within the history, [series].

    NaN where a series is no longer than the period, or repeats itself exactly.

    Args:
        insample: History: [series, steps], a list of [steps] or a `Panel`; NaN is left out.
        period: Steps of a season, 1 for none.

    Example:
        >>> seasonal_scale([[1.0, 2.0, 4.0]], period=1)
        array([1.5])
    """
    history = right_aligned(insample)
    if period < 1:
        raise InputError(f"period is {period}; it is a number of steps, 1 or more")
    if history.shape[1] <= period:
        return np.full(len(history), np.nan)
    scale = _mean(np.abs(history[:, period:] - history[:, :-period]), axis=1)
    return np.where(scale > 0, scale, np.nan)


def mase(actual: Any, forecast: Any, insample: Any, period: int, by: By = "all") -> Any:
    """Mean absolute scaled error: 1 is the seasonal naive forecast's error within the history.

    Hyndman & Koehler 2006, https://doi.org/10.1016/j.ijforecast.2006.03.001; with M4's seasonal
    scale.

    Args:
        actual: [series, horizon].
        forecast: [series, horizon].
        insample: History before it, as in `seasonal_scale`, or what that gave, [series].
        period: Steps of a season; 24 for M4's hourly series.
        by: See the module.

    Example:
        >>> mase([[5.0, 6.0]], [[6.0, 8.0]], [[1.0, 2.0, 4.0]], period=1)
        1.0
    """
    actual, forecast = _pair(actual, forecast)
    scale = _scale(actual, insample, period)
    return _each_series(np.abs(actual - forecast) / scale[:, None], by)


def owa(actual: Any, forecast: Any, insample: Any, period: int, naive2: Any) -> float:
    """Overall weighted average of M4: sMAPE and MASE, each over that of Naive2, averaged.

    Args:
        actual: [series, horizon].
        forecast: [series, horizon].
        insample: History before it, as in `seasonal_scale`.
        period: Steps of a season.
        naive2: Naive2's forecast of the same steps (`baselines.naive2`), [series, horizon].

    Example:
        >>> owa([[5.0, 6.0]], [[5.5, 6.0]], [[1.0, 2.0, 4.0]], 1, naive2=[[5.5, 6.0]])
        1.0
    """
    relative = smape(actual, forecast) / smape(actual, naive2)
    scaled = mase(actual, forecast, insample, period) / mase(actual, naive2, insample, period)
    return float((relative + scaled) / 2)


def msis(
    actual: Any,
    lower: Any,
    upper: Any,
    insample: Any,
    period: int,
    level: float = 0.95,
    by: By = "all",
) -> Any:
    """Mean scaled interval score: the width, plus 2 / (1 - level) times what lies outside.

    Gneiting & Raftery 2007, https://doi.org/10.1198/016214506000001437; scaled as in M4.

    Args:
        actual: [series, horizon].
        lower: Lower ends of the intervals, [series, horizon].
        upper: Upper ends.
        insample: History before it, as in `seasonal_scale`.
        period: Steps of a season.
        level: What the intervals promise to cover.
        by: See the module.

    Example:
        >>> msis([[5.0]], [[4.0]], [[6.0]], [[1.0, 2.0, 4.0]], period=1, level=0.9)
        1.3333333333333333
    """
    actual, lower = _pair(actual, lower)
    actual, upper = _pair(actual, upper)
    outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    score = upper - lower + 2 / (1 - _level(level)) * outside
    return _each_series(score / _scale(actual, insample, period)[:, None], by)


def coverage(actual: Any, lower: Any, upper: Any, by: By = "all") -> Any:
    """Share of observed values within the intervals, ends included.

    Example:
        >>> coverage([[1.0, 5.0]], [[0.0, 0.0]], [[2.0, 2.0]])
        0.5
    """
    actual, lower = _pair(actual, lower)
    actual, upper = _pair(actual, upper)
    inside = ((actual >= lower) & (actual <= upper)).astype(float)
    return _pool(np.where(np.isnan(actual), np.nan, inside), by)


def quantile_loss(actual: Any, quantiles: Any, levels: Sequence[float], by: By = "all") -> Any:
    """Mean pinball loss, averaged over the levels.

    Koenker & Bassett 1978, https://doi.org/10.2307/1913643.

    Args:
        actual: [series, horizon].
        quantiles: Forecast at each level, [series, horizon, levels].
        levels: Between 0 and 1.
        by: See the module.

    Example:
        >>> quantile_loss([[10.0]], [[[8.0]]], [0.9])
        1.8
    """
    return _pool(_pinball(actual, quantiles, levels).mean(axis=2), by)


def weighted_quantile_loss(
    actual: Any, quantiles: Any, levels: Sequence[float], by: By = "all"
) -> Any:
    """Weighted quantile loss: twice the summed pinball loss over the summed absolute values.

    Salinas et al. 2020, DeepAR, https://arxiv.org/abs/1704.04110; averaged over the levels.

    Args:
        actual: [series, horizon].
        quantiles: Forecast at each level, [series, horizon, levels].
        levels: Between 0 and 1.
        by: See the module.

    Example:
        >>> weighted_quantile_loss([[10.0]], [[[8.0]]], [0.9])
        0.36
    """
    loss = 2 * _pinball(actual, quantiles, levels).mean(axis=2)
    return _ratio(loss, np.abs(np.asarray(actual, dtype=float)), by)


def crps(actual: Any, quantiles: Any, levels: Sequence[float], by: By = "all") -> Any:
    """Continuous ranked probability score from quantiles: twice the pinball loss over levels.

    The integral over levels is a sum in which each level stands for all that are nearest to it.
    Laio & Tamea 2007, https://doi.org/10.5194/hess-11-1267-2007.

    Args:
        actual: [series, horizon].
        quantiles: Forecast at each level, [series, horizon, levels].
        levels: Between 0 and 1, rising.
        by: See the module.

    Example:
        >>> crps([[1.0]], [[[0.0, 0.0, 0.0]]], [0.25, 0.5, 0.75])
        1.0
    """
    loss = _pinball(actual, quantiles, levels)
    edges = np.asarray(levels, dtype=float)
    if (np.diff(edges) <= 0).any():
        raise InputError(f"levels are {list(levels)}; they must rise")
    edges = np.concatenate([[0.0], (edges[1:] + edges[:-1]) / 2, [1.0]])
    return _pool(2 * (loss * np.diff(edges)).sum(axis=2), by)


def crps_samples(actual: Any, samples: Any, by: By = "all") -> Any:
    """Continuous ranked probability score of the distribution that samples make up.

    E|X - y| - E|X - X'| / 2; Gneiting & Raftery 2007, https://doi.org/10.1198/016214506000001437.

    Args:
        actual: [series, horizon].
        samples: [series, horizon, samples].
        by: See the module.

    Example:
        >>> crps_samples([[1.0]], [[[0.0, 2.0]]])
        0.5
    """
    actual, samples = _quantile_pair(actual, samples, None)
    count = samples.shape[2]
    ranked = np.sort(samples, axis=2)
    weights = 2 * np.arange(1, count + 1) - count - 1
    spread = (ranked * weights).sum(axis=2) / count**2
    return _pool(np.abs(samples - actual[..., None]).mean(axis=2) - spread, by)


def _pair(actual: Any, forecast: Any) -> tuple[np.ndarray, np.ndarray]:
    actual, forecast = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if actual.ndim != 2 or actual.shape != forecast.shape:
        raise InputError(
            f"actual has shape {actual.shape} and the forecast {forecast.shape}; both are "
            "[series, horizon]"
        )
    return actual, forecast


def _quantile_pair(actual: Any, quantiles: Any, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    actual, quantiles = np.asarray(actual, dtype=float), np.asarray(quantiles, dtype=float)
    fits = quantiles.ndim == 3 and actual.ndim == 2 and quantiles.shape[:2] == actual.shape
    if not fits or count not in (None, quantiles.shape[2]):
        wanted = "samples" if count is None else f"{count} levels"
        raise InputError(
            f"actual has shape {actual.shape} and the forecast {quantiles.shape}; they are "
            f"[series, horizon] and [series, horizon, {wanted}]"
        )
    return actual, quantiles


def _pinball(actual: Any, quantiles: Any, levels: Sequence[float]) -> np.ndarray:
    level = np.array([_level(q) for q in levels])
    actual, quantiles = _quantile_pair(actual, quantiles, len(level))
    error = actual[..., None] - quantiles
    return np.maximum(level * error, (level - 1) * error)


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"level {level} is not between 0 and 1")
    return float(level)


def _scale(actual: np.ndarray, insample: Any, period: int) -> np.ndarray:
    told = isinstance(insample, np.ndarray) and insample.ndim == 1 and insample.dtype != object
    scale = insample if told else seasonal_scale(insample, period)
    if len(scale) != len(actual):
        raise InputError(f"insample has {len(scale)} series and actual has {len(actual)}")
    return scale


def _mean(values: np.ndarray, axis: int | None) -> Any:
    seen = ~np.isnan(values)
    total = np.where(seen, values, 0).sum(axis=axis)
    count = seen.sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _pool(values: np.ndarray, by: By) -> Any:
    return _number(_mean(values, _axis(by)))


def _each_series(values: np.ndarray, by: By) -> Any:
    """Average over steps, then over series; steps of a series without a scale do not count."""
    if by == "all":
        return _number(_mean(_mean(values, 1), None))
    return _pool(values, by)


def _ratio(top: np.ndarray, bottom: np.ndarray, by: By) -> Any:
    seen = ~np.isnan(top)
    axis = _axis(by)
    above = np.where(seen, top, 0).sum(axis=axis)
    below = np.where(seen, bottom, 0).sum(axis=axis)
    return _number(np.where(below > 0, above / np.where(below > 0, below, 1), np.nan))


def _axis(by: By) -> int | None:
    if by not in ("all", "series", "step"):
        raise InputError(f"by is {by!r}; it is 'all', 'series' or 'step'")
    return {"all": None, "series": 1, "step": 0}[by]


def _number(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value
