"""M4-Hourly: the official train and test parts, and the official metrics.

Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition: 100,000 time series and 61
forecasting methods", https://doi.org/10.1016/j.ijforecast.2019.04.014.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatewise.evaluation import baselines, metrics

HORIZON = 48
SEASON = 24
SEASONAL_NAIVE = {"smape": 13.912, "mase": 1.193}
"""As the organisers published it; whoever computes these gets these."""


@dataclass(frozen=True)
class Split:
    """Series to learn from, and what came after each.

    Attributes:
        train: One array each.
        test: Of series and steps.
    """

    train: list[np.ndarray]
    test: np.ndarray

    def holdout(self) -> Split:
        """The last steps of the training part as the test: where settings may be chosen."""
        steps = self.test.shape[1]
        return Split([y[:-steps] for y in self.train], np.stack([y[-steps:] for y in self.train]))

    def every(self, nth: int) -> Split:
        """A smaller set, for a quick try."""
        return Split(self.train[::nth], self.test[::nth])


def load(folder: Path) -> Split:
    """Read the two official files."""
    return Split(
        train=_rows(folder / "Hourly-train.csv"), test=np.stack(_rows(folder / "Hourly-test.csv"))
    )


def baseline_points(split: Split) -> dict[str, np.ndarray]:
    """The forecasts of seasonal naive and of Naive2, by name."""
    horizon = split.test.shape[1]
    return {
        "seasonal_naive": baselines.seasonal_naive(split.train, horizon, SEASON).point,
        "naive2": baselines.naive2(split.train, horizon, SEASON).point,
    }


def score(
    split: Split,
    point: np.ndarray,
    lower: np.ndarray | None = None,
    upper: np.ndarray | None = None,
    *,
    naive2: np.ndarray,
) -> dict[str, float]:
    """Judge a forecast as M4 does.

    Args:
        split: Its test is what happened, its training part gives the scale.
        point: Of series and steps.
        lower: The 2.5 % quantile; with `upper` it gives MSIS and coverage too.
        upper: The 97.5 % quantile.
        naive2: The forecast of Naive2, which OWA is relative to.

    Raises:
        ValueError: A value is not finite; the metrics would leave it out.
    """
    given = [a for a in (point, lower, upper) if a is not None]
    if not all(np.isfinite(a).all() for a in given):
        raise ValueError("the forecast holds values that are not finite")
    scores = {
        "mase": metrics.mase(split.test, point, split.train, SEASON),
        "smape": metrics.smape(split.test, point),
        "owa": metrics.owa(split.test, point, split.train, SEASON, naive2),
    }
    if lower is not None and upper is not None:
        scores["msis"] = metrics.msis(split.test, lower, upper, split.train, SEASON)
        scores["coverage"] = metrics.coverage(split.test, lower, upper)
    return scores


def write(path: Path, series: Sequence[np.ndarray]) -> None:
    """Write series as M4 does: one a row, its name first."""
    longest = max(len(y) for y in series)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([f"V{i}" for i in range(1, longest + 2)])
        for number, y in enumerate(series, 1):
            rows.writerow([f"H{number}", *map(repr, y.tolist()), *[""] * (longest - len(y))])


def _rows(path: Path) -> list[np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [np.array([float(v) for v in row[1:] if v]) for row in rows]
