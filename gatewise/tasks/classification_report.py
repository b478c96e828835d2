"""A fitted classifier of sequences as its report shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation.labels import calibration_bins, confusion, per_class
from ..inspection.confusion_chart import confusion_chart
from ..inspection.reliability_chart import reliability_chart
from ..inspection.rows import rows
from ..inspection.task_report import TaskReport
from .reporting import configuration, curve

if TYPE_CHECKING:
    from ..data.labels.batches import LabelSet
    from .classification import SequenceClassifier

WORST = 12
"""Mistakes shown: those that the model was surest of."""

MOST_LETTERS = 160


def classification_report(model: SequenceClassifier) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    measure: Any = model.task_.measure
    verdict = model.summary_
    if not hasattr(model.data_, "count_"):
        raise AttributeError("there is a report after a fit in this process only")
    answers: Any = model.data_.answers_  # pyright: ignore[reportAttributeAccessIssue]
    sections: tuple[tuple[str, str], ...] = ()
    if measure.held_ is not None:
        dataset, found = measure.held_
        sections = _sections(dataset, found, [str(c) for c in answers.classes])
    said = verdict.sentences if verdict else ("Nothing was held out, and nothing judged.",)
    return TaskReport(
        title=f"Classes of {model.data_.count_[0]} sequences",  # pyright: ignore[reportAttributeAccessIssue]
        summary=said,
        warnings=tuple(s for s in said if s.startswith(("The model is WORSE", "The model is no"))),
        figures=verdict.table if verdict else {},
        lower_is_better=frozenset({"log_loss", "calibration_error"}),
        curve=curve(model),
        sections=sections,
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _sections(
    dataset: LabelSet, found: np.ndarray, classes: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    labels = np.asarray(dataset.labels)
    known = labels >= 0
    counts = confusion(labels[known], found[known].argmax(1), len(classes))
    table = per_class(counts)
    order = np.argsort(table["f1"], kind="stable")
    lines = [
        (
            classes[k],
            *(float(table[c][k]) for c in ("precision", "recall", "f1")),
            int(counts[k].sum()),
        )
        for k in order
    ]
    said, was, count = calibration_bins(labels[known], found[known])
    return (
        ("Confusion matrix", confusion_chart(counts, classes)),
        ("Each class", rows(("class", "precision", "recall", "F1", "examples"), lines)),
        ("Worst mistakes", _mistakes(dataset, labels, found, classes)),
        ("Calibration", reliability_chart(said, was, count)),
    )


def _mistakes(
    dataset: LabelSet, labels: np.ndarray, found: np.ndarray, classes: Sequence[str]
) -> str:
    wrong = np.flatnonzero(found.argmax(1) != labels)
    wrong = wrong[np.argsort(-found[wrong].max(1), kind="stable")][:WORST]
    if not len(wrong):
        return "<p>None on what was held out.</p>"
    lines = []
    for i in wrong:
        label = int(labels[i])
        truth = classes[label] if label >= 0 else "never seen"
        own = float(found[i, label]) if label >= 0 else float("nan")
        guess = int(found[i].argmax())
        lines.append((excerpt(dataset, int(i)), truth, classes[guess], float(found[i, guess]), own))
    return rows(("sequence", "true", "predicted", "probability", "of the true one"), lines)


def excerpt(dataset: LabelSet, index: int) -> str:
    """Name a sequence, and show the beginning of a text."""
    source = dataset.source
    if source is None or source.texts is None:
        return dataset.where(index)
    text = source.texts[index]
    short = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
    return f"{dataset.where(index)}: {short}"
