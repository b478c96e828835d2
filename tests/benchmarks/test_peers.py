import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import m4, peers_forecasting
from benchmarks.harness import Result
from benchmarks.peers import environments, runs
from benchmarks.peers.runs import Order, Outcome, RunFailed
from benchmarks.peers_forecasting import OURS, PEERS, Run

PEERS_FOLDER = Path(runs.__file__).parent

RUNNER = f"""
import sys
sys.path.insert(0, {str(PEERS_FOLDER)!r})
import numpy as np
from protocol import Forecast, main

def fit(task, stop):
    stop.why = None if task.max_steps is None else f"{{task.max_steps}} steps"
    return task.mode

def predict(mode, task):
    point = np.stack([np.full(task.horizon, y[-1]) for y in task.series])
    return Forecast(point) if mode == "default" else Forecast(point, point - 1, point + 1)

main(fit, predict, ("numpy",))
"""


@pytest.fixture
def split():
    rng = np.random.default_rng(0)
    train = [np.round(rng.normal(50, 9, 700 + 48 * i), 3) for i in range(4)]
    return m4.Split(train, rng.normal(50, 9, (4, 48)))


@pytest.fixture
def order(tmp_path, split):
    m4.write(tmp_path / "train.csv", split.train)
    return Order(tmp_path / "train.csv", 48, 1, 1, "default", 60.0)


@pytest.fixture
def runner(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / "last.py").write_text(text)
        monkeypatch.setattr(runs, "HERE", tmp_path)
        return "last"

    return write


def outcome(stopped=None, seconds=10.0):
    point = np.zeros((2, 48))
    return Outcome(point, None, None, seconds, 0.0, 100.0, stopped, {"torch": "2"})


def test_a_runner_answers_what_it_was_asked(runner, order, split):
    came = runs.start(runner(RUNNER), Path(sys.executable), order)
    assert np.array_equal(came.point[:, 0], [y[-1] for y in split.train])
    assert came.point.shape == (4, 48)
    assert came.lower is None
    assert came.stopped is None
    assert came.versions == {"numpy": np.__version__}
    assert came.fit_seconds >= 0
    assert came.peak_rss_mib > 1


def test_a_runner_says_when_it_was_stopped_and_gives_intervals(runner, order):
    asked = Order(**{**vars(order), "mode": "tuned", "max_steps": 3})
    came = runs.start(runner(RUNNER), Path(sys.executable), asked)
    assert came.stopped == "3 steps"
    assert came.lower is not None
    assert np.array_equal(came.lower + 1, came.point)


def test_a_broken_runner_says_why(runner, order):
    with pytest.raises(RunFailed, match="status 1: ValueError: out of windows"):
        runs.start(runner("raise ValueError('out of windows')"), Path(sys.executable), order)


def test_a_runner_that_hangs_is_ended(runner, order, monkeypatch):
    monkeypatch.setattr(runs, "GRACE", 0.0)
    asked = Order(**{**vars(order), "limit": 0.2})
    with pytest.raises(RunFailed, match="no answer"):
        runs.start(runner("import time; time.sleep(30)"), Path(sys.executable), asked)


def test_every_runner_and_its_requirements_are_there():
    for name, environment in PEERS.items():
        assert (PEERS_FOLDER / f"{name}.py").is_file()
        pins = (PEERS_FOLDER / f"{environment}.txt").read_text().splitlines()
        assert "torch==2.13.0" in pins
        assert all("==" in pin for pin in pins)
        assert not {"lightning==2.6.2", "lightning==2.6.3"} & set(pins)
    assert (PEERS_FOLDER / f"{OURS}.py").is_file()


def test_an_environment_made_from_older_requirements_is_not_ready(tmp_path):
    made_from = tmp_path / "darts" / "requirements.txt"
    made_from.parent.mkdir()
    assert not environments.is_ready("darts", tmp_path)
    made_from.write_text((PEERS_FOLDER / "darts.txt").read_text())
    assert environments.is_ready("darts", tmp_path)
    made_from.write_text("darts==0.1\n")
    assert not environments.is_ready("darts", tmp_path)


def test_the_score_of_a_stopped_run_is_not_the_librarys():
    scores = {"mase": 0.5}
    stopped = Run("darts_block_rnn", "default", 1, outcome("9 s", seconds=40.0), scores)
    assert "mase" not in stopped.row()
    assert stopped.row()["mase_when_stopped"] == 0.5
    ours = Run(OURS, "default", 0, outcome(seconds=8.0), {"mase": 0.7})
    complete = Run("gluonts_deepar", "tuned", 1, outcome(seconds=80.0), {"mase": 1.1})
    failed = Run("gluonts_deepar", "default", 1, None, {}, "out of memory")
    found = peers_forecasting.figures([ours, stopped, complete, failed], {})
    assert found["best_peer_mase"] == 1.1
    assert found["time_share"] == 8.0 / 40.0
    assert "darts_block_rnn_default_mase" not in found
    assert found["darts_block_rnn_default_seconds_at_least"] == 40.0
    assert "out of memory" in str(failed.row()["run"])


def test_gate_knows_the_published_seasonal_naive():
    published = {f"seasonal_naive_{name}": value for name, value in m4.SEASONAL_NAIVE.items()}
    assert peers_forecasting.gate(Result(published)) is None
    off = {**published, "seasonal_naive_mase": 1.21}
    assert "1.193" in (peers_forecasting.gate(Result(off)) or "")


def test_every_seed_of_ours_is_run():
    planned = list(peers_forecasting.schedule(["a", "b"], ["default", "tuned"], [5, 6, 7]))
    assert [seed for model, _, seed in planned if model == OURS] == [5, 6, 7]
    assert [model for model, _, _ in planned] == [OURS, "a", "a", OURS, "b", "b", OURS]


def test_holdout_never_touches_the_test_part(split):
    held = split.holdout()
    assert all(np.array_equal(held.test[i], y[-48:]) for i, y in enumerate(split.train))
    assert [len(y) for y in held.train] == [len(y) - 48 for y in split.train]


def test_series_survive_the_file(tmp_path, split):
    folder = tmp_path / "m4_hourly"
    folder.mkdir()
    m4.write(folder / "Hourly-train.csv", split.train)
    m4.write(folder / "Hourly-test.csv", list(split.test))
    read = m4.load(folder)
    assert all(np.array_equal(a, b) for a, b in zip(read.train, split.train, strict=True))
    assert np.array_equal(read.test, split.test)


def test_a_forecast_with_a_gap_is_not_scored(split):
    naive = m4.baseline_points(split)
    naive["seasonal_naive"][0, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        m4.score(split, naive["seasonal_naive"], naive2=naive["naive2"])


def test_naive2_has_an_owa_of_one_and_wide_intervals_cover(split):
    point = m4.baseline_points(split)["naive2"]
    scores = m4.score(split, point, point - 1e3, point + 1e3, naive2=point)
    assert scores["owa"] == 1
    assert scores["coverage"] == 1
    assert scores["msis"] > 0


def test_published_figures_of_the_naive_methods(data_dir):
    split = m4.load(data_dir / "m4_hourly")
    naive = m4.baseline_points(split)
    scores = {name: m4.score(split, p, naive2=naive["naive2"]) for name, p in naive.items()}
    found = {f"seasonal_naive_{name}": v for name, v in scores["seasonal_naive"].items()}
    assert peers_forecasting.gate(Result(found)) is None
    # The published OWA, 0.627, is made of rounded figures; with all digits it is 0.6275.
    owa = (13.912 / 18.383 + 1.193 / 2.395) / 2
    assert scores["seasonal_naive"]["owa"] == pytest.approx(owa, abs=1e-4)
    assert scores["naive2"]["mase"] == pytest.approx(2.395, abs=5e-4)
    assert scores["naive2"]["smape"] == pytest.approx(18.383, abs=5e-4)


def test_table_shows_the_spread_of_ours_over_seeds():
    runs = [Run(OURS, "default", i, outcome(), {"mase": v}) for i, v in enumerate([0.7, 0.8])]
    rows = peers_forecasting.rows(runs, {"naive2": {"mase": 2.4}})
    assert [row["mase"] for row in rows] == [2.4, 0.7, 0.8, pytest.approx(0.75), 0.7, 0.8]
    assert [row["seed"] for row in rows[3:]] == ["mean", "min", "max"]
