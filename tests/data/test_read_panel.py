"""Frames, files and arrays give the same panel, whichever library they come from."""

import gzip
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gatewise.data import read_panel
from gatewise.data.files import csv_table as reading
from gatewise.errors import InputError

RNG = np.random.default_rng(0)


def long_frame(names=("b", "a"), steps=30, freq="h"):
    rows = []
    for i, name in enumerate(names):
        time = pd.date_range("2024-01-01", periods=steps + i, freq=freq)
        rows.append(
            pd.DataFrame({"series": name, "time": time, "target": RNG.normal(size=len(time))})
        )
    return pd.concat(rows, ignore_index=True)


def same(one, other):
    assert one.names == other.names
    assert one.freq == other.freq
    np.testing.assert_array_equal(one.starts, other.starts)
    for a, b in zip(one.values, other.values, strict=True):
        np.testing.assert_array_equal(a, b)


KINDS = {
    "pandas": lambda f: f,
    "polars": pl.from_pandas,
    "lazy": lambda f: pl.from_pandas(f).lazy(),
    "pyarrow": pa.Table.from_pandas,
    "text stamps": lambda f: f.assign(time=f.time.astype(str)),
    "categories": lambda f: f.assign(series=f.series.astype("category")),
    "nullable": lambda f: f.assign(target=f.target.astype("Float64")),
    "index": lambda f: f.set_index(["series", "time"]),
    "shuffled": lambda f: pd.concat([f.iloc[:1], f.iloc[1:].sample(frac=1, random_state=0)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_gives_the_same_panel(kind):
    frame = long_frame()
    panel = read_panel(KINDS[kind](frame))
    assert panel.names == ("b", "a")
    assert panel.freq == "h"
    assert panel.lengths.tolist() == [30, 31]
    for name, values in zip(panel.names, panel.values, strict=True):
        np.testing.assert_array_equal(values, frame.target[frame.series == name])
    assert panel.starts.tolist() == [np.datetime64("2024-01-01", "ns").astype(int)] * 2


READERS = {
    "polars": lambda path, data, text, by: reading._with_polars(path, data, by),
    "pyarrow": lambda path, data, text, by: reading._with_pyarrow(path, data, by),
    "pandas": lambda path, data, text, by: reading._with_pandas(path, data, by),
    "none": lambda path, data, text, by: reading._with_csv(path, text, by),
}


@pytest.mark.parametrize("reader", READERS)
class TestCsv:
    @pytest.fixture(autouse=True)
    def _only(self, reader, monkeypatch):
        monkeypatch.setattr(reading, "_csv_table", READERS[reader])

    def test_same_panel_as_the_frame(self, tmp_path):
        frame = long_frame()
        frame.loc[3, "target"] = np.nan
        frame.to_csv(tmp_path / "a.csv", index=False)
        panel = read_panel(tmp_path / "a.csv")
        same(panel, read_panel(frame))
        assert panel.kind == "csv"

    def test_packed_tabs_marks_and_windows_lines(self, tmp_path):
        frame = long_frame()
        text = frame.to_csv(index=False, sep="\t", lineterminator="\r\n")
        (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
        same(read_panel(str(tmp_path / "a.tsv.gz")), read_panel(frame))

    def test_decimal_commas(self, tmp_path):
        frame = long_frame()
        frame.to_csv(tmp_path / "a.csv", index=False, sep=";", decimal=",")
        panel = read_panel(tmp_path / "a.csv")
        same(panel, read_panel(frame))
        assert any("decimal commas" in note for note in panel.notes)

    @pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "None", "N/A"])
    def test_missing_cells(self, tmp_path, missing):
        text = f"time,target\n2024-01-01,1\n2024-01-02,{missing}\n2024-01-03,3.5\n"
        (tmp_path / "a.csv").write_text(text)
        np.testing.assert_array_equal(read_panel(tmp_path / "a.csv").values[0], [1, np.nan, 3.5])

    def test_quoted_names_with_commas_and_numbers_as_names(self, tmp_path):
        (tmp_path / "a.csv").write_text('series,time,y\n"x, y",1,1\n"x, y",2,2\nz,1,5\nz,2,6\n')
        assert read_panel(tmp_path / "a.csv").names == ("x, y", "z")
        (tmp_path / "a.csv").write_text("unique_id,ds,y\n7,1,1\n7,2,2\n3,1,5\n3,2,6\n")
        assert read_panel(tmp_path / "a.csv").names == (7, 3)

    def test_blanks_and_thousands(self, tmp_path):
        (tmp_path / "b.csv").write_text('time, y\n2024-01-01,"1,100"\n2024-01-02,"1,200.5"\n')
        (tmp_path / "c.csv").write_text("time;y ;\n2024-01-01;1.100,0;\n2024-01-02;1.200,5;\n")
        for name in "bc":
            panel = read_panel(tmp_path / f"{name}.csv")
            assert panel.names == ("y",)
            assert panel.values[0].tolist() == [1100, 1200.5]

    def test_a_row_that_is_too_long(self, tmp_path):
        (tmp_path / "a.csv").write_text("time,y\n1,2\n2,3\n3,4,5\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(InputError, match=r"a\.csv"):
                read_panel(tmp_path / "a.csv")

    def test_text_far_down_makes_no_number(self, tmp_path):
        rows = "".join(f"{i},{i},{'x' if i == 4999 else i}\n" for i in range(5000))
        (tmp_path / "a.csv").write_text("time,y,label\n" + rows)
        panel = read_panel(tmp_path / "a.csv", past=["label"])
        assert panel.past["label"][0][-1] == "x"
        assert panel.past["label"][0][0] == "0"


def test_csv_without_any_frame_library(tmp_path, monkeypatch):
    long_frame().to_csv(tmp_path / "a.csv", index=False)
    expected = read_panel(tmp_path / "a.csv")
    for name in ("pandas", "polars", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(reading.importlib.util, "find_spec", lambda name: None)
    panel = read_panel(tmp_path / "a.csv")
    same(panel, expected)
    answer = panel.answer({"forecast": np.ones((2, 3))})
    assert answer["time"][:2].tolist() == ["2024-01-02 06:00:00", "2024-01-02 07:00:00"]


def test_parquet(tmp_path):
    frame = long_frame()
    frame.to_parquet(tmp_path / "a.parquet")
    panel = read_panel(tmp_path / "a.parquet")
    same(panel, read_panel(frame))
    assert panel.kind == "parquet"


def test_wide_table_with_different_starts_and_ends(data_dir):
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=6, freq="D")})
    frame["a"] = [np.nan, 1, 2, 3, 4, 5]
    frame["b"] = [1, 2, np.nan, 4, np.nan, np.nan]
    panel = read_panel(frame)
    assert panel.names == ("a", "b")
    np.testing.assert_array_equal(panel.values[0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(panel.values[1], [1, 2, np.nan, 4])
    assert panel.starts.astype("M8[D]").astype(str).tolist() == ["2024-01-02", "2024-01-01"]
    assert "the table is wide: each numeric column is a series (2)" in panel.notes


def test_etth1_as_it_comes(data_dir):
    path = data_dir / "etth1" / "ETTh1.csv"
    if not path.is_file():
        pytest.skip("no etth1 in the data folder: set GATEWISE_DATA (see README, Data)")
    panel = read_panel(path)
    assert panel.names == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    assert panel.freq == "h"
    assert set(panel.lengths) == {17420}
    one = read_panel(path, target="OT")
    np.testing.assert_array_equal(one.values[0], panel.values[-1])
    assert one.names == ("OT",)


def test_arrays():
    for source in (
        np.arange(4.0),
        [0.0, 1, 2, 3],
        [np.arange(4)],
        {"a": range(4)},
        np.arange(4)[None],
    ):
        panel = read_panel(source)
        np.testing.assert_array_equal(panel.values[0], np.arange(4))
        assert len(panel) == 1
        assert panel.starts.tolist() == [0]
    assert read_panel([[1, 2, 3], [4, 5]]).lengths.tolist() == [3, 2]
    assert read_panel(pl.Series("x", [1.0, 2.0])).names == ("x",)
    assert read_panel(pd.Series([1.0, 2.0], pd.date_range("2024", periods=2, name="d"))).freq == "D"


def test_gaps_are_filled_and_said():
    frame = long_frame(names=("a",), steps=20).drop(index=[5, 6, 11])
    panel = read_panel(frame)
    assert panel.lengths.tolist() == [20]
    assert np.flatnonzero(np.isnan(panel.values[0])).tolist() == [5, 6, 11]
    assert "3 missing steps were filled with NaN" in panel.notes


def test_irregular_stamps_are_moved_and_said():
    frame = long_frame(names=("a", "b"), steps=50)
    jitter = pd.to_timedelta(RNG.integers(-90, 90, len(frame)), unit="s")
    panel = read_panel(frame.assign(time=frame.time + jitter))
    same(panel, read_panel(frame))
    assert any("stamps were moved to the clock h" in note for note in panel.notes)


def test_one_odd_stamp_does_not_move_the_grid():
    frame = long_frame(names=("a",), steps=50)
    frame.loc[0, "time"] += pd.Timedelta("3min")
    same(read_panel(frame), read_panel(long_frame_like(frame)))


def long_frame_like(frame):
    return frame.assign(time=frame.time.dt.round("h"))


def test_each_series_keeps_its_own_phase():
    frame = long_frame()
    late = frame.series == "a"
    frame.loc[late, "time"] += pd.Timedelta("20min")
    panel = read_panel(frame)
    assert panel.starts[1] == np.datetime64("2024-01-01T00:20", "ns")
    assert not any("moved" in note for note in panel.notes)


def test_two_rows_in_one_step_are_said():
    time = pd.date_range("2024-01-01", periods=10, freq="D").tolist()
    time.insert(5, time[4] + pd.Timedelta("2h"))
    panel = read_panel(pd.DataFrame({"time": time, "y": np.arange(11.0)}), freq="D")
    np.testing.assert_array_equal(panel.values[0], [0, 1, 2, 3, 5, 6, 7, 8, 9, 10])
    assert any("the later row counts" in note for note in panel.notes)


def test_covariates_of_every_kind():
    frame = long_frame(steps=6)
    frame["price"] = np.arange(len(frame), dtype=float)
    frame["promo"] = ["yes", "no"] * 6 + ["yes"]
    frame["visits"] = 1.0
    frame["size"] = np.where(frame.series == "a", 3.0, 5.0)
    frame["town"] = np.where(frame.series == "a", "Ulm", "Bern")
    frame.loc[[4, 5, 12], "target"] = np.nan
    panel = read_panel(frame, past=["visits"], future=["price", "promo"], static=["size", "town"])
    assert panel.lengths.tolist() == [4, 6]
    assert panel.ahead.tolist() == [2, 1]
    np.testing.assert_array_equal(panel.future["price"][0], np.arange(6))
    np.testing.assert_array_equal(panel.future["price"][1], np.arange(6, 13))
    assert panel.future["promo"][0].tolist() == ["yes", "no"] * 3
    assert [len(a) for a in panel.past["visits"]] == [4, 6]
    assert panel.static["size"].tolist() == [5.0, 3.0]
    assert panel.static["town"].tolist() == ["Bern", "Ulm"]


def test_unused_columns_are_said():
    frame = long_frame().assign(price=1.0)
    notes = read_panel(frame).notes
    assert any("'price'" in note and "--past price" in note for note in notes)


def test_a_wide_table_shares_its_covariates():
    frame = pd.DataFrame({"ds": pd.date_range("2024", periods=5), "a": range(5), "b": range(5)})
    frame["sun"] = np.arange(5.0)
    panel = read_panel(frame, future="sun")
    assert panel.names == ("a", "b")
    np.testing.assert_array_equal(panel.future["sun"][1], np.arange(5))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("freq", ["h", "D", "MS"])
def test_the_answer_comes_in_the_kind_of_the_question(kind, zone, freq):
    frame = long_frame(steps=20, freq=freq).rename(columns={"series": "shop", "time": "when"})
    frame["when"] = frame["when"].dt.tz_localize(zone)
    source = KINDS[kind](frame)
    panel = read_panel(source, series="shop", time="when", target="target")
    assert panel.freq == freq
    values = np.arange(8.0).reshape(2, 4)
    answer = panel.answer({"forecast": values, "q0.1": values - 1})
    assert type(answer) is type(source)
    table = answer if kind == "pandas" else answer.to_pandas()
    assert list(table) == ["shop", "when", "forecast", "q0.1"]
    truth = pd.date_range("2024-01-01", periods=25, freq=freq, tz=zone)
    assert table["when"].tolist() == [*truth[20:24], *truth[21:25]]
    assert table["shop"].tolist() == ["b"] * 4 + ["a"] * 4
    assert table["forecast"].tolist() == list(range(8))
    if kind == "polars":
        assert answer.schema["when"] == source.schema["when"]


def test_dates_stay_dates():
    frame = pl.from_pandas(long_frame(freq="D")).with_columns(pl.col("time").cast(pl.Date))
    answer = read_panel(frame).answer({"forecast": np.ones((2, 2))})
    assert answer.schema["time"] == pl.Date
    assert answer["time"].dt.to_string().to_list()[0] == "2024-01-31"


def test_summer_time_in_hours_and_days():
    for freq in ("h", "D"):
        time = pd.date_range(
            "2024-03-25", periods=200 if freq == "h" else 9, freq=freq, tz="Europe/Berlin"
        )
        panel = read_panel(pd.DataFrame({"time": time, "y": np.arange(len(time))}))
        assert panel.freq == freq
        assert not any("moved" in note or "filled" in note for note in panel.notes)
        np.testing.assert_array_equal(
            panel.stamps(0, 0, len(time)), time.tz_localize(None).to_numpy().astype("M8[ns]")
        )


def test_integer_steps_are_answered_with_steps():
    frame = pd.DataFrame({"time": [0, 5, 10, 20], "y": [1.0, 2, 3, 5]})
    panel = read_panel(frame)
    assert panel.freq == "5"
    np.testing.assert_array_equal(panel.values[0], [1, 2, 3, np.nan, 5])
    assert panel.answer({"forecast": np.ones((1, 2))})["time"].tolist() == [25, 30]


def test_guesses_are_said():
    frame = long_frame().rename(
        columns={"series": "item_id", "time": "timestamp", "target": "sales"}
    )
    panel = read_panel(frame.assign(noise=0.0))
    assert panel.columns == {"series": "item_id", "time": "timestamp", "target": "sales"}
    for guess in ("'item_id' was taken as series", "'timestamp' was taken as time", "'sales' was"):
        assert any(guess in note for note in panel.notes)


def test_the_column_that_parts_the_series_is_guessed():
    frame = long_frame().rename(columns={"series": "code"})
    panel = read_panel(frame.assign(family="food", region="north"))
    assert panel.columns["series"] == "code"
    assert panel.names == ("b", "a")


def test_unnamed_columns_are_row_numbers(tmp_path):
    long_frame().to_csv(tmp_path / "a.csv")
    same(read_panel(tmp_path / "a.csv"), read_panel(tmp_path / "a.csv", target="target"))
    assert read_panel(tmp_path / "a.csv").notes == read_panel(long_frame()).notes


def test_exact_names_are_found_without_a_word():
    assert read_panel(long_frame()).notes == ("the clock was found from the stamps: h",)


def test_nothing_is_changed_in_the_source():
    frame = long_frame().sample(frac=1, random_state=1)
    before = frame.copy()
    read_panel(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_five_hundred_series_are_read_fast(tmp_path):
    from time import perf_counter

    frame = long_frame(names=[f"s{i}" for i in range(500)], steps=500)
    began = perf_counter()
    panel = read_panel(pl.from_pandas(frame))
    assert perf_counter() - began < 5
    assert len(panel) == 500
