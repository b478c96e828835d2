"""The benchmark of anomaly scores on made series, with a detector that is made up too."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import anomaly, anomaly_time
from benchmarks.harness import Result
from gatewise.datasets import LabelledSeries


class Detector:
    """What sees the anomaly; the smoothed scores are half of the plain ones."""

    def __init__(self):
        self.task_ = SimpleNamespace(decode=SimpleNamespace(span=9))

    def score_points(self, table):
        values = np.asarray(table["value"] if hasattr(table, "columns") else table)
        return np.abs(values) * (0.5 if self.task_.decode.span == 9 else 1.0)


@pytest.fixture
def given(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.setattr(anomaly_time, "fitted_detector", lambda *given: Detector())
    rng = np.random.default_rng(0)
    stamps = np.datetime64("2020-01-01", "s") + np.arange(400) * np.timedelta64(3600, "s")
    values = rng.normal(size=400)
    values[200:230] += 8
    series = LabelledSeries("realKnownCause/made", values, np.array([[200, 229]]), stamps)
    return anomaly._with_day(series)


def test_every_method_in_three_ways(given):
    found = anomaly._nab_run([given], seed=0)
    assert len(found) == 18
    assert found["detector"]["auc_pr"] > 0.95
    assert found["detector"]["nab"] > 80
    assert found["detector"]["vus_pr"] == found["detector_smoothed"]["vus_pr"]
    assert found["random"]["auc_pr"] < 0.2
    result = Result({})
    anomaly._add(result, "nab", {"detector": [found["detector"]] * 2})
    assert [row["run"] for row in result.rows] == ["mean", "0", "1"]
    assert {"nab_detector_nab", "nab_detector_low_fp", "nab_detector_vus_pr"} <= set(result.figures)


def test_the_highest_score_near_the_anomaly(given):
    one = anomaly.Given(given.series, 100, 24)
    found = anomaly._kdd_run(one, seed=0)
    assert found["detector"]["hit"] == 1
    assert 200 <= found["detector"]["peak"] < 230


def test_training_part_is_nabs(given):
    assert (given.train, given.season) == (60, 24)


def test_gate():
    assert anomaly.gate(Result({})) is None
    assert anomaly.gate(Result({"nab_windowed_gaussian_nab": 37.967})) is None
    assert "published" in (anomaly.gate(Result({"nab_windowed_gaussian_nab": 50.0})) or "")
