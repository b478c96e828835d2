"""Tables in files: what is written is read again, and nothing is half-written."""

import os

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.data import read_panel, write_table
from gatewise.errors import InputError

FRAME = pd.DataFrame(
    {
        "series": ["a"] * 4 + ["b, c"] * 4,
        "time": [*pd.date_range("2024-01-01", periods=4, freq="h")] * 2,
        "target": [0.1, 1 / 3, np.nan, 1e-300, 1, 2, 3, 4],
    }
)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("kind", ["pandas", "polars", "columns"])
def test_what_is_written_is_read_again(tmp_path, suffix, kind):
    table = {"pandas": FRAME, "polars": pl.from_pandas(FRAME), "columns": FRAME.to_dict("list")}[
        kind
    ]
    if kind == "columns":
        table["time"] = FRAME["time"].to_numpy()
    write_table(table, tmp_path / f"a.{suffix}")
    assert os.listdir(tmp_path) == [f"a.{suffix}"]
    read = read_panel(tmp_path / f"a.{suffix}")
    assert read.names == ("a", "b, c")
    np.testing.assert_array_equal(read.values[0], FRAME.target[:4])
    assert read.starts[0] == np.datetime64("2024-01-01")


def test_an_answer_is_written_and_read_again(tmp_path):
    write_table(FRAME, tmp_path / "a.csv")
    panel = read_panel(tmp_path / "a.csv")
    answer = panel.answer({"forecast": np.arange(4.0).reshape(2, 2)})
    write_table(answer, tmp_path / "b.csv")
    text = (tmp_path / "b.csv").read_text().splitlines()
    assert text[:2] == ["series,time,forecast", "a,2024-01-01 04:00:00,0.0"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_zones_are_written_as_offsets(tmp_path, zone):
    time = pd.date_range("2024-07-01", periods=3, freq="h", tz=zone)
    pd.DataFrame({"time": time, "y": [1, 2, 3]}).to_csv(tmp_path / "a.csv", index=False)
    panel = read_panel(tmp_path / "a.csv")
    answer = panel.answer({"forecast": np.ones((1, 1))})
    assert answer["time"][0] == str(time[-1] + pd.Timedelta("1h"))


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="ends in neither"):
        write_table({"a": [1]}, tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=r"cannot write .*No such file"):
        write_table({"a": [1]}, tmp_path / "none" / "a.csv")
    with pytest.raises(InputError, match="cannot write"):
        write_table({"a": [1]}, tmp_path / ("x" * 300 + ".csv"))


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_table({"a": [1]}, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]
