"""Runs our own Forecaster, by the same protocol as everybody."""

from __future__ import annotations

from protocol import Forecast, Stop, Task, main

from gatewise import Forecaster
from gatewise.train import Trainer

INTERVAL = (0.025, 0.975)


def fit(task: Task, stop: Stop) -> Forecaster:
    trainer = Trainer(seed=task.seed, max_steps=task.max_steps)
    if task.max_steps is not None:
        stop.why = f"{task.max_steps} steps"
    return Forecaster(horizon=task.horizon, trainer=trainer).fit(task.series)


def predict(forecaster: Forecaster, task: Task) -> Forecast:
    # The forecast, then one column a quantile.
    answers = forecaster.predict(task.series)
    low, high = (1 + list(forecaster.quantiles).index(level) for level in INTERVAL)
    return Forecast(answers[..., 0], answers[..., low], answers[..., high])


if __name__ == "__main__":
    main(fit, predict, ("gatewise", "torch", "numpy"))
