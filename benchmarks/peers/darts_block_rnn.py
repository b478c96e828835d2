"""Runs Darts' BlockRNNModel with LSTM cells.

Darts has no default for the length of the window; twice the horizon is taken. It scales nothing
by itself; series are scaled as its quick start does, which is `Scaler()` in both modes.
"""

from __future__ import annotations

import numpy as np
import torch
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import BlockRNNModel
from protocol import Forecast, Stop, Task, deadline, main
from pytorch_lightning import Callback

SETTINGS = {
    "default": {"input_chunk_length": 96},
    # A week of context, a wider layer, the error that MASE measures, each window normalised.
    # Neighbouring windows resemble each other, so every seventh (in time all hours of a day), in
    # larger batches, replaces all of them: a default epoch takes two minutes, and there are a
    # hundred. On every fourth series the last 48 hours of the training part had a MASE of 1.47;
    # the default is too slow to be compared so.
    "tuned": {
        "input_chunk_length": 168,
        "hidden_dim": 64,
        "n_epochs": 15,
        "batch_size": 128,
        "loss_fn": torch.nn.L1Loss(),
        "optimizer_kwargs": {"lr": 2e-3},
        "use_reversible_instance_norm": True,
    },
}
STRIDE = {"default": 1, "tuned": 7}
"""Hours from one training window of a series to the next."""

QUIET = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}


def fit(task: Task, stop: Stop) -> tuple[BlockRNNModel, Scaler, list[TimeSeries]]:
    series = [TimeSeries.from_values(y.astype(np.float32)) for y in task.series]
    scaler = Scaler()
    scaled = scaler.fit_transform(series)
    model = BlockRNNModel(
        model="LSTM",
        output_chunk_length=task.horizon,
        random_state=task.seed,
        pl_trainer_kwargs={
            "accelerator": "cpu",
            "callbacks": [deadline(Callback, task, stop)],
            **QUIET,
        },
        **SETTINGS[task.mode],
    )
    model.fit(scaled, stride=STRIDE[task.mode])
    return model, scaler, scaled


def predict(fitted: tuple[BlockRNNModel, Scaler, list[TimeSeries]], task: Task) -> Forecast:
    model, scaler, scaled = fitted
    answers = scaler.inverse_transform(model.predict(task.horizon, series=scaled))
    return Forecast(np.stack([answer.values()[:, 0] for answer in answers]))


if __name__ == "__main__":
    main(fit, predict, ("darts", "pytorch-lightning", "torch", "numpy"))
