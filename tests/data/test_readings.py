"""What is monitored, read from whatever a person has."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatewise.data.readings.channels_spec import Channels
from gatewise.data.readings.reading import read_readings
from gatewise.errors import InputError


def table(steps=6):
    return pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=steps, freq="h"),
            "flow": np.arange(steps, dtype=float),
            "pressure": np.arange(steps) * 2,
            "label": [0, 0, 1, 0, 0, 0][:steps],
        }
    )


def test_every_numeric_column_is_a_channel_but_for_time_series_and_label():
    found = read_readings(table())
    assert found.channels == ("flow", "pressure")
    assert found.columns == {"time": "time", "label": "label"}
    assert found.labels is not None
    assert found.labels[0].tolist() == [0, 0, 1, 0, 0, 0]
    assert found.values[0].shape == (6, 2)


def test_series_are_told_apart_and_sorted_by_time():
    both = pd.concat([table().assign(series="b"), table().assign(series="a")])
    shuffled = both.sample(frac=1, random_state=0)
    found = read_readings(shuffled)
    assert set(found.names) == {"a", "b"}
    assert found.times is not None
    for block, times in zip(found.values, found.times, strict=True):
        assert block[:, 0].tolist() == list(range(6))
        assert (np.diff(times).astype(int) > 0).all()
    assert "rows were out of order and were sorted by time" in found.notes


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_an_answer_comes_in_the_frame_and_order_of_the_question(kind):
    frame = table().sample(frac=1, random_state=1)
    given = {"pandas": lambda: frame, "polars": lambda: pl.from_pandas(frame),
             "pyarrow": lambda: pl.from_pandas(frame).to_arrow()}[kind]()  # fmt: skip
    found = read_readings(given)
    answer = found.answer({"score": [block[:, 0] * 10 for block in found.values]})
    assert type(answer) is type(given)
    score, flow = (np.asarray(answer[c]) for c in ("score", "flow"))
    np.testing.assert_array_equal(score, flow * 10)
    if kind == "pandas":
        assert answer.index.equals(frame.index)


def test_a_file_is_answered_with_all_its_columns(tmp_path):
    table().to_csv(tmp_path / "a.csv", index=False)
    found = read_readings(tmp_path / "a.csv")
    answer = found.answer({"score": [np.arange(6.0)], "alarm": [np.zeros(6, int)]})
    assert list(answer) == ["time", "flow", "pressure", "label", "score", "alarm"]
    assert answer["time"][0] == "2024-01-01 00:00:00"


def test_stamps_may_repeat_and_be_as_far_apart_as_they_like():
    frame = table()
    frame.loc[3, "time"] = frame.loc[2, "time"]
    frame.loc[5, "time"] = pd.Timestamp("2024-05-01")
    assert len(read_readings(frame).values[0]) == 6


@pytest.mark.parametrize(
    ("source", "names", "shapes"),
    [
        (np.zeros(5), (0,), [(5, 1)]),
        (np.zeros((5, 3)), (0,), [(5, 3)]),
        ([1.0, 2.0], (0,), [(2, 1)]),
        ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (0,), [(3, 2)]),
        ([np.zeros(5), np.zeros(7)], (0, 1), [(5, 1), (7, 1)]),
        ({"a": np.zeros((5, 2)), "b": np.zeros((4, 2))}, ("a", "b"), [(5, 2), (4, 2)]),
    ],
)
def test_arrays_are_series_of_readings(source, names, shapes):
    found = read_readings(source)
    assert found.names == names
    assert [v.shape for v in found.values] == shapes


def test_arrays_are_answered_by_arrays():
    scores = [np.arange(5.0), np.arange(7.0)]
    answer = read_readings([np.zeros(5), np.zeros(7)]).answer({"score": scores, "alarm": scores})
    assert [a.shape for a in answer] == [(5, 2), (7, 2)]
    named = read_readings({"a": np.zeros(5)}).answer({"score": scores[:1]})
    assert named["a"].shape == (5, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t[["time"]], "no numeric column"),
        (lambda t: t.assign(flow=np.inf), "infinite"),
        (lambda t: t.assign(flow=[1e200] * 6), "beyond"),
        (lambda t: t.assign(label=[0, 0, 2, 0, 0, 0]), "neither 0 nor 1"),
        (lambda t: t.iloc[:0], "no rows"),
    ],
)
def test_wrong_tables_are_refused_in_a_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence):
        read_readings(change(table()))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (Channels(channels=("flwo",)), "did you mean 'flow'"),
        (Channels(time="when"), "not in the data"),
        (Channels(channels=("time",)), "not numbers"),
    ],
)
def test_wrong_columns_are_refused_in_a_sentence(columns, sentence):
    with pytest.raises(InputError, match=sentence):
        read_readings(table(), columns)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ([], "no readings"),
        ({}, "no series"),
        (np.zeros((2, 2, 2)), "shape"),
        (["a", "b"], "numbers only"),
        ([np.zeros((5, 2)), np.zeros((5, 3))], "same channels"),
    ],
)
def test_wrong_arrays_are_refused_in_a_sentence(source, sentence):
    with pytest.raises(InputError, match=sentence):
        read_readings(source)


def test_arrays_have_no_columns_to_name():
    with pytest.raises(InputError, match="no columns to name"):
        read_readings(np.zeros(5), Channels(time="t"))
