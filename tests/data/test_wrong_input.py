"""Each mistake in the data is one clear sentence that names the place and the next step."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.data import read_panel
from gatewise.errors import InputError

DAYS = pd.date_range("2024-01-01", periods=6, freq="D")


def frame(**columns):
    base = {"series": ["a"] * 6 + ["b"] * 6, "time": [*DAYS, *DAYS], "target": np.arange(12.0)}
    return pd.DataFrame({**base, **columns})


def refused(source, match, **named):
    with pytest.raises(InputError, match=match) as caught:
        read_panel(source, **named)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 300


def test_missing_and_misspelt_files(tmp_path):
    refused(tmp_path / "no.csv", r"there is no file .*no\.csv; check the path")
    (tmp_path / "sales.csv").write_text("time,y\n1,2\n2,3\n")
    refused(tmp_path / "sale.csv", r"did you mean 'sales.csv'\?")
    refused(tmp_path, "is neither .csv")
    (tmp_path / "dir.csv").mkdir()
    refused(tmp_path / "dir.csv", r"dir\.csv is a folder; name a file in it")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"time,y\n", "has a header and no rows"),
        ("a.csv", b"time,y\n2024-01-01,caf\xe9\n", r"not UTF-8 \(byte 21 is 0xe9\)"),
        ("a.csv", "time,y\n1,2\n".encode("utf-16"), "is UTF-16"),
        ("a.csv", b"time,y,y\n1,2,3\n", "two columns called 'y'"),
        ("a.csv", b"time,y\n1,2\n2,3,4\n", "cannot be read as a table|3 cells under 2"),
        ("a.csv", b"time,name\n2024-01-01,x\n2024-01-02,y\n", "no numeric column"),
        ("a.csv.gz", b"no gzip", "not a whole gzip"),
        ("a.csv.gz", gzip.compress(b"time,y\n1,2\n" * 99)[:30], "not a whole gzip"),
        ("a.parquet", b"no parquet", "not a Parquet file"),
        ("a.xlsx", b"x", "is neither .csv"),
        ("a.csv", b"time,y\n2024-01-01,1\nsoon,2\n2024-01-03,3\n", "row 2: 'soon'"),
        (
            "a.csv",
            b"time,y\n2024-01-01,1\n,2\n2024-01-03,3\n",
            "row 2: the cell in time column 'time' is empty",
        ),
        ("a.csv", b"time,y\n2024-01-01,1\n2024-01-02,inf\n", "'y', 2024-01-02: .* infin"),
        ("a.csv", b"time,y\n1,2\n2,two\n3,4\n", "row 2: 'two' in column 'y' is not a number"),
        ("a.csv", b"2024-01-01,1\n2024-01-02,2\n", "starts with values .* add a first row"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
    ],
)
def test_files_that_are_no_table(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, match)


def test_unknown_columns_offer_the_nearest():
    refused(
        frame(),
        r"series column 'serie' is not in the data; did you mean 'series'\?",
        series="serie",
    )
    refused(frame(), r"past column 'price' is not in the data; there are: series,", past=["price"])
    refused(
        frame(), "column 'target' is named as target and as past", target="target", past="target"
    )
    refused(frame(), "target column 'series' holds text", target="series")


def test_no_numeric_column():
    refused(pd.DataFrame({"time": DAYS, "name": list("abcdef")}), "no numeric column")
    refused(pd.DataFrame({"time": []}), "no rows")


def test_several_possible_targets():
    source = frame().rename(columns={"target": "cost"}).assign(weight=1.0)
    refused(source, r"several columns could be the target \(cost, weight\); name one with target")


def test_duplicate_stamps():
    twice = frame()
    twice.loc[8, "time"] = DAYS[1]
    refused(
        twice, r"series 'b' of column 'series' has stamp 2024-01-02 00:00:00 twice \(rows 8 and 9\)"
    )
    refused(
        twice.drop(columns="series"),
        r"stamp 2024-01-01 00:00:00 occurs twice \(rows 1 and 7\); .* \(--series\)",
    )


def test_missing_cells_in_keys():
    refused(frame(series=["a"] * 6 + ["b"] * 5 + [None]), "row 12: the cell in series column")
    refused(
        frame(time=[*DAYS, *DAYS[:5], pd.NaT]), "row 12: the cell in time column 'time' is empty"
    )


def test_infinite_values():
    values = np.arange(12.0)
    values[7] = -np.inf
    refused(frame(target=values), "series 'b', column 'target', 2024-01-02 00:00:00: .*infinite")
    refused(frame(price=values), "series 'b', column 'price', 2024-01-02", past="price")
    refused({"x": [1.0, np.inf]}, "series 'x', column 'target', step 1: the value is infinite")


def test_empty_and_constant_series():
    refused(frame(target=[np.nan] * 6 + [1.0] * 6), "series 'a' has no value at all")
    refused([[np.nan, np.nan], [1.0, 2.0]], "series 0 has no value at all")
    refused(frame(target=1.0), "all 2 series are constant")
    refused(np.ones(5), "series 0 is constant")
    panel = read_panel(frame(target=[1.0] * 6 + list(range(6))))
    assert "1 constant series: 'a'" in panel.notes


def test_mixed_zones():
    stamps = [f"2024-01-0{i}T00:00+0{i}:00" for i in range(1, 7)]
    refused(pd.DataFrame({"time": stamps, "y": range(6)}), "mixes time zones .*row 1: .01:00")
    mixed = ["2024-01-01T00:00Z", "2024-01-02T00:00"]
    refused(pl.DataFrame({"time": mixed, "y": [1, 2]}), r"mixes time zones \(row 1: .*row 2: none")


def test_clocks_that_cannot_be():
    refused(pd.DataFrame({"time": DAYS[:1], "y": [1.0]}), "no series has two stamps.*--freq")
    refused(frame(), "freq 'x' is not a clock", freq="x")
    refused(pd.DataFrame({"t": [1, 2], "y": [1, 2]}), "does not fit the time column", freq="h")
    far = pd.DataFrame({"time": [0, 1, 10**9], "y": [1.0, 2, 3]})
    refused(far, "would spread over 1000000001 steps; give the clock")


def test_static_columns_that_change():
    refused(frame(size=range(12)), r"'size' changes within series 'a' \(row 2\)", static=["size"])


def test_what_is_no_data():
    refused(3, "source, of type int, is no data set")
    refused(np.zeros((2, 2, 2)), r"shape \(2, 2, 2\), is no data set")
    refused({"a": ["x"]}, "series 'a' does not hold numbers only")
    refused([], "no series in the data")
    refused([1.0, 2.0], "arrays have no columns to name", target="y")
    refused(pd.DataFrame([[1, 2]], columns=["y", "y"]), "two columns are called 'y'")


def test_stamps_out_of_range():
    late = pl.DataFrame({"time": ["2024-01-01", "9999-12-31"], "y": [1, 2]})
    refused(late.with_columns(pl.col("time").str.to_datetime()), "from 2024 to 9999")
