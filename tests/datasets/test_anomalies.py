"""Series with labelled anomalies, as they lie."""

import importlib.util

import numpy as np
import pytest

from gatewise import datasets
from gatewise.errors import InputError


def folder(data_dir):
    if not (data_dir / "nab").is_dir():
        pytest.skip("no nab in the data folder: set GATEWISE_DATA (see README, Data)")
    return data_dir


def test_nab(data_dir):
    series = datasets.nab(folder(data_dir))
    assert len(series) == 14
    assert len(datasets.nab(data_dir, "realKnownCause")) == 7
    assert sum(len(s.windows) for s in series) == 33
    taxi = next(s for s in series if s.name == "realKnownCause/nyc_taxi")
    assert (len(taxi.values), taxi.step_seconds, taxi.day) == (10320, 1800.0, 48)
    assert taxi.windows[0].tolist() == [5839, 6045]
    assert str(taxi.stamps[5839]) == "2014-10-30T15:30:00"
    assert taxi.labels.sum() == 1035
    assert taxi.labels[5839]
    assert not taxi.labels[5838]


def test_nab_has_no_anomaly_in_its_probationary_parts(data_dir):
    from gatewise.evaluation.nab import probation

    for series in datasets.nab(folder(data_dir)):
        assert not series.labels[: probation(len(series.values))].any()


def test_nab_without_such_a_part(data_dir):
    with pytest.raises(InputError, match="no part 'artificial'; it has realKnownCause and"):
        datasets.nab(folder(data_dir), "artificial")


def test_internal_bleeding():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("no aeon: pip install --no-deps aeon==1.6.0")
    series = datasets.internal_bleeding()
    assert (len(series.values), series.train) == (7501, 1200)
    assert series.windows.tolist() == [[4187, 4198]]
    assert (series.day, series.step_seconds) == (None, None)
    assert np.flatnonzero(series.labels).tolist() == list(range(4187, 4199))


def test_internal_bleeding_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install --no-deps aeon"):
        datasets.internal_bleeding()
