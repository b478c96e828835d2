"""Runs our own Forecaster, by the same protocol as everybody."""

from __future__ import annotations

from protocol import Forecast, Stop, Task, main

from gatewise import Forecaster
from gatewise.train import Trainer

QUANTILES = (0.025, 0.5, 0.975)


def fit(task: Task, stop: Stop) -> Forecaster:
    trainer = Trainer(seed=task.seed, max_steps=task.max_steps)
    if task.max_steps is not None:
        stop.why = f"{task.max_steps} steps"
    return Forecaster(horizon=task.horizon, trainer=trainer).fit(task.series)


def predict(forecaster: Forecaster, task: Task) -> Forecast:
    answers = forecaster.predict(task.series)
    low, middle, high = (forecaster.quantiles.index(q) for q in QUANTILES)
    return Forecast(answers[..., middle], answers[..., low], answers[..., high])


if __name__ == "__main__":
    main(fit, predict, ("gatewise", "torch", "numpy"))
