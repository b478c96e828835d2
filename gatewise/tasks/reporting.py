"""What every task's report takes from a fitted model."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..inspection.report import LearningCurve

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..estimator import Estimator

LOOKS = 5
"""Samples of those that were taken while a model learned."""


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


def checkpoints(model: Estimator, shown: Callable[[str], str], unit: str) -> str:
    """What a model gave at some looks at the held-out part, the first and the last among them.

    Args:
        model: Fitted here, with samples in its history.
        shown: A sample as HTML.
        unit: Of the loss.
    """
    epochs = [e for e in model.history_.epochs if e.member == 0]
    chosen = sorted({round(k * (len(epochs) - 1) / (LOOKS - 1)) for k in range(LOOKS)})
    return "".join(
        f"<h3>After {epoch.step} steps: {epoch.value:.3f} {unit}</h3>{shown(epoch.sample)}"
        for epoch in (epochs[k] for k in chosen)
    )
