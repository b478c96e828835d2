"""The command as a user meets it: processes, a real task, files, interrupts and a full disk."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatewise.cli.main import main

SMALL = ("--encoder.hidden-size", 8, "--trainer.max-steps", 12)
FIT = ("fit", "forecaster", "data.csv", "--horizon", 6, *SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a table of two series and a model of it."""
    folder = tmp_path_factory.mktemp("whole")
    with (folder / "data.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["shop", "day", "sold"])
        for shop, base in (("a", 10.0), ("b", 20.0)):
            for day in range(120):
                stamp = f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}"
                table.writerow([shop, stamp, base + math.sin(day * 2 * math.pi / 7)])
    with _inside(folder):
        shown, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told):
            assert main([*map(str, FIT), "--out", "model"]) == 0
    (folder / "stdout").write_text(shown.getvalue())
    (folder / "stderr").write_text(told.getvalue())
    return folder


@contextlib.contextmanager
def _inside(folder: Path):
    before = os.getcwd()
    os.chdir(folder)
    yield
    os.chdir(before)


@pytest.fixture
def gatewise(folder, monkeypatch, run):
    """Run a command in the folder, in this process: status, standard output, standard error."""
    monkeypatch.chdir(folder)
    return run


@pytest.fixture(autouse=True)
def _stub_tasks():
    """Here, the tasks are the real ones."""


def child(folder: Path, *words: object, limit: int | None = None, **given):
    """Run a command in a process of its own, which may write files of `limit` bytes at most."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "gatewise", *map(str, words)]
    given = {"stderr": subprocess.PIPE, **given}
    return subprocess.Popen(command, cwd=folder, text=True, preexec_fn=limited, **given)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_fit_shows_baselines_and_says_what_it_guessed(folder):
    shown = (folder / "stdout").read_text()
    assert "gatewise" in shown
    assert "naive" in shown
    assert "note: " in (folder / "stderr").read_text()


def test_model_folder(folder):
    held = {path.name for path in (folder / "model").iterdir()}
    assert {"model.json", "model.safetensors", "run.toml", "log.jsonl", "report.html"} == held
    assert "<h2>Calibration</h2>" in (folder / "model" / "report.html").read_text()
    records = (folder / "model" / "log.jsonl").read_text().splitlines()
    assert all("loss" in json.loads(record) for record in records)
    assert not (folder / "model.checkpoint").exists()


def test_predict(gatewise, folder):
    assert gatewise("predict", "model", "data.csv", "--out", "out.csv") == (0, "", "")
    found = rows(folder / "out.csv")
    assert len(found) == 2 * 6
    assert list(found[0])[:3] == ["shop", "day", "forecast"]
    assert gatewise("predict", "model", "data.csv")[1] == (folder / "out.csv").read_text()


def test_settings_repeat_the_model(gatewise):
    words = ("fit", "forecaster", "--config", "model/run.toml", "--out", "again", "--quiet")
    assert gatewise(*words)[0] == 0
    first, second = (gatewise("predict", name, "data.csv")[1] for name in ("model", "again"))
    assert first == second


def test_info(gatewise):
    status, shown, _ = gatewise("info", "model")
    assert status == 0
    for word in ("Forecaster(horizon=6", "weights:", "seed:", "versions:", "seasonal naive"):
        assert word in shown


def test_backtest(gatewise, folder):
    words = ("backtest", "model", "data.csv", "--windows", 3, "--out", "errors.csv")
    status, shown, _ = gatewise(*words)
    assert status == 0
    assert "MASE" in shown
    assert len(rows(folder / "errors.csv")) == 2 * 3 * 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--horizon", 6, "--target", "sould"), "sold"),
        (("--horizon", 0), "horizon"),
        (("--horizon", 500), "500"),
        (("--horizon", 6, "--freq", "fortnight"), "fortnight"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(gatewise, folder, words, said):
    before = sorted(folder.iterdir())
    given = ("fit", "forecaster", "data.csv", *words, "--out", "wrong", "--quiet")
    status, _, error = gatewise(*given)
    assert status == 2
    assert said in error.splitlines()[-1]
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "words", [("predict", "model", "data.csv", "--out", "full.csv"), (*FIT, "--out", "full")]
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(folder, words):
    before = sorted(folder.iterdir())
    with child(folder, *words, limit=100) as process:
        error = process.stderr.read()
    assert process.returncode == 2, error
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith("gatewise: ")
    assert sorted(folder.iterdir()) == before


def test_full_standard_output(folder):
    with (
        open("/dev/full", "w") as full,
        child(folder, "predict", "model", "data.csv", stdout=full) as process,
    ):
        error = process.stderr.read()
    assert process.returncode == 2
    assert error == "gatewise: the disk is full; make room and run it again\n"


@pytest.mark.slow
def test_an_interrupted_fit_goes_on_to_the_same_forecast(gatewise, folder):
    fit = ("fit", "forecaster", "data.csv", "--horizon", 6, "--trainer.max-steps", 1500)
    fit = (*fit, "--trainer.patience", 0, "--quiet", "--encoder.hidden-size", 64)
    assert gatewise(*fit, "--out", "whole")[0] == 0
    with child(folder, *fit, "--out", "parts") as process:
        checkpoint = folder / "parts.checkpoint" / "checkpoint.safetensors"
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "--resume" in said
    assert gatewise(*fit, "--out", "parts", "--resume")[0] == 0
    first, second = (gatewise("predict", name, "data.csv")[1] for name in ("whole", "parts"))
    assert first == second
