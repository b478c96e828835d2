"""Runs NeuralForecast's LSTM."""

from __future__ import annotations

import neuralforecast_frame as frame
from neuralforecast import NeuralForecast
from neuralforecast.models import LSTM
from protocol import Forecast, Stop, Task, deadline, main
from pytorch_lightning import Callback

SETTINGS = {
    "default": {},
    "tuned": {"input_size": 168},
}


def fit(task: Task, stop: Stop) -> NeuralForecast:
    model = LSTM(
        h=task.horizon,
        random_seed=task.seed,
        callbacks=[deadline(Callback, task, stop)],
        **SETTINGS[task.mode],
        **frame.QUIET,
    )
    return frame.fit(model, task)


def predict(forecaster: NeuralForecast, task: Task) -> Forecast:
    return frame.predict(forecaster, task, point="LSTM")


if __name__ == "__main__":
    main(fit, predict, frame.PACKAGES)
