"""M4-Hourly by the Forecaster's own choices: official train and test parts, official metrics."""

from __future__ import annotations

import argparse
import time

from gatewise import Forecaster, Trainer
from gatewise.data.series.columns_spec import Columns

from . import m4
from .harness import Benchmark, Options, Result, over_seeds

OUTER = (0.025, 0.975)


def measure(options: Options) -> Result:
    """Fit one network per seed on M4-Hourly and forecast its official test part.

    Nothing is set but what a user knows: the horizon, and that the series are hourly. With
    `--ensemble N`, networks of N seeds are averaged, and that counts as one run.
    """
    split = m4.load(options.folder("m4_hourly"))
    if options.own.holdout:
        split = split.holdout()
    naive = m4.baseline_points(split)

    def run(seed: int) -> dict[str, float]:
        started = time.perf_counter()
        model = Forecaster(
            m4.HORIZON,
            ensemble=options.own.ensemble,
            columns=Columns(freq="h"),
            trainer=Trainer(seed=seed),
        ).fit(split.train)
        answer = model.predict(split.train)
        seconds = time.perf_counter() - started
        low, high = (1 + list(model.quantiles).index(level) for level in OUTER)
        scores = m4.score(
            split, answer[..., 0], answer[..., low], answer[..., high], naive2=naive["naive2"]
        )
        return {**scores, "seconds": seconds}

    result = over_seeds(options.seeds, run)
    for name, point in naive.items():
        scores = m4.score(split, point, naive2=naive["naive2"])
        result.rows.append({"seed": name, **scores})
        if not options.own.holdout:
            result.figures |= {f"{name}_{metric}": value for metric, value in scores.items()}
    if options.own.holdout:
        result.notes.append("scored on the end of the training part, not on the official test")
    return result


def gate(result: Result) -> str | None:
    """Seasonal naive on the official test has to come out as the organisers published it."""
    for metric, published in m4.SEASONAL_NAIVE.items():
        found = result.figures.get(f"seasonal_naive_{metric}", published)
        if abs(found - published) > 0.001:
            return f"seasonal naive has {metric} {found:.4f}, and was published with {published}"
    return None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument("--ensemble", type=int, default=1, help="networks averaged in each run")
    parser.add_argument(
        "--holdout",
        action="store_true",
        help="score on the last 48 hours of the training part, where settings may be chosen",
    )


if __name__ == "__main__":
    raise SystemExit(Benchmark("m4_hourly", measure, gate, (0, 1, 2), arguments).main())
