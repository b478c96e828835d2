"""Runs GluonTS' DeepAR."""

from __future__ import annotations

import numpy as np
import pandas as pd
from gluonts.dataset.common import ListDataset
from gluonts.torch import DeepAREstimator
from gluonts.torch.model.predictor import PyTorchPredictor
from lightning import seed_everything
from lightning.pytorch import Callback
from protocol import Forecast, Stop, Task, deadline, main

FREQ = "h"
SETTINGS = {
    "default": {},
    "tuned": {"context_length": 168, "hidden_size": 64},
}
QUIET = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}


def fit(task: Task, stop: Stop) -> tuple[PyTorchPredictor, ListDataset]:
    seed_everything(task.seed)
    # M4 keeps the stamps of its series to itself; GluonTS' own copy of it starts all of them
    # at one hour too.
    start = pd.Period("1750-01-01 00:00", freq=FREQ)
    entries = [
        {"start": start, "target": y, "feat_static_cat": [number]}
        for number, y in enumerate(task.series)
    ]
    dataset = ListDataset(entries, freq=FREQ)
    trainer = {"callbacks": [deadline(Callback, task, stop)], **QUIET}
    estimator = DeepAREstimator(
        freq=FREQ, prediction_length=task.horizon, trainer_kwargs=trainer, **SETTINGS[task.mode]
    )
    return estimator.train(dataset), dataset


def predict(fitted: tuple[PyTorchPredictor, ListDataset], task: Task) -> Forecast:
    predictor, dataset = fitted
    answers = list(predictor.predict(dataset))
    low, middle, high = (
        np.stack([answer.quantile(q) for answer in answers]) for q in (0.025, 0.5, 0.975)
    )
    return Forecast(middle, low, high)


if __name__ == "__main__":
    main(fit, predict, ("gluonts", "lightning", "torch", "numpy", "pandas"))
