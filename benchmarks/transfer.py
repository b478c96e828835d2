"""Few labels and many texts: classifiers on language models of the texts, and without them.

Language models learn from the training sentences without their labels, after other texts where some
are given. Then classifiers are fitted on 100, 500 and all labelled sentences: the default one from
scratch, one on those models, and one of the same layers on models that have learned nothing. They
are judged on the official test part.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from gatewise import Trainer
from gatewise.data.sequences.sequences import Sequences
from gatewise.datasets.labelled import sst2, trec
from gatewise.decoders.labels import set_share
from gatewise.tasks.classification import SequenceClassifier

from .harness import Benchmark, Options, Result
from .transfer_models import Models
from .unlabelled import as_written, read, without

TEXTS = {"trec": ("open_trivia",), "sst2": ("imdb",)}
"""What is read before the sentences of each set."""

CHOOSING = 1000
"""Questions of the training part that settings are chosen by."""

ARMS = ("scratch", "same_network", "transfer")

Arms = Mapping[str, tuple[str, ...] | None]


def measure(options: Options) -> Result:
    """Fit classifiers of sentences from few labels, with and without language models."""
    own = options.own
    train, judged, hidden = _parts(own.set, options.data, validate=own.validate)
    result = Result({})
    texts = _texts(own, options.data, hidden, result)
    place = nullcontext(own.keep) if own.keep else tempfile.TemporaryDirectory()
    with place as folder:
        models = Models(Path(folder), train.texts or (), texts, own.epochs, result)
        untaught, learned = (
            tuple(map(fit, own.directions)) for fit in (models.untaught, models.learned)
        )
        arms: Arms = dict(zip(ARMS, (None, untaught, learned), strict=True))
        for count in own.labels:
            _compare(train, judged, count or len(train), options.seeds, arms, result)
    return result


def _parts(
    name: str, root: Path, *, validate: bool
) -> tuple[Sequences, Sequences, tuple[Sequences, ...]]:
    """Give the training part, the test part or one to choose by, and what no text may hold."""
    if name == "sst2":
        train, valid, test = map(as_written, sst2(root))
        return train, valid if validate else test, (valid, test)
    train, test = map(as_written, trec(root))
    hidden = (train, test)
    if validate:
        order = np.random.default_rng(99).permutation(len(train))
        train, test = (train.take(np.sort(part)) for part in (order[CHOOSING:], order[:CHOOSING]))
    return train, test, hidden


def _texts(
    own: argparse.Namespace, root: Path, hidden: tuple[Sequences, ...], result: Result
) -> list[str]:
    """Texts to learn the language from, without those that hold what is judged on."""
    names = own.texts if own.texts is not None else TEXTS[own.set]
    if not names:
        return []
    found = read(names, root)
    kept = without(found, (text for part in hidden for text in part.texts or ()))
    result.notes.append(
        f"{len(found) - len(kept)} of {len(found):,} texts hold a sentence that is, or may be, "
        "judged on, and were left out."
    )
    return kept[: own.most or len(kept)]


def _compare(
    train: Sequences,
    judged: Sequences,
    count: int,
    seeds: Sequence[int],
    arms: Arms,
    result: Result,
) -> None:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in arms}
    for seed in seeds:
        chosen = train.take(np.random.default_rng(seed).permutation(len(train))[:count])
        for name, pretrained in arms.items():
            row = _run(
                SequenceClassifier(pretrained=pretrained, trainer=Trainer(seed=seed)),
                chosen,
                judged,
            )
            runs[name].append(row)
            result.rows.append({"model": name, "labels": count, "seed": seed, **row})
    for column, said in {"error": "", "error alone": "_alone"}.items():
        means = {name: float(np.mean([row[column] for row in of])) for name, of in runs.items()}
        result.figures |= {f"error{said}_{name}_{count}": mean for name, mean in means.items()}
        for name, mean in means.items():
            if name != "transfer":
                lower = 1.0 - means["transfer"] / mean
                result.figures[f"lower{said}_than_{name}_{count}"] = lower


def _run(model: SequenceClassifier, chosen: Sequences, judged: Sequences) -> dict[str, float]:
    """Fit, and judge it as it is, and without what a bag of words has to say in it."""
    started = time.perf_counter()
    table = model.fit(chosen).evaluate(judged).table
    row = {"error": 1.0 - table["model"]["accuracy"], "s": time.perf_counter() - started}
    set_share(model.network_, 0.0)
    row["error alone"] = 1.0 - model.evaluate(judged).table["model"]["accuracy"]
    return {**row, "bag of words": 1.0 - table["bag of words"]["accuracy"]}


def gate(result: Result) -> str | None:
    """With more labels, a classifier from scratch errs less."""
    found = [v for name, v in result.figures.items() if name.startswith("error_scratch_")]
    return None if found == sorted(found, reverse=True) else "more labels did not help"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which sentences, how many labels, and what else is read."""
    parser.add_argument("--set", choices=("trec", "sst2"), default="trec", help="data set")
    parser.add_argument(
        "--labels", nargs="+", type=int, default=(100, 500, 0), help="labels; 0 for all"
    )
    parser.add_argument(
        "--texts",
        nargs="*",
        help="read before the sentences: open_trivia, imdb, or files with one text a line; "
        "nothing for none; by default what suits the set",
    )
    parser.add_argument("--most", type=int, default=0, help="of these texts; 0 for all")
    parser.add_argument("--epochs", type=int, default=5, help="times that they are read")
    parser.add_argument(
        "--directions", nargs="+", choices=("forward", "backward"), default=("forward", "backward"),
        help="of the language models; the classifiers of two are averaged",
    )  # fmt: skip
    parser.add_argument("--keep", type=Path, help="folder for the language models, taken if there")
    parser.add_argument("--validate", action="store_true", help="judge on a part to choose by")


if __name__ == "__main__":
    raise SystemExit(Benchmark("transfer", measure, gate, (0, 1, 2), arguments).main())
