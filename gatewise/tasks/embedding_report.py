"""A fitted autoencoder as its report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation.retrieval import plane
from ..inspection.embedding_chart import map_chart, reconstructions_chart
from ..inspection.task_report import TaskReport
from .reporting import configuration, curve

if TYPE_CHECKING:
    from ..data.labels.batches import LabelSet
    from .autoencoder import Autoencoder

SHOWN = 3
"""Sequences shown of the best, the middle and the worst."""


def embedding_report(model: Autoencoder) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    data: Any = model.data_
    dataset = data.held_
    if dataset is None:
        raise AttributeError("there is a report after a fit in this process only")
    verdict = model.summary_
    said = verdict.sentences if verdict else ("Nothing was held out, and nothing judged.",)
    measure: Any = model.task_.measure
    vectors, back = measure.shown(model.network_, model.task_.decode)
    which = "held out" if verdict else "fitted on"
    return TaskReport(
        title=f"Sequences of {data.channels} channels as vectors of {model.code_size} numbers",
        summary=said,
        warnings=tuple(s for s in said if " NO better " in s),
        figures=verdict.table if verdict else {},
        lower_is_better=frozenset({"mse"}),
        curve=curve(model),
        sections=(
            ("Map", _map(dataset, vectors, which)),
            ("Reconstructions", _reconstructions(data, dataset, back)),
        ),
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _map(dataset: LabelSet, vectors: np.ndarray, which: str) -> str:
    labels = None if dataset.source is None else dataset.source.labels
    shown = f"<p>{len(dataset)} sequences that were {which}, in the two directions in which "
    shown += "their vectors differ most.</p>"
    named = None if labels is None else [str(label) for label in labels]
    return shown + map_chart(plane(vectors), named, "map")


def _reconstructions(data: Any, dataset: LabelSet, back: list[np.ndarray]) -> str:
    real = data.values(dataset)
    errors = np.array([float(((a - b) ** 2).mean()) for a, b in zip(real, back, strict=True)])
    order = np.argsort(errors, kind="stable")
    middle = len(order) // 2
    places = [*order[:SHOWN], *order[middle : middle + SHOWN], *order[-SHOWN:]]
    chosen = list(dict.fromkeys(int(i) for i in places))
    units = [data.unscaled([part[i] for i in chosen]) for part in (real, back)]
    pairs = list(zip([dataset.where(i) for i in chosen], *units, strict=True))
    shown = "<p>The best, middle and worst of them, by the mean squared error; of several "
    shown += "channels the one that moves most.</p>"
    return shown + reconstructions_chart(pairs, "reconstructions")
