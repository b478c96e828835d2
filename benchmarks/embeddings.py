"""Vectors of sequences, learned without labels: what they keep, and what they find.

The autoencoder is fitted on the official training part, without its labels; reconstruction is
judged on the test part, retrieval by the label of the nearest training sequence. Beside it:
principal components of the stretched sequences with vectors of the same size, and dynamic time
warping on the sequences themselves, which is no vector and needs all of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import Trainer
from gatewise.data.sequences.reading import read_sequences
from gatewise.data.sequences.sequences import Sequences
from gatewise.errors import InputError
from gatewise.evaluation.retrieval import neighbour_accuracy
from gatewise.tasks.autoencoder import Autoencoder

from .dtw import nearest
from .harness import Benchmark, Options, Result, over_seeds, positive

SETS = ("JapaneseVowels", "GunPoint", "ItalyPowerDemand")

UCR_DTW = {"GunPoint": 0.907, "ItalyPowerDemand": 0.950}
"""1-NN DTW without a band, on the archive's own page: errors 0.0933 and 0.0496."""


def measure(options: Options) -> Result:
    """Fit autoencoders of JapaneseVowels and two UCR sets; reconstruct and retrieve."""
    result = Result({})
    for name in options.own.only or SETS:
        one = measure_set(name, options)
        result.rows += [{"set": name, **row} for row in one.rows]
        result.figures |= {f"{name}_{metric}": value for metric, value in one.figures.items()}
    return result


def measure_set(name: str, options: Options) -> Result:
    """One set, all seeds, and the baselines."""
    train, test = load(name)

    def run(seed: int) -> dict[str, float]:
        started = time.perf_counter()
        model = Autoencoder(options.own.code_size, trainer=Trainer(seed=seed)).fit(_bare(train))
        seconds = time.perf_counter() - started
        table = model.evaluate(_bare(test)).table
        data: Any = model.data_
        vectors = [model.transform(_bare(part)) for part in (train, test)]
        known, asked = (data.pca_.encode(data.values(data.encode(_bare(p)))) for p in (train, test))
        return {
            "mse": table["model"]["mse"],
            "pca_mse": table["pca"]["mse"],
            "mean_mse": table["mean"]["mse"],
            "retrieval": neighbour_accuracy(vectors[0], train.labels, vectors[1], test.labels),
            "pca_retrieval": neighbour_accuracy(known, train.labels, asked, test.labels),
            "seconds": seconds,
        }

    result = over_seeds(options.seeds, run)
    found = nearest(*(scaled(part, train) for part in (train, test)))
    result.figures["dtw_retrieval"] = float(np.mean(_labels(train)[found] == _labels(test)))
    result.rows.append({"seed": "dtw", "retrieval": result.figures["dtw_retrieval"]})
    return result


@cache
def load(name: str) -> tuple[Sequences, Sequences]:
    """The official parts, as they lie in the package aeon, which is not imported."""
    spec = importlib.util.find_spec("aeon")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = [Path(f) / "datasets" / "data" / name for f in folders]
    if not paths or not paths[0].is_dir():
        raise InputError(
            f"{name} lies in a package that is not installed: pip install --no-deps aeon==1.6.0"
        )
    train, test = (read_sequences(paths[0] / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
    return train, test


def scaled(part: Sequences, train: Sequences) -> list[np.ndarray]:
    """Channels in deviations of the training part."""
    steps = np.concatenate(train.values or ()).astype(float)
    return [(values - steps.mean(0)) / steps.std(0) for values in part.values or ()]


def _bare(part: Sequences) -> list[np.ndarray]:
    """The sequences without their labels."""
    return list(part.values or ())


def _labels(part: Sequences) -> np.ndarray:
    return np.array([str(label) for label in part.labels if part.labels is not None])


def gate(result: Result) -> str | None:
    """Dynamic time warping finds what the archive says that it does."""
    for name, published in UCR_DTW.items():
        found = result.figures.get(f"{name}_dtw_retrieval", published)
        if abs(found - published) > 0.0015:
            return f"DTW has {found:.4f} on {name}, and was published with {published}"
    return None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument("--only", nargs="+", choices=SETS, help="some sets; all when left out")
    parser.add_argument("--code-size", type=positive, default=8, help="features of a vector")


if __name__ == "__main__":
    raise SystemExit(Benchmark("embeddings", measure, gate, (0, 1, 2), arguments).main())
