"""What the two runners of NeuralForecast share: its long frame, its fit and its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from protocol import Forecast, Task

PACKAGES = ("neuralforecast", "pytorch-lightning", "torch", "numpy", "pandas")
QUIET = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
"""Of lightning's trainer; they change what is shown, not what is learned."""


def fit(model: object, task: Task) -> NeuralForecast:
    """Fit one model on all series; whole numbers are the time stamps."""
    frame = pd.concat(
        pd.DataFrame({"unique_id": f"{number:05d}", "ds": np.arange(len(y)), "y": y})
        for number, y in enumerate(task.series)
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(frame)
    return forecaster


def predict(
    forecaster: NeuralForecast, task: Task, point: str, interval: tuple[str, str] | None = None
) -> Forecast:
    """Forecast every series; `point` and `interval` are names of columns in the answer."""
    frame = forecaster.predict().sort_values(["unique_id", "ds"])

    def column(name: str) -> np.ndarray:
        return frame[name].to_numpy(np.float64).reshape(len(task.series), task.horizon)

    if interval is None:
        return Forecast(column(point))
    return Forecast(column(point), column(interval[0]), column(interval[1]))
