"""ETTh1, 24 hours ahead, all seven channels, by the protocol of Informer's tables.

The first 12, 4 and 4 months of 30 days are train, validation and test; errors are of values
standardised on the training part; every hour of the test part is an origin. Zhou et al. 2021,
https://arxiv.org/abs/2012.07436.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import numpy as np

from gatewise import Forecaster, Trainer
from gatewise.data.series.panel import Panel
from gatewise.datasets import etth1
from gatewise.evaluation import Linear
from gatewise.tasks.backtesting import ask

from .harness import Benchmark, Options, Result, over_seeds

HORIZON = 24
MONTH = 30 * 24
TRAIN, VALID, TEST = 12 * MONTH, 16 * MONTH, 20 * MONTH
LINEAR_CONTEXT = 336


def measure(options: Options) -> Result:
    """Fit on 12 months of ETTh1, stop by the next 4, and forecast from every hour of the last 4."""
    panel = load(options.folder("etth1"))
    spread = np.array([v[:TRAIN].std() for v in panel.values])
    origins = np.arange(VALID, TEST - HORIZON + 1)
    series, ends = np.repeat(np.arange(len(panel)), len(origins)), np.tile(origins, len(panel))
    came = np.stack([panel.values[i][e : e + HORIZON] for i, e in zip(series, ends, strict=True)])

    def errors(point: np.ndarray) -> dict[str, float]:
        miss = (point - came) / spread[series][:, None]
        return {"mse": float(np.mean(miss**2)), "mae": float(np.mean(np.abs(miss)))}

    def run(seed: int) -> dict[str, float]:
        started = time.perf_counter()
        # Once judged, the protocol's validation months may not be learned from: finish=0.
        model = Forecaster(
            HORIZON, point="mean", holdout=VALID - TRAIN, trainer=Trainer(seed=seed, finish=0.0)
        ).fit(panel.until(TEST - VALID))
        data = cast("Any", model.data_)
        tracks = data.scale(panel).tracks
        answer = ask(model.network_, cast("Any", model.task_.decode), tracks, series, ends)
        point, _ = data.plain(tracks.series, series, [answer])
        return {**errors(point), "seconds": time.perf_counter() - started}

    result = over_seeds(options.seeds, run)
    for name, point in baselines(panel, series, ends).items():
        scores = errors(point)
        result.rows.append({"seed": name, **scores})
        result.figures |= {f"{name}_{metric}": value for metric, value in scores.items()}
    return result


def load(folder: Path) -> Panel:
    """The 20 months that the protocol uses."""
    panel = etth1(folder.parent)
    return panel.until(len(panel.values[0]) - TEST)


def baselines(panel: Panel, series: np.ndarray, ends: np.ndarray) -> dict[str, np.ndarray]:
    """The day before repeated, and a linear model fitted on the training part."""
    day = np.stack([panel.values[i][e - HORIZON : e] for i, e in zip(series, ends, strict=True)])
    train = [v[:TRAIN] for v in panel.values]
    model = Linear.fit(train, HORIZON, LINEAR_CONTEXT, HORIZON)
    known = [panel.values[i][e - LINEAR_CONTEXT : e] for i, e in zip(series, ends, strict=True)]
    return {"seasonal_naive": day, "linear": model.predict(known).point}


def gate(result: Result) -> str | None:
    """A day repeated has the error that this protocol gives it, to the third digit."""
    found = result.figures["seasonal_naive_mse"]
    return None if abs(found - SEASONAL_NAIVE) < 5e-4 else f"seasonal naive has MSE {found:.4f}"


SEASONAL_NAIVE = 0.424
"""The same hours of the day before, as anybody computes it from the public file (docs/log.md)."""


if __name__ == "__main__":
    raise SystemExit(Benchmark("etth1", measure, gate, (0, 1, 2)).main())
