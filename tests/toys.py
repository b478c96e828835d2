"""A small task of every part, for tests of what all tasks share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from gatewise.data.contract import Fold
from gatewise.data.digest import digest
from gatewise.estimator import Estimator, Task
from gatewise.evaluation.verdict import Verdict
from gatewise.train import Trainer
from gatewise.train.ensemble import Ensemble


@dataclass(frozen=True)
class Batch:
    x: torch.Tensor
    y: torch.Tensor | None


@dataclass
class Rows:
    """Rows of numbers and their answers, with noise on the inputs while training."""

    x: torch.Tensor
    y: torch.Tensor | None = None
    noise: float = 0.0
    lengths: torch.Tensor | None = None

    def __len__(self):
        return len(self.x)

    def batch(self, indices, generator=None):
        x = self.x[indices]
        if generator is not None and self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=generator)
        return Batch(x, None if self.y is None else self.y[indices])

    def where(self, index):
        return f"row {index}"

    def culprit(self, index):
        parts = [self.x[index]] + ([] if self.y is None else [self.y[index]])
        bad = [i for i, v in enumerate(torch.cat(parts).tolist()) if not np.isfinite(v)]
        return f"column {bad[0]}" if bad else None


class Table:
    """Data part: standardises by what is not held out, the last fifth."""

    def __init__(self):
        self.centre = self.scale = None

    def fit(self, x, y=None):
        x, y = _float(x), _float(y).reshape(len(y), -1)
        cut = len(x) - len(x) // 5
        self.centre, self.scale = x[:cut].mean(0), x[:cut].std(0) + 1e-6
        self.words = {"columns": x.shape[1], "answers": y.shape[1]}
        rows = Rows(self._scaled(x), y)
        held_out = Rows(rows.x[cut:], y[cut:]) if cut < len(x) else None
        return Fold(Rows(rows.x[:cut], y[:cut], noise=0.1), held_out, digest(x, y))

    def encode(self, x):
        return Rows(self._scaled(_float(x)))

    def examples(self, x, y=None):
        return Rows(self._scaled(_float(x)), _float(y).reshape(len(y), -1))

    def undo(self, dataset, answers):
        return np.concatenate([a.numpy() for a in answers]) if answers else np.zeros((0,))

    def state(self):
        return self.words, {"centre": self.centre, "scale": self.scale}

    def restore(self, settings, tensors):
        self.words = dict(settings)
        self.centre, self.scale = tensors["centre"], tensors["scale"]

    def _scaled(self, x):
        return (x - self.centre) / self.scale


@dataclass(frozen=True)
class Layers:
    hidden_size: int = 8
    dropout: float = 0.2


class Net(nn.Module):
    def __init__(self, inputs, outputs, layers):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(inputs, layers.hidden_size), nn.Tanh(), nn.Dropout(layers.dropout)
        )
        self.head = nn.Linear(layers.hidden_size, outputs)

    def forward(self, batch):
        return self.head(self.body(batch.x))


def squared(output, batch):
    return (output - batch.y).square().mean()


@dataclass
class Shift:
    """Decoder that learns the mean error on what is held out."""

    shift: torch.Tensor = field(default_factory=lambda: torch.zeros(1))

    def __call__(self, network, batch):
        return (network(batch) + self.shift).squeeze(1)

    def fit(self, network, batches):
        errors = [b.y - network(b) for b in batches]
        self.shift = torch.cat(errors).mean(0)

    def state(self):
        return {}, {"shift": self.shift}

    def restore(self, settings, tensors):
        self.shift = tensors["shift"]


class Regressor(Estimator):
    """Numbers from rows of numbers."""

    def __init__(
        self, *, members: int = 1, layers: Layers = Layers(), trainer: Trainer = Trainer()
    ):
        self.members = members
        self.layers = layers
        self.trainer = trainer

    def data(self):
        return Table()

    def task(self, data):
        network = Ensemble.of(
            lambda: Net(data.words["columns"], data.words["answers"], self.layers),
            self.members,
            seed=self.trainer.seed,
        )
        return Task(network, squared, Shift(), judge, {"batch_size": 16, "lr": 1e-2})


def judge(network, decode, fold):
    rows = fold.valid or fold.train
    batch = rows.batch(torch.arange(len(rows)))
    error = (decode(network, batch) - batch.y.squeeze(1)).square().mean().item()
    zero = batch.y.square().mean().item()
    word = "better" if error < zero else "worse"
    return Verdict({"model": {"mse": error}, "zero": {"mse": zero}}, (f"It is {word} than zero.",))


def problem(rows=120, seed=0):
    """Rows of three numbers, and a number that follows from them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)).astype("float32")
    return x, (x[:, 0] * 2 - np.sin(x[:, 1]) + 0.1 * rng.normal(size=rows)).astype("float32")


def _float(x):
    return torch.as_tensor(np.asarray(x), dtype=torch.float32)


class Killed(Exception):
    """What ends a run from outside."""


def kill_after(part, count):
    """Let a part of the data give so many batches, and end the run that asks for one more."""
    left, batch = [count], part.batch

    def counting(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return batch(*arguments)

    part.batch = counting
