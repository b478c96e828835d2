"""A made-up report, to look at the page without a fit."""

from __future__ import annotations

import numpy as np

from .report import ForecastReport, LearningCurve, Seen, Span, Window


def example_report(series: int = 5, horizon: int = 24) -> ForecastReport:
    """Fill a report with a made-up daily rhythm.

    Args:
        series: How many series it pretends to have seen.
        horizon: Steps ahead.

    Example:
        >>> len(example_report(series=3).spans)
        3
    """
    noise = np.random.default_rng(0)
    quantiles = (0.025, 0.1, 0.5, 0.9, 0.975)
    ahead = np.arange(1, horizon + 1)
    start = np.datetime64("2024-01-01T00", "ns")
    hour = np.timedelta64(1, "h")
    windows = tuple(
        _window(f"station {i}", standing, spread, start, horizon, noise)
        for i, (standing, spread) in enumerate([("best", 0.3), ("median", 0.8), ("worst", 2.0)])
    )
    ours = 0.4 + 0.02 * ahead
    return ForecastReport(
        title="Forecaster of 24 hours, made-up temperatures",
        summary=("MASE 0.65 on held-out windows; seasonal naive 1.19, linear 0.71.",),
        warnings=("At step 1 the naive forecast is better (0.31 against 0.42).",),
        seen=Seen(
            source="made-up.csv",
            series=series,
            points=series * 2000 - 31,
            shortest=1800,
            longest=2000,
            freq="h",
            first="2024-01-01 00:00",
            last="2024-03-24 07:00",
            missing=0.003,
            notes=("Column 'temp' is the target: it was the only number left.",),
        ),
        spans=tuple(
            Span(f"station {i}", start + 40 * i * hour, start + 1760 * hour, start + 2000 * hour)
            for i in range(series)
        ),
        curve=LearningCurve(0.3 + np.exp(-ahead / 5), 0.4 + np.exp(-ahead / 4), best=horizon - 3),
        quantiles=quantiles,
        windows=windows,
        baseline="seasonal naive",
        metric="MASE",
        steps={
            "gatewise": ours,
            "linear": ours * 1.1,
            "seasonal naive": np.full(horizon, 1.19),
            "naive": 0.31 + 0.9 * np.sin(np.pi * ahead / 24),
            "drift": 0.33 + 0.93 * np.sin(np.pi * ahead / 24),
        },
        figures={
            "gatewise": {"MASE": 0.65, "sMAPE": 4.2, "MSIS": 6.1, "coverage 0.95": 0.94},
            "linear": {"MASE": 0.71, "sMAPE": 4.6, "MSIS": float("nan")},
            "seasonal naive": {"MASE": 1.19, "sMAPE": 8.0, "MSIS": 11.3, "coverage 0.95": 0.9},
        },
        coverage=np.array([0.03, 0.12, 0.49, 0.88, 0.97]),
        configuration={"horizon": horizon, "encoder": {"hidden_size": 64}},
        provenance={"gatewise": "0.1.0", "torch": "2.13.0", "seed": 0},
    )


def _window(
    name: str,
    standing: str,
    spread: float,
    start: np.datetime64,
    horizon: int,
    noise: np.random.Generator,
) -> Window:
    steps = np.arange(72 + horizon)
    level = 12 + 6 * np.sin(2 * np.pi * steps / 24)
    values = level + spread * noise.standard_normal(len(steps))
    reach = np.array([-1.96, -1.28, 0.0, 1.28, 1.96]) * (0.5 + spread)
    return Window(
        series=name,
        standing=standing,
        error=spread,
        time=start + steps * np.timedelta64(1, "h"),
        known=values[:72],
        actual=values[72:],
        forecast=level[72:, None] + reach,
        baseline=values[48 : 48 + horizon],
    )
