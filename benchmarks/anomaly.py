"""Anomaly scores on NAB and on one series of the KDD cup, the detector's beside what it must beat.

Everything is fitted on the probationary part (15 % of a series, 750 steps at most, none of it
labelled) and judged on the rest. On NAB's 14 series one threshold serves all, the best on the
labels, which is how NAB scores; on its realKnownCause part VUS-PR, AUC-PR and event F1 are means
over seven series. Every method is shown three ways that no label has a say in: its score as it is,
smoothed over half a day, and as surprise (`gatewise.evaluation.anomaly_surprise`; the detector's is
that of its own threshold "surprise").
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.data.time.season import find_rhythm
from gatewise.datasets import LabelledSeries, internal_bleeding, nab
from gatewise.errors import InputError
from gatewise.evaluation.anomaly_baselines import fit_baselines
from gatewise.evaluation.anomaly_events import best_event_f1
from gatewise.evaluation.anomaly_points import auc_pr
from gatewise.evaluation.anomaly_smoothing import smooth, smoothing_window
from gatewise.evaluation.anomaly_surprise import surprise
from gatewise.evaluation.anomaly_volume import vus
from gatewise.evaluation.nab import Scored, nab_score, probation

from .harness import Benchmark, Options, Result

PARTS = ("nab", "kdd", "time")

LONGEST_BUFFER = 100
"""Steps of VUS-PR's longest buffer, or a day where that is shorter."""

QUIET = 12
"""Steps in which a surprise is told once: the detector's horizon."""

NEAR = 100
"""Steps around the anomaly in which the highest score has to lie (the KDD cup's rule)."""

GAUSSIAN = 37.97
"""NAB's own windowed Gaussian, from the files of scores that NAB publishes, over these 14."""

Figures = dict[str, float]
Runs = Mapping[str, Sequence[Figures]]


@dataclass(frozen=True)
class Given:
    """A series, the steps to fit on and the steps of a season."""

    series: LabelledSeries
    train: int
    season: int


def measure(options: Options) -> Result:
    """Score NAB's 14 series and KDD-TSAD 135 by the detector and by baselines."""
    wanted = options.own.only or PARTS
    result = Result({})
    if "nab" in wanted:
        options.folder("nab")
        given = [_with_day(s) for s in nab(options.data)]
        _add(result, "nab", _over(options.seeds, lambda seed: _nab_run(given, seed)))
    if "kdd" in wanted:
        one = _bleeding()
        _add(result, "kdd", _over(options.seeds, lambda seed: _kdd_run(one, seed)))
    if "time" in wanted:
        from .anomaly_time import fit_times

        options.folder("nab")
        given = [_with_day(s) for s in nab(options.data)]
        rows, figures = fit_times([(g.series, g.train) for g in given], options.seeds)
        result.rows += rows
        result.figures |= figures
    return result


def scores_of(given: Given, seed: int) -> dict[str, np.ndarray]:
    """Scores of the whole series by each method, each in three ways."""
    from .anomaly_time import fitted_detector, table_of

    x = given.series.values
    window = smoothing_window(given.season)
    fitted = fit_baselines(x[: given.train], given.season, seed)
    raw = {name: scorer.score(x) for name, scorer in fitted.items()}
    smoothed = {name: smooth(score, window) for name, score in raw.items()}
    model = fitted_detector(given.series, given.train, seed)
    table = table_of(given.series)
    smoothed["detector"] = model.score_points(table)
    # The same network's errors as they are.
    model.task_.decode.span = 1
    raw["detector"] = model.score_points(table)
    found = {}
    for name, score in raw.items():
        found[name] = np.nan_to_num(score)
        found[f"{name}_smoothed"] = np.nan_to_num(smoothed[name])
        found[f"{name}_surprise"] = surprise(score, QUIET)
    alert = fitted_detector(given.series, given.train, seed, "surprise")
    found["detector_surprise"] = alert.score_points(table)
    return found


def _nab_run(given: Sequence[Given], seed: int) -> dict[str, Figures]:
    scores = [scores_of(g, seed) for g in given]
    found = {}
    for name in scores[0]:
        pairs = [(g, s[name]) for g, s in zip(given, scores, strict=True)]
        marked = [Scored(s, g.series.windows) for g, s in pairs]
        known = [_point_figures(g, s) for g, s in pairs if "realKnownCause" in g.series.name]
        means = {m: statistics.fmean(k[m] for k in known) for m in known[0]}
        found[name] = {
            "nab": nab_score(marked).score,
            "nab_low_fp": nab_score(marked, "low_fp").score,
            "nab_low_fn": nab_score(marked, "low_fn").score,
            **means,
        }
    return found


def _point_figures(given: Given, scores: np.ndarray) -> Figures:
    labels, rest = given.series.labels[given.train :], scores[given.train :]
    areas = vus(labels, rest, min(given.season, LONGEST_BUFFER))
    return {
        "vus_pr": areas.pr,
        "vus_roc": areas.roc,
        "auc_pr": auc_pr(labels, rest),
        "event_f1": best_event_f1(labels, rest).f1,
    }


def _kdd_run(given: Given, seed: int) -> dict[str, Figures]:
    first, last = given.series.windows[0]
    found = {}
    for name, scores in scores_of(given, seed).items():
        peak = given.train + int(np.argmax(scores[given.train :]))
        hit = first - NEAR <= peak <= last + NEAR
        found[name] = {"hit": float(hit), "peak": float(peak)}
    return found


def _with_day(series: LabelledSeries) -> Given:
    if series.day is None:
        raise InputError(f"{series.name} has no clock; NAB's series have one")
    return Given(series, probation(len(series.values)), series.day)


def _bleeding() -> Given:
    series = internal_bleeding()
    train = series.train or 0
    season = find_rhythm([series.values[:train]], None, horizon=1).period
    return Given(series, train, season)


def _over(seeds: Sequence[int], run: Callable[[int], dict[str, Figures]]) -> Runs:
    """Scorer to its figures, one dict per seed."""
    found: dict[str, list[Figures]] = {}
    for seed in seeds:
        for name, figures in run(seed).items():
            found.setdefault(name, []).append(figures)
    return found


def _add(result: Result, part: str, runs: Runs) -> None:
    """A row of means for each method, and of each seed for the detector."""
    for name, each in runs.items():
        means = {metric: statistics.fmean(run[metric] for run in each) for metric in each[0]}
        shown = [("mean", means)]
        if name.startswith("detector"):
            shown += [(str(k), run) for k, run in enumerate(each)]
        result.rows += [{"on": part, "score": name, "run": run, **row} for run, row in shown]
        kept = {m: v for m, v in means.items() if m != "peak"}
        result.figures |= {f"{part}_{name}_{m.removeprefix('nab_')}": v for m, v in kept.items()}


def gate(result: Result) -> str | None:
    """Windowed Gaussian has the score that NAB's own files of it give."""
    found = result.figures.get("nab_windowed_gaussian_nab", GAUSSIAN)
    if abs(found - GAUSSIAN) > 0.005:
        return f"windowed Gaussian has {found:.2f} on NAB, and was published with {GAUSSIAN}"
    return None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some parts; all when left out")


if __name__ == "__main__":
    raise SystemExit(Benchmark("anomaly", measure, gate, (0, 1, 2), arguments).main())
