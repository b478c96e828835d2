"""Our forecaster beside those of other libraries: same series, same cores, same run.

Every library runs in a process and an environment of its own, by the protocol of
`benchmarks/peers/protocol.py`; ours does too. Ours is run again before every peer, with the next
seed, so that a busy hour of the machine falls on all. The forecasts come back as arrays and are
judged here, all by the same metrics.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import m4
from .harness import Benchmark, Options, Result, positive, spread
from .peers import environments
from .peers.runs import Order, Outcome, RunFailed, start

OURS = "gatewise_forecaster"
PEERS = {
    "neuralforecast_lstm": "neuralforecast",
    "neuralforecast_deepar": "neuralforecast",
    "darts_block_rnn": "darts",
    "gluonts_deepar": "gluonts",
}
"""Runner in `benchmarks/peers/`, and the environment it needs."""

MODES = ("default", "tuned")
PEER_SEED = 1


@dataclass(frozen=True)
class Run:
    """One fit and predict of one library, and how good the forecast is.

    Attributes:
        failure: Why there is no outcome; empty where there is one.
    """

    model: str
    mode: str
    seed: int
    outcome: Outcome | None
    scores: dict[str, float]
    failure: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is a run of our own forecaster."""
        return self.model == OURS

    @property
    def counts(self) -> bool:
        """Whether its scores are that library's: it was neither stopped nor broken."""
        return self.outcome is not None and self.outcome.stopped is None

    @property
    def seconds(self) -> float:
        """Fit and predict together; a lower bound where it was stopped."""
        if self.outcome is None:
            return float("nan")
        return self.outcome.fit_seconds + self.outcome.predict_seconds

    def row(self) -> dict[str, object]:
        """Its line of the table; what a stopped run scores has a column of its own."""
        named = {"model": self.model, "mode": self.mode, "seed": self.seed}
        if self.outcome is None:
            return {**named, "run": f"failed: {self.failure}"}
        took = {
            "seconds": self.seconds,
            "fit": self.outcome.fit_seconds,
            "predict": self.outcome.predict_seconds,
            "peak_rss_mib": self.outcome.peak_rss_mib,
        }
        if self.counts:
            return {**named, "run": "complete", **self.scores, **took}
        run = f"stopped at {self.outcome.stopped}"
        return {**named, "run": run, "mase_when_stopped": self.scores["mase"], **took}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument(
        "--limit",
        type=float,
        default=1800.0,
        help="seconds of training after which a peer is stopped; its score then does not count",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="leave out a peer whose environment is not there, instead of making it",
    )
    parser.add_argument(
        "--holdout",
        action="store_true",
        help="forecast the last 48 hours of the training part: where settings may be compared",
    )
    parser.add_argument("--every", type=positive, default=1, help="every n-th series alone")
    parser.add_argument("--max-steps", type=positive, help="training steps of each, for a try")


def measure(options: Options) -> Result:
    """Fit and predict M4-Hourly with our forecaster and with those of other libraries."""
    own = options.own
    split = m4.load(options.folder("m4_hourly"))
    split = (split.holdout() if own.holdout else split).every(own.every)
    notes = _make_environments(own.peers, own.skip_missing)
    peers = [peer for peer in own.peers if environments.is_ready(PEERS[peer])]

    naive = m4.baseline_points(split)
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        train = Path(folder) / "train.csv"
        m4.write(train, split.train)
        for model, mode, seed in schedule(peers, own.modes, options.seeds):
            order = Order(train, m4.HORIZON, options.threads, seed, mode, own.limit, own.max_steps)
            runs.append(_run(model, order, split, naive["naive2"]))
            print(runs[-1].row(), file=sys.stderr, flush=True)

    baselines = {
        name: m4.score(split, point, naive2=naive["naive2"]) for name, point in naive.items()
    }
    is_official = not own.holdout and own.every == 1 and own.max_steps is None
    if not is_official:
        notes.append("Not the official series, test or training: no figure of this run is M4's.")
    return Result(
        figures=figures(runs, baselines) if is_official else {},
        rows=rows(runs, baselines),
        notes=notes,
        versions={
            f"{run.model}: {package}": version
            for run in runs
            if run.outcome is not None and not run.is_ours
            for package, version in run.outcome.versions.items()
        },
    )


def gate(result: Result) -> str | None:
    for metric, published in m4.SEASONAL_NAIVE.items():
        ours = result.figures.get(f"seasonal_naive_{metric}", published)
        if abs(ours - published) >= 5e-4:
            return f"our {metric} of seasonal naive is {ours:.4f}, the published is {published}"
    return None


def schedule(
    peers: Sequence[str], modes: Sequence[str], seeds: Sequence[int]
) -> Iterator[tuple[str, str, int]]:
    """Model, mode and seed of each run, ours in between; every seed of ours comes at least once.

    Example:
        >>> [(model, seed) for model, _, seed in schedule(["a"], ["tuned"], [0, 7])]
        [('gatewise_forecaster', 0), ('a', 1), ('gatewise_forecaster', 7)]
    """
    for number, peer in enumerate(peers):
        yield OURS, "default", seeds[number % len(seeds)]
        for mode in modes:
            yield peer, mode, PEER_SEED
    for seed in seeds[len(peers) :]:
        yield OURS, "default", seed


def rows(runs: Sequence[Run], baselines: Mapping[str, dict[str, float]]) -> list[dict[str, object]]:
    """The table: baselines, every run in its order, and the spread of ours over seeds."""
    blank = {"mode": "", "seed": "", "run": "complete"}
    ours = [{**run.scores, "seconds": run.seconds} for run in runs if run.is_ours and run.counts]
    return [
        *({"model": name, **blank, **scores} for name, scores in baselines.items()),
        *(run.row() for run in runs),
        *({"model": OURS, **row} for row in (spread(ours) if ours else [])),
    ]


def figures(runs: Sequence[Run], baselines: Mapping[str, dict[str, float]]) -> dict[str, float]:
    """Ours as means over its seeds; the peers' that count; who is the best and the quickest.

    A peer that was stopped has no score here, but its seconds are a lower bound of what it takes.
    """
    ours = [run for run in runs if run.is_ours]
    peers = [run for run in runs if not run.is_ours and run.outcome is not None]
    found = {f"{name}_{m}": v for name, scores in baselines.items() for m, v in scores.items()}
    for metric in ours[0].scores:
        found[metric] = statistics.fmean(run.scores[metric] for run in ours)
    found["seconds"] = statistics.fmean(run.seconds for run in ours)
    for run in peers:
        name = f"{run.model}_{run.mode}"
        if run.counts:
            found |= {f"{name}_mase": run.scores["mase"], f"{name}_seconds": run.seconds}
        else:
            found[f"{name}_seconds_at_least"] = run.seconds
    if peers:
        found["time_share"] = found["seconds"] / min(run.seconds for run in peers)
    if complete := [run.scores["mase"] for run in peers if run.counts]:
        found["best_peer_mase"] = min(complete)
    return found


def _run(model: str, order: Order, split: m4.Split, naive2: np.ndarray) -> Run:
    is_ours = model == OURS
    python = Path(sys.executable) if is_ours else environments.python_of(PEERS[model])
    try:
        outcome = start(model, python, order)
        came = outcome.point, outcome.lower, outcome.upper
        scores = m4.score(split, *came, naive2=naive2)
    except (RunFailed, ValueError) as failure:
        if is_ours:
            raise SystemExit(f"peers_forecasting: our own run failed: {failure}") from failure
        return Run(model, order.mode, order.seed, None, {}, str(failure))
    return Run(model, order.mode, order.seed, outcome, scores)


def _make_environments(peers: Sequence[str], skip_missing: bool) -> list[str]:
    notes = []
    for peer in peers:
        if environments.is_ready(PEERS[peer]):
            continue
        if skip_missing:
            notes.append(f"{peer} is left out: there is no environment {PEERS[peer]}.")
        else:
            environments.make(PEERS[peer])
    return notes


BENCHMARK = Benchmark("peers_forecasting", measure, gate, seeds=(0, 1, 2, 3), arguments=arguments)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
