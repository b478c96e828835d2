"""`gatewise watch`: alarms as readings come."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from gatewise import tasks
from gatewise.cli.main import main
from gatewise.nn import Encoder
from gatewise.tasks.anomaly import AnomalyDetector
from gatewise.tasks.loading import load
from gatewise.train import Trainer

FAULT = range(300, 320)


def table(series=None, fault=True, seed=0):
    noise = np.random.default_rng(seed).normal(size=(400, 2))
    x = np.sin(np.arange(400)[:, None] * 2 * np.pi / 24 + [0, 1]) + 0.1 * noise
    if fault:
        x[FAULT, 0] += 4
    frame = pd.DataFrame(x.round(4), columns=["flow", "pressure"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=400, freq="h").astype(str))
    if series is not None:
        frame.insert(0, "series", series)
    return frame


def fitted(frame, **rest):
    return AnomalyDetector(
        horizon=4,
        encoder=Encoder(hidden_size=8),
        trainer=Trainer(max_steps=60),
        **rest,
    ).fit(frame)


@pytest.fixture(scope="module")
def detector():
    return fitted(table(fault=False))


@pytest.fixture(scope="module")
def model(detector, tmp_path_factory):
    path = tmp_path_factory.mktemp("watch") / "pump.model"
    detector.save(path)
    return path


@pytest.fixture
def watch(capsys, monkeypatch):
    """Run the verb on text as standard input; give its status, its lines and its notes."""

    def run(text, *arguments):
        monkeypatch.setattr(tasks, "load", load)
        stdin = io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        status = main(["watch", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    return run


def test_alarms_are_those_of_the_table(watch, model, detector):
    status, said, notes = watch(table().to_csv(index=False), model)
    answer = detector.predict(table())
    raised = np.flatnonzero(answer["alarm"])
    assert status == 0
    assert [line["line"] - 2 for line in said] == raised.tolist()
    np.testing.assert_allclose([s["score"] for s in said], answer["score"][raised], atol=1e-3)
    assert said[-1]["time"] == table()["time"][raised[-1]]
    worst = max(said, key=lambda s: s["score"])
    assert next(iter(worst["channels"])) == "flow"
    assert worst["score"] > worst["threshold"]
    assert "400 readings" in notes
    assert "0 lines skipped" in notes


def test_all_readings_where_asked_for(watch, model, detector):
    _, said, _ = watch(table().to_csv(index=False), model, "--all")
    np.testing.assert_allclose(
        [s["score"] for s in said], detector.predict(table())["score"], atol=1e-3
    )


def test_lines_of_json_say_the_same(watch, model):
    _, one, _ = watch(table().to_csv(index=False), model)
    _, other, _ = watch(table().to_json(orient="records", lines=True), model)
    assert [s["score"] for s in one] == [s["score"] for s in other]


def test_a_file_and_a_history_before_it(watch, model, detector, tmp_path):
    table()[:250].to_csv(tmp_path / "before.csv", index=False)
    table()[250:].to_csv(tmp_path / "after.csv", index=False)
    _, said, _ = watch(
        "", model, tmp_path / "after.csv", "--after", tmp_path / "before.csv", "--all"
    )
    scores = detector.predict(table())["score"][250:]
    np.testing.assert_allclose([s["score"] for s in said], scores, atol=1e-3)


BAD = [
    ("2024-01-05 00:00:00,1.0", "2 cells under 3 column names"),
    ("2024-01-05 00:00:00,abc,1.0", "does not hold numbers only"),
    ("2023-01-01 00:00:00,1.0,1.0", "lies before the last one"),
    ("soon,1.0,1.0", "soon"),
    ("2024-01-05 00:00:00,inf,1.0", "infinite"),
]


@pytest.mark.parametrize(("bad", "sentence"), BAD)
def test_a_bad_line_is_named_and_skipped(watch, model, bad, sentence):
    lines = table().to_csv(index=False).splitlines()
    clean = watch("\n".join(lines), model)[1]
    lines.insert(60, bad)
    status, said, notes = watch("\n".join(lines), model)
    assert status == 0
    assert "line 61 was skipped: " in notes
    assert sentence in notes
    assert "1 line skipped" in notes
    assert [s["score"] for s in said] == [s["score"] for s in clean]


def test_or_stops_it_where_that_is_asked_for(watch, model):
    lines = table().to_csv(index=False).splitlines()
    lines.insert(60, BAD[1][0])
    status, _, notes = watch("\n".join(lines), model, "--strict")
    assert status == 2
    assert "line 61: " in notes


def test_bytes_that_are_no_text_are_skipped(watch, model):
    text = table()[:20].to_csv(index=False).encode() + b"\xff\xfe\n"
    status, _, notes = watch(text, model)
    assert status == 0
    assert "line 22 was skipped: byte 0 is not UTF-8" in notes


def test_series_in_one_stream_of_lines_are_kept_apart(watch, tmp_path):
    both = pd.concat([table("a"), table("b", fault=False, seed=1)]).sort_values("time")
    detector = fitted(pd.concat([table("a", fault=False), table("b", fault=False, seed=1)]))
    detector.save(tmp_path / "m")
    _, said, _ = watch(both.to_csv(index=False), tmp_path / "m", "--all")
    own = [s["score"] for s in said if s["series"] == "b"]
    np.testing.assert_allclose(own, detector.score_points(both)[1], atol=1e-3)
    status, _, notes = watch("time,flow,pressure\n2024-01-01,1,1\n", tmp_path / "m", "--strict")
    assert status == 2
    assert "'series'" in notes


def test_adapting_is_said(watch, tmp_path):
    fitted(table(fault=False), adapt=True).save(tmp_path / "m")
    _, said, _ = watch(table().to_csv(index=False), tmp_path / "m", "--all")
    assert set(said[-1]["adapted"]) == {"flow", "pressure"}


def test_what_cannot_be_watched_is_refused(watch, model, tmp_path):
    assert watch("", model, tmp_path / "none.csv")[0] == 2
    assert "needs a file" in watch("", model, "--follow")[2]
    assert watch("", tmp_path / "no.model")[0] == 2


def test_a_file_is_followed_until_it_is_stopped(model, tmp_path):
    path = tmp_path / "live.csv"
    rows = table().to_csv(index=False).splitlines(keepends=True)
    path.write_text("".join(rows[:200]))
    command = [sys.executable, "-m", "gatewise", "watch", str(model), str(path), "--follow"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        time.sleep(0.5)
        with path.open("a") as file:
            file.writelines(rows[200:])
        said = json.loads(process.stdout.readline())
        while said["line"] < FAULT.start + 2:
            said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, notes = process.communicate(timeout=30)
    assert said["alarm"] is True
    assert process.returncode == 130
    assert "stopped after" in notes
    assert "Traceback" not in notes
