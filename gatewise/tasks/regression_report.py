"""A fitted regressor of sequences as its report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..inspection.answers_chart import answers_chart
from ..inspection.rows import rows
from ..inspection.task_report import TaskReport
from .classification_report import WORST, excerpt
from .reporting import configuration, curve

if TYPE_CHECKING:
    from ..data.labels.batches import LabelSet
    from .regression import SequenceRegressor


def regression_report(model: SequenceRegressor) -> TaskReport:
    """Gather what the report shows from a model that was fitted in this process."""
    measure: Any = model.task_.measure
    data: Any = model.data_
    verdict = model.summary_
    sections: tuple[tuple[str, str], ...] = ()
    if measure.held_ is not None:
        dataset, found = measure.held_
        sections = _sections(dataset, found, data.answers_)
    said = verdict.sentences if verdict else ("Nothing was held out, and nothing judged.",)
    return TaskReport(
        title=f"A number for each of {data.count_[0]} sequences",
        summary=said,
        warnings=tuple(s for s in said if s.startswith(("The model is WORSE", "The model is no"))),
        figures=verdict.table if verdict else {},
        lower_is_better=frozenset({"mae", "rmse", "pinball"}),
        curve=curve(model),
        sections=sections,
        configuration=configuration(model),
        provenance=model.provenance_,
    )


def _sections(dataset: LabelSet, found: np.ndarray, answers: Any) -> tuple[tuple[str, str], ...]:
    truth = answers.decoded(np.asarray(dataset.labels, dtype=np.float64))
    own = answers.decoded(found)
    point = own[:, answers.levels.index(0.5)]
    below = (truth[:, None] <= own).mean(0)
    worst = np.argsort(-np.abs(truth - point), kind="stable")[:WORST]
    lines = [
        (excerpt(dataset, int(i)), *map(float, (truth[i], point[i], own[i, 0], own[i, -1])))
        for i in worst
    ]
    kept = [(f"{q:g}", float(b)) for q, b in zip(answers.levels, below, strict=True)]
    return (
        ("Answers", answers_chart(truth, own[:, 0], point, own[:, -1])),
        ("Calibration", rows(("quantile", "share of answers at or below it"), kept)),
        ("Worst mistakes", rows(("sequence", "true", "predicted", "from", "to"), lines)),
    )
