"""Classifiers of sequences on public sets: accuracy beside the baselines, and the time of a fit."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gatewise.data.sequences.holdout import Holdout
from gatewise.data.sequences.sequences import Sequences
from gatewise.datasets.labelled import peptides, sst2, trec, ucr
from gatewise.nn.networks.reading import Reading
from gatewise.tasks.classification import SequenceClassifier
from gatewise.train.spec import Trainer

from .classification_times import fit_times
from .dtw import nearest
from .harness import Benchmark, Options, Result, spread

UCR = ("GunPoint", "ItalyPowerDemand", "ArrowHead", "OSULeaf")
"""One fixed configuration for all four: convolutions beside the LSTM, nothing held out, and the
weights of the last epoch."""

Parts = tuple[Sequences, Sequences]


def _ucr(seed: int) -> SequenceClassifier:
    trainer = Trainer(seed=seed, max_steps=UCR_STEPS)
    return SequenceClassifier(reading=FCN, holdout=Holdout(0.0), trainer=trainer)


UCR_STEPS = 600

FCN = Reading(architecture="lstm_fcn", input_noise=0.0)
"""As Karim et al. 2017 train it: no noise on the input, which would hide how outlines differ."""


def _whole(seed: int) -> SequenceClassifier:
    """All that is given is fitted on, as 270 sequences of nine speakers are few."""
    return SequenceClassifier(holdout=Holdout(0.0), trainer=Trainer(seed=seed))


def _default(seed: int) -> SequenceClassifier:
    return SequenceClassifier(trainer=Trainer(seed=seed))


def _ucr_parts(name: str) -> Callable[[Options], Parts]:
    return lambda _: ucr(name)


def _sst2(options: Options) -> Parts:
    train, _, test = sst2(options.data)
    return train, test


Make = Callable[[int], SequenceClassifier]

SETS: dict[str, tuple[Callable[[Options], Parts], Make, str]] = {
    "japanese_vowels": (_ucr_parts("JapaneseVowels"), _whole, "accuracy"),
    **{name: (_ucr_parts(name), _ucr, "accuracy") for name in UCR},
    "trec": (lambda options: trec(options.data), _default, "accuracy"),
    "sst2": (_sst2, _default, "accuracy"),
    "peptides": (lambda _: peptides(), _default, "auc"),
}
"""Name to the parts, the model of a seed, and the figure that counts."""

TIMES = "fit_time"

NAMES = (*SETS, TIMES)


def measure(options: Options) -> Result:
    """Fit a classifier on every set, and put its figures on the test part beside the baselines'."""
    result = Result({})
    for name in options.own.only:
        if name == TIMES:
            fit_times(options.seeds, result)
            continue
        load, make, metric = SETS[name]
        train, test = load(options)
        runs = [_run(make(seed), train, test) for seed in options.seeds]
        _add(result, name, metric, options.seeds, runs)
        if name in UCR:
            _add_neighbour(result, name, train, test)
    result.figures |= _of_all_ucr(result.figures)
    return result


def _of_all_ucr(figures: Mapping[str, float]) -> dict[str, float]:
    """Means over the UCR sets, of the model and of what stands beside it on each of them."""
    found: dict[str, float] = {}
    for method in ("", "mean_and_variance_", "nearest_by_dtw_"):
        names = [f"{name}_{method}accuracy" for name in UCR]
        if figures.keys() >= set(names):
            found[f"ucr_{method}accuracy"] = statistics.fmean(figures[name] for name in names)
    return found


def _add_neighbour(result: Result, name: str, train: Sequences, test: Sequences) -> None:
    """What most papers on these sets are measured by: the nearest series by time warping."""
    assert train.labels is not None, "the sets have labels"
    found = nearest(train.values or (), test.values or ())
    right = train.labels[found] == test.labels
    figure = float(np.mean(right))
    result.figures[f"{name}_nearest_by_dtw_accuracy"] = figure
    result.rows.append({"set": name, "method": "nearest by DTW", "accuracy": figure})


def _run(
    model: SequenceClassifier, train: Sequences, test: Sequences
) -> dict[str, Mapping[str, float]]:
    """Rows of the table by method, and the seconds that the fit took."""
    started = time.perf_counter()
    model.fit(train, progress=False)
    seconds = time.perf_counter() - started
    table: dict[str, Any] = {name: dict(row) for name, row in model.evaluate(test).table.items()}
    table["model"]["seconds"] = seconds
    return table


def _add(
    result: Result,
    name: str,
    metric: str,
    seeds: tuple[int, ...],
    runs: list[dict[str, Mapping[str, float]]],
) -> None:
    for seed, run in zip(seeds, runs, strict=True):
        result.rows.append({"set": name, "method": "model", "seed": seed, **run["model"]})
    mean, *_ = spread([dict(run["model"]) for run in runs])
    result.rows.append({"set": name, "method": "model", **mean})
    result.figures[f"{name}_{metric}"] = float(mean[metric])  # pyright: ignore[reportArgumentType]
    for method in list(runs[0])[1:]:
        # They are fitted on what the model does not hold out, and differ by seed, too.
        mean, *_ = spread([dict(run[method]) for run in runs])
        result.rows.append({"set": name, "method": method, **mean})
        key = f"{name}_{method.replace(' ', '_')}_{metric}"
        result.figures[key] = float(mean[metric])  # pyright: ignore[reportArgumentType]


def gate(result: Result) -> str | None:
    """The shares that a majority class gets are facts of the sets, and have to come out."""
    known = {
        "japanese_vowels": 0.0946,
        "GunPoint": 0.4933,
        "ItalyPowerDemand": 0.4985,
        "OSULeaf": 0.1818,
    }
    for name, share in known.items():
        found = result.figures.get(f"{name}_majority_accuracy", share)
        if abs(found - share) > MOST_OFF:
            return f"the majority class of {name} has a share of {found:.4f}, and not {share}"
    return None


MOST_OFF = 0.1
"""Ties between classes make the majority class of a training part a matter of chance."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=list(NAMES), help="sets to measure"
    )


if __name__ == "__main__":
    raise SystemExit(Benchmark("classification", measure, gate, (0, 1, 2), arguments).main())
