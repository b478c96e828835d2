"""Anomaly scores of deviations and of windows: |z|, principal components, a moving Gaussian.

They are told with the other baselines in `gatewise.evaluation.anomaly_baselines`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError
from .anomaly_inputs import many_series, one_series, root_mean_square

WINDOW = 96
"""Steps of PCA's windows at most."""

COMPONENTS = 10
"""Components that PCA keeps at most."""


@dataclass(frozen=True)
class Deviation:
    """|z|: how many deviations of the training part a value is from its mean; causal.

    Args:
        mean: Per channel, [channels].
        spread: Standard deviation per channel, [channels].

    Example:
        >>> Deviation.fit([-1.0, 1.0, -1.0, 1.0]).score([0.0, 3.0])
        array([0., 3.])
    """

    causal: ClassVar[bool] = True
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, train: Any) -> Deviation:
        """Learn mean and deviation of each channel.

        Args:
            train: One series, [steps] or [steps, channels], or a list of them.

        Raises:
            InputError: There is no observed value.
        """
        steps = np.concatenate(many_series(train))
        seen = ~np.isnan(steps)
        if not seen.any(axis=0).all():
            raise InputError("train has no observed value in a channel; give more of the series")
        mean = np.where(seen, steps, 0).sum(axis=0) / seen.sum(axis=0)
        square = np.where(seen, (steps - mean) ** 2, 0).sum(axis=0) / seen.sum(axis=0)
        return cls(mean, np.where(square > 0, np.sqrt(square), 1.0))

    def normal(self, x: Any) -> np.ndarray:
        """The series in deviations from the mean, [steps, channels]; 0 where missing."""
        z = (one_series(x) - self.mean) / self.spread
        return np.where(np.isnan(z), 0.0, z)

    def score(self, x: Any) -> np.ndarray:
        """Root of the mean square over channels, [steps]."""
        return root_mean_square(self.normal(x))


@dataclass(frozen=True)
class WindowPCA:
    """What the principal components of the training part's windows cannot explain of a window.

    A step gets the mean over all windows that hold it, so that its score knows up to a window
    less one step of what comes after: not causal. First among 40 detectors on the univariate
    part of TSB-AD (Liu & Paparrizos 2024, https://openreview.net/forum?id=R6kJtWsTGy).

    Args:
        deviation: Scales the channels first.
        centre: Mean window, [window * channels].
        components: Rows of unit length, [components, window * channels].

    Example:
        >>> wave = np.sin(np.arange(400) * np.pi / 8)
        >>> model = WindowPCA.fit(wave, window=16, components=2)
        >>> wave[200] += 2
        >>> int(model.score(wave).argmax())
        200
    """

    causal: ClassVar[bool] = False
    deviation: Deviation
    centre: np.ndarray
    components: np.ndarray

    @classmethod
    def fit(cls, train: Any, window: int = WINDOW, components: int = COMPONENTS) -> WindowPCA:
        """Learn the components of all windows of the training part.

        Args:
            train: One series, [steps] or [steps, channels], or a list of them.
            window: Steps; at most a quarter of the longest training series is taken.
            components: Kept; at most half as many as a window has values.
        """
        series, deviation = many_series(train), Deviation.fit(train)
        window = max(2, min(window, max(map(len, series)) // 4))
        cut = [_windows(deviation.normal(s), window) for s in series if len(s) >= window]
        if not cut:
            raise InputError("train has fewer than 2 steps; give more of the series")
        rows = np.concatenate(cut)
        centre = rows.mean(axis=0)
        kept = max(1, min(components, rows.shape[1] // 2, len(rows) - 1))
        # The eigenvectors of the small covariance are the right singular vectors of the rows.
        _, vectors = np.linalg.eigh((rows - centre).T @ (rows - centre))
        return cls(deviation, centre, np.ascontiguousarray(vectors[:, ::-1][:, :kept].T))

    def score(self, x: Any) -> np.ndarray:
        """Mean squared residual of the windows that hold a step, [steps]."""
        z = self.deviation.normal(x)
        window = self.centre.size // z.shape[1]
        if len(z) < window:
            return root_mean_square(z)
        rows = _windows(z, window) - self.centre
        residual = (rows**2).mean(axis=1) - ((rows @ self.components.T) ** 2).sum(
            axis=1
        ) / rows.shape[1]
        return _spread_over(np.maximum(residual, 0), window)


@dataclass(frozen=True)
class WindowedGaussian:
    """How improbable a value is under a normal distribution of the values before it; causal.

    NAB's baseline of that name, with its window and step, which were tuned on NAB (Lavin &
    Ahmad 2015, https://arxiv.org/abs/1510.03336; numenta/NAB). Of several channels the least
    probable counts.

    Args:
        window: Steps that mean and deviation are taken over; fewer at the start of a series.
        step: Steps after which a full window moves on.

    Example:
        >>> WindowedGaussian().score([0.0, 1.0, 0.0, 1.0, 9.0]).round(2)
        array([0.  , 1.  , 0.84, 0.92, 1.  ])
    """

    causal: ClassVar[bool] = True
    window: int = 6400
    step: int = 100

    def score(self, x: Any) -> np.ndarray:
        """One less the tail probability, between 0.5 and 1, [steps]; 0 at the first step."""
        return np.max([self._channel(c) for c in one_series(x).T], axis=0)

    def _channel(self, x: np.ndarray) -> np.ndarray:
        seen = ~np.isnan(x)
        if not seen.any():
            return np.zeros(len(x))
        # A constant taken off changes nothing but keeps the running sums exact.
        moved = np.where(seen, x - x[seen.argmax()], 0.0)
        ends = np.arange(len(x))
        full = ends > self.window
        starts = np.where(full, (ends - self.window) // self.step * self.step, 0)
        ends = np.where(full, starts + self.window, ends)
        known, one, two = (
            sums[ends] - sums[starts]
            for sums in (np.r_[0.0, np.cumsum(v)] for v in (seen, moved, moved**2))
        )
        count = np.maximum(known, 1)
        mean = one / count
        spread = np.sqrt(np.maximum(two / count - mean**2, 0))
        z = np.abs(moved - mean) / np.where(spread > 0, spread, 1e-6)
        score = np.array([1 - 0.5 * math.erfc(v / math.sqrt(2)) for v in z])
        return np.where(seen & (known > 0), score, 0.0)


def _windows(z: np.ndarray, window: int) -> np.ndarray:
    """All windows, flat, [steps - window + 1, window * channels]."""
    view = np.lib.stride_tricks.sliding_window_view(z, window, axis=0)
    return view.reshape(len(view), -1)


def _spread_over(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the windows that hold each step, [windows + window - 1]."""
    steps = len(values) + window - 1
    total = np.r_[0.0, np.cumsum(values)]
    last = np.minimum(np.arange(steps), len(values) - 1) + 1
    first = np.maximum(np.arange(steps) - window + 1, 0)
    return (total[last] - total[first]) / (last - first)
