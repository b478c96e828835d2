"""A task that takes no time, to test the command line by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from gatewise import tasks
from gatewise.cli import flags
from gatewise.cli.main import main
from gatewise.errors import InputError
from gatewise.evaluation import Verdict
from gatewise.nn import Encoder
from gatewise.train import Trainer


@dataclass(frozen=True)
class Columns:
    """Which columns mean what.

    Args:
        past: Columns known up to now only.
    """

    past: Sequence[str] = ()


class Echo:
    """Repeat the last values.

    It stands for any task:
    its docstring is wrapped.

    Args:
        horizon: Steps ahead.
        quantiles: Levels,
            ascending.
        output: What the network says.
        columns: Which columns mean what.
        seasonal: Whether to look a season back.
        encoder: The recurrent part.
        trainer: How to train.
    """

    fits: list[Echo] = []  # noqa: RUF012 - what the tests look at

    def __init__(
        self,
        horizon: int,
        *,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        output: Literal["quantile", "student_t"] = "quantile",
        columns: Columns = Columns(),
        seasonal: bool = True,
        encoder: Encoder = Encoder(hidden_size=32),
        trainer: Trainer = Trainer(max_epochs=3),
    ) -> None:
        self.horizon, self.quantiles, self.output = horizon, quantiles, output
        self.columns, self.seasonal, self.encoder, self.trainer = (
            columns,
            seasonal,
            encoder,
            trainer,
        )

    def data(self) -> object:
        return object()

    def fit(self, x: Path, *, progress: bool, checkpoint: Path, log: Path) -> Echo:
        if not x.exists():
            raise InputError(f"there is no file {x}")
        text = x.read_text()
        checkpoint.mkdir(exist_ok=True)
        log.write_text("{}\n")
        if text == "interrupt early":
            raise KeyboardInterrupt
        (checkpoint / "checkpoint.safetensors").write_text("state")
        if text == "interrupt":
            raise KeyboardInterrupt
        if text == "bug":
            raise RuntimeError("a fault of the program")
        if text == "full":
            raise OSError(28, "No space left on device", "somewhere")
        Echo.fits.append(self)
        self.trainer_ = self.trainer.resolve({"lr": 0.5})
        self.summary_ = Verdict({"echo": {"mase": 1.0}}, ("It repeats the last value.",))
        return self

    def save(self, path: Path, *, files: dict[str, bytes]) -> None:
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            (path / name).write_bytes(content)
        (path / "model.json").write_text("{}")

    def predict(self, x: Path) -> dict[str, list]:
        return {"series": ["a", "a"], "time": [1, 2], "forecast": [0.5, float("nan")]}


@dataclass(frozen=True)
class Found:
    """What the stub's backtest gives."""

    errors: dict[str, list]

    def __str__(self) -> str:
        return "a table"


class Easy:
    """Ask for nothing.

    Args:
        trainer: How to train.
    """

    def __init__(self, *, trainer: Trainer = Trainer()) -> None:
        self.trainer = trainer

    data, fit, save = Echo.data, Echo.fit, Echo.save


@pytest.fixture(autouse=True)
def _stub_tasks(monkeypatch):
    Echo.fits.clear()
    monkeypatch.setattr(flags, "tasks", lambda: {"echo": Echo, "easy": Easy})
    monkeypatch.setattr(tasks, "load", lambda path: Echo(2))


@pytest.fixture
def fits() -> list[Echo]:
    """Models that were fitted."""
    return Echo.fits


@pytest.fixture
def run(capsys):
    """Run a command line in this process: status, standard output, standard error."""

    def command(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return command


@pytest.fixture
def data(tmp_path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("time,target\n1,2\n")
    return path
