"""A linear model over windows: the baseline that many networks do not beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .baselines import Forecast, sorted_quantiles
from .history import right_aligned

_STRENGTHS = (1e-4, 1e-2, 1e0, 1e2)


@dataclass(frozen=True)
class Linear:
    """One ridge regression for all series, from a window to all steps ahead.

    The window's mean is taken off and its seasonal change divided out, so that one set of weights
    serves every series, and none weighs more for being hard to forecast. In the spirit of DLinear
    and NLinear (Zeng et al. 2023, https://arxiv.org/abs/2205.13504), in the closed form that both
    have (Toner & Darlow 2024, https://arxiv.org/abs/2403.14587).

    Args:
        weights: [context + 1, horizon]; the last row is the constant.
        errors: Errors on held-out windows over the windows' scale, [windows, horizon].
        period: Steps of a season.

    Example:
        >>> wave = np.sin(np.arange(200) * np.pi / 6)
        >>> model = Linear.fit([wave[:188]], horizon=12, context=24)
        >>> bool(np.abs(model.predict([wave[:188]]).point - wave[188:]).max() < 0.01)
        True
    """

    weights: np.ndarray
    errors: np.ndarray
    period: int

    @classmethod
    def fit(
        cls,
        series: Any,
        horizon: int,
        context: int,
        period: int = 1,
        max_windows: int = 20_000,
        seed: int = 0,
    ) -> Linear:
        """Fit on windows of all series; the ridge is chosen on the last fifth of the windows.

        Windows at the end of each series are held out for that, and none that is fitted on
        reaches into their targets; the weights are then fitted again on all.

        Args:
            series: History: a `Panel`, [series, steps] or a list of [steps], NaN where missing.
            horizon: Steps ahead.
            context: Steps of a window.
            period: Steps of a season, 1 for none.
            max_windows: More windows than this are sampled.
            seed: Of the sample.

        Raises:
            InputError: No series is long enough for a window and its target, or all have gaps.
        """
        history = right_aligned(series)
        series_at, ends = _windows(history, horizon, context, max_windows, seed)
        if not len(ends):
            longest = int((~np.isnan(history)).sum(axis=1).max(initial=0))
            raise InputError(
                f"context {context} and horizon {horizon} need {context + horizon} steps and the "
                f"longest series has {longest}; make one of them shorter"
            )
        before = _cut(history, series_at, ends - context, context)
        inputs, level, scale = _normalised(before, period)
        targets = (_cut(history, series_at, ends, horizon) - level) / scale
        whole = ~np.isnan(targets).any(axis=1)
        if not whole.any():
            raise InputError(
                f"no {horizon} steps in a row are without a gap: a linear forecast has nothing to "
                "be fitted on; fill the gaps or take a shorter horizon"
            )
        inputs, targets, ends = inputs[whole], targets[whole], ends[whole]
        border = np.quantile(ends, 0.8)
        late, early = ends > border, ends + horizon <= border
        if not late.any() or early.sum() < 2:
            weights = _Ridge(inputs, targets).weights(1.0)
            return cls(weights, targets - inputs @ weights, period)
        first = _Ridge(inputs[early], targets[early])
        errors = {s: targets[late] - inputs[late] @ first.weights(s) for s in _STRENGTHS}
        strength = min(errors, key=lambda s: float(np.abs(errors[s]).mean()))
        return cls(_Ridge(inputs, targets).weights(strength), errors[strength], period)

    def predict(self, series: Any, levels: Sequence[float] = ()) -> Forecast:
        """Forecast the steps after the end of each series.

        Args:
            series: History, as in `fit`; a series shorter than the window is preceded by its mean.
            levels: Quantiles to give, from the errors on held-out windows.
        """
        context = len(self.weights) - 1
        history = right_aligned(series)
        lead = max(context - history.shape[1], 0)
        history = np.pad(history, ((0, 0), (lead, 0)), constant_values=np.nan)
        inputs, level, scale = _normalised(history[:, history.shape[1] - context :], self.period)
        point = inputs @ self.weights * scale + level
        spread = sorted_quantiles(self.errors.T, levels)
        return Forecast(point, point[..., None] + spread * scale[..., None])


def _windows(
    history: np.ndarray, horizon: int, context: int, most: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose windows that lie within their series: series and first target step, [windows]."""
    seen = ~np.isnan(history)
    starts = np.where(seen.any(axis=1), seen.argmax(axis=1), history.shape[1])
    ends = np.arange(context, history.shape[1] - horizon + 1)
    at, place = np.nonzero(ends[None, :] - context >= starts[:, None])
    if len(at) > most:
        pick = np.random.default_rng(seed).choice(len(at), most, replace=False)
        at, place = at[pick], place[pick]
    return at, ends[place] if len(ends) else place


def _cut(history: np.ndarray, series: np.ndarray, first: np.ndarray, steps: int) -> np.ndarray:
    return history[series[:, None], first[:, None] + np.arange(steps)]


def _normalised(windows: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take level and scale off; a missing step counts as the mean. Adds a column of ones.

    The scale is the mean change from season to season. A tenth of the deviation keeps it from
    vanishing in windows that repeat themselves.
    """
    seen = ~np.isnan(windows)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    level = np.where(seen, windows, 0).sum(axis=1, keepdims=True) / count
    apart = np.where(seen, windows - level, 0)
    scale = 0.1 * np.abs(apart).sum(axis=1, keepdims=True) / count
    if windows.shape[1] > period:
        change = np.abs(windows[:, period:] - windows[:, :-period])
        both = np.maximum((~np.isnan(change)).sum(axis=1, keepdims=True), 1)
        scale = scale + np.where(np.isnan(change), 0, change).sum(axis=1, keepdims=True) / both
    scale = np.where(scale > 1e-12 * np.maximum(np.abs(level), 1), scale, 1)
    return np.hstack([apart / scale, np.ones((len(windows), 1))]), level, scale


class _Ridge:
    """Least squares with a penalty per window on all weights but the constant's."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        self._gram = inputs.T @ inputs / len(inputs)
        self._right = inputs.T @ targets / len(inputs)

    def weights(self, strength: float) -> np.ndarray:
        """Solve for one strength of the penalty, above 0, so that all weights are determined."""
        penalty = np.full(len(self._gram), strength)
        penalty[-1] = 0
        return np.linalg.solve(self._gram + np.diag(penalty), self._right)
