"""The detector fitted on NAB, and a plain PyTorch loop of the same network on the same crops."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gatewise import Trainer
from gatewise.datasets import LabelledSeries
from gatewise.tasks.anomaly import AnomalyDetector, Method


def table_of(series: LabelledSeries, steps: int | None = None) -> Any:
    """What a user has: stamps and values in a table, or values alone where there is no clock."""
    if series.stamps is None:
        return series.values[:steps]
    import pandas

    return pandas.DataFrame({"time": series.stamps[:steps], "value": series.values[:steps]})


def fitted_detector(
    series: LabelledSeries, train: int, seed: int, threshold: Method = "pot"
) -> Any:
    """The detector as it comes, or with another threshold, fitted on the first steps."""
    model = AnomalyDetector(threshold=threshold, trainer=Trainer(seed=seed))
    return model.fit(table_of(series, train))


def fit_times(
    given: Sequence[tuple[LabelledSeries, int]], seeds: Sequence[int]
) -> tuple[list[dict[str, object]], dict[str, float]]:
    """Seconds to fit all series, ours with everything that a fit does, theirs the loop alone."""
    rows: list[dict[str, object]] = []
    for seed in seeds:
        ours = plain = 0.0
        for series, train in given:
            started = time.perf_counter()
            model = fitted_detector(series, train, seed)
            ours += time.perf_counter() - started
            plain += plain_loop(model, table_of(series, train), seed)
        rows.append({"on": "time", "score": "fit of all", "run": str(seed), "seconds": ours,
                     "plain_seconds": plain, "share": ours / plain})  # fmt: skip
    means = {
        name: statistics.fmean(float(str(row[name])) for row in rows)
        for name in ("seconds", "plain_seconds", "share")
    }
    return rows, {f"fit_{name}": value for name, value in means.items()}


class Plain(nn.Module):
    """torch's LSTM and a linear head: the next values' means and log deviations."""

    def __init__(self, features: int, hidden: int, horizon: int, channels: int) -> None:
        super().__init__()
        self.horizon, self.channels = horizon, channels
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 2 * horizon * channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log deviations, [batch, steps, horizon, channels]."""
        hidden, _ = self.lstm(x[:, : x.shape[1] - self.horizon])
        said = self.head(nn.functional.dropout(hidden, 0.1, self.training))
        said = said.unflatten(-1, (2, self.horizon, self.channels))
        return said[..., 0, :, :], said[..., 1, :, :].clamp(-5, 3)


def plain_loop(model: Any, table: Any, seed: int) -> float:
    """Seconds of as many steps as the model's fit took, on the same crops, batches and sizes."""
    torch.manual_seed(seed)
    fold = model.data().fit(table)
    best = model.history_.best().step
    steps = model.history_.epochs[-1].step + round((model.trainer_.finish or 0.0) * best)
    horizon, channels = model.horizon, len(model.data_.channels_)
    network = Plain(model.data_.input_size, model.encoder.hidden_size, horizon, channels)
    optimizer = torch.optim.AdamW(network.parameters(), lr=model.trainer_.lr)
    started = time.perf_counter()
    for _ in range(steps):
        batch = fold.train.batch(torch.randint(len(fold.train), (model.trainer_.batch_size,)))
        mean, log_sigma = network(batch.inputs)
        target, weight = (
            part[:, 1:].unfold(1, horizon, 1).transpose(-1, -2)
            for part in (batch.target, batch.weight)
        )
        cost = 0.5 * ((target - mean) * torch.exp(-log_sigma)) ** 2 + log_sigma
        loss = (cost * weight).sum() / weight.sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return time.perf_counter() - started
