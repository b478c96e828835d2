"""What every task's report takes from a fitted model."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..inspection.report import LearningCurve

if TYPE_CHECKING:
    from ..estimator import Estimator


def curve(model: Estimator) -> LearningCurve:
    """The losses of the first network that was trained, epoch by epoch."""
    epochs = [e for e in model.history_.epochs if e.member == 0]
    valid = [e.valid_loss for e in epochs if e.valid_loss is not None]
    judged = [e.value for e in epochs if e.valid_loss is not None]
    best = int(np.argmin(judged)) if judged else None
    return LearningCurve([e.loss for e in epochs], valid, best)


def configuration(model: Estimator) -> dict[str, Any]:
    """Parameters as words and numbers, with the trainer as it was resolved."""
    held = {**model.get_params(deep=False), "trainer": model.trainer_}
    return {
        name: asdict(cast("Any", value)) if is_dataclass(value) else value
        for name, value in held.items()
    }
