"""Few labels and many texts: classifiers on language models of the texts, and without them.

Forward and backward language models learn from the training sentences without their labels. Then
classifiers are fitted on 100, 500 and all labelled sentences, from scratch and on those models, and
judged on the official test part.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import Encoder, Trainer
from gatewise.data import Tokens
from gatewise.data.sequences.sequences import Sequences
from gatewise.datasets.labelled import sst2, trec
from gatewise.nn.networks.language_spec import Regularization
from gatewise.tasks.classification import SequenceClassifier
from gatewise.tasks.language_model import LanguageModel

from .harness import Benchmark, Options, Result

DIRECTIONS = ("forward", "backward")
EPOCHS = 15


def measure(options: Options) -> Result:
    """Fit classifiers of sentences from few labels, with and without a language model."""
    own = options.own
    train, test = _parts(own.set, options.data)
    result = Result({})
    with tempfile.TemporaryDirectory() as folder:
        models = tuple(_language_model(train, name, Path(folder), result) for name in DIRECTIONS)
        for count in own.labels:
            _compare(train, test, count or len(train), options.seeds, models, result)
    return result


def _parts(name: str, root: Path) -> tuple[Sequences, Sequences]:
    if name == "trec":
        return trec(root)
    train, _, test = sst2(root)
    return train, test


def _language_model(train: Sequences, direction: Any, folder: Path, result: Result) -> str:
    started = time.perf_counter()
    model = LanguageModel(
        tokens=Tokens("word", min_count=2),
        direction=direction,
        tied=True,
        embedding_size=128,
        window=32,
        regularization=Regularization(words=0.05, input=0.3, hidden=0.3, output=0.4),
        encoder=Encoder(hidden_size=128, num_layers=2),
        trainer=Trainer(max_epochs=EPOCHS, batch_size=32, patience=0),
    ).fit(list(train.texts or ()))
    model.save(folder / direction)
    table = model.summary_.table if model.summary_ else {}
    seconds = time.perf_counter() - started
    result.rows.append({"model": f"language model, {direction}", **table["model"], "s": seconds})
    return str(folder / direction)


def _compare(
    train: Sequences,
    test: Sequences,
    count: int,
    seeds: Sequence[int],
    models: tuple[str, ...],
    result: Result,
) -> None:
    errors: dict[str, list[float]] = {"scratch": [], "transfer": []}
    for seed in seeds:
        chosen = train.take(np.random.default_rng(seed).permutation(len(train))[:count])
        for name, pretrained in {"scratch": None, "transfer": models}.items():
            started = time.perf_counter()
            model = SequenceClassifier(pretrained=pretrained, trainer=Trainer(seed=seed))
            table = model.fit(chosen).evaluate(test).table
            errors[name].append(1.0 - table["model"]["accuracy"])
            bag = 1.0 - table["bag of words"]["accuracy"]
            result.rows.append(
                {
                    "model": name,
                    "labels": count,
                    "seed": seed,
                    "error": errors[name][-1],
                    "bag of words": bag,
                    "s": time.perf_counter() - started,
                }
            )
    means = {name: float(np.mean(of)) for name, of in errors.items()}
    result.figures |= {f"error_{name}_{count}": mean for name, mean in means.items()}
    result.figures[f"error_lower_by_{count}"] = 1.0 - means["transfer"] / means["scratch"]


def gate(result: Result) -> str | None:
    """With more labels, a classifier from scratch errs less."""
    found = [v for name, v in result.figures.items() if name.startswith("error_scratch_")]
    return None if found == sorted(found, reverse=True) else "more labels did not help"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which sentences, and how many labels."""
    parser.add_argument("--set", choices=("trec", "sst2"), default="trec", help="data set")
    parser.add_argument(
        "--labels", nargs="+", type=int, default=(100, 500, 0), help="labels; 0 for all"
    )


if __name__ == "__main__":
    raise SystemExit(Benchmark("transfer", measure, gate, (0, 1, 2), arguments).main())
