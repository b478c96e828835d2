"""Figures of classifiers and regressors of sequences beside those of the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import train
from ..evaluation.labels import class_figures, measure_figures
from ..evaluation.verdict import Verdict

if TYPE_CHECKING:
    from torch import nn

    from ..data.labels.answers import Classes, Measures
    from ..data.labels.batches import LabelSet
    from ..data.labels.labelled import Labelled

ASKED_AT_ONCE = 256
"""Sequences of a batch when figures are made."""


class MeasureClasses:
    """Judge probabilities of classes.

    Args:
        data: The fitted data part, which holds the baselines.

    Attributes:
        held_: What was held out of the fit in this process, and the probabilities that were
            judged; None where nothing was.
    """

    def __init__(self, data: Labelled) -> None:
        self.data = data
        self.held_: tuple[LabelSet, np.ndarray] | None = None

    def __call__(self, network: nn.Module, decode: Any, dataset: Any) -> Verdict:
        """Judge the network, and the baselines on the same sequences."""
        answers: Classes = self.data.answers_  # pyright: ignore[reportAssignmentType]
        labels = dataset.labels.numpy()
        found = np.concatenate(train.answers(network, decode, dataset, ASKED_AT_ONCE))
        if dataset is self.data.valid_:
            self.held_ = (dataset, found)
        baselines = self.data.baselines_
        raw = baselines.linear(_parts(dataset))
        raised = np.exp(raw - raw.max(1, keepdims=True))
        table = {
            "model": class_figures(labels, found),
            "majority": class_figures(labels, np.tile(baselines.constant, (len(labels), 1))),
            baselines.look.name: class_figures(labels, raised / raised.sum(1, keepdims=True)),
        }
        said = [_compared(table, "accuracy", higher=True)]
        if unseen := int((labels < 0).sum()):
            verb = "sequences have a label" if unseen > 1 else "sequence has a label"
            said.append(f"{unseen} {verb} that was never seen in training, and counts as missed.")
        return Verdict(table, (*said, *answers.notes))


class MeasureNumbers:
    """Judge quantiles of numbers.

    Args:
        data: The fitted data part, which holds the baselines.

    Attributes:
        held_: What was held out of the fit in this process, and the quantiles that were judged;
            None where nothing was.
    """

    def __init__(self, data: Labelled) -> None:
        self.data = data
        self.held_: tuple[LabelSet, np.ndarray] | None = None

    def __call__(self, network: nn.Module, decode: Any, dataset: Any) -> Verdict:
        """Judge the network, and the baselines on the same sequences."""
        answers: Measures = self.data.answers_  # pyright: ignore[reportAssignmentType]
        truth = answers.decoded(dataset.labels.numpy().astype(np.float64))
        found = np.concatenate(train.answers(network, decode, dataset, ASKED_AT_ONCE))
        if dataset is self.data.valid_:
            self.held_ = (dataset, found)
        baselines = self.data.baselines_
        points = {
            "median": np.tile(baselines.constant, (len(truth), 1)),
            baselines.look.name: baselines.linear(_parts(dataset)),
        }
        table = {"model": measure_figures(truth, answers.decoded(found), answers.levels)}
        for name, point in points.items():
            table[name] = measure_figures(truth, answers.decoded(point), (0.5,))
            # A point has no interval to be judged by.
            del table[name]["pinball"]
        return Verdict(table, (_compared(table, "mae", higher=False),))


def _compared(table: Mapping[str, Mapping[str, float]], metric: str, *, higher: bool) -> str:
    own = table["model"][metric]
    others = {name: row[metric] for name, row in table.items() if name != "model"}
    best = (max if higher else min)(others, key=lambda name: others[name])
    better = own > others[best] if higher else own < others[best]
    shown = f"{metric} {own:.3g} against {others[best]:.3g} of {best}, the best baseline"
    if better:
        return f"The model is better than the baselines: {shown}."
    if own == others[best]:
        return f"The model is no better than a baseline: {shown}."
    return f"The model is WORSE than a baseline: {shown}; use that, or give it more data."


def _parts(dataset: LabelSet) -> list[np.ndarray]:
    ends = np.cumsum(dataset.lengths.numpy())
    return np.split(dataset.flat.numpy(), ends[:-1])
