"""One reading at a time: the scores of the table, and the way back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gatewise.errors import InputError
from gatewise.nn import Encoder

from .test_anomaly import detector, fitted, readings, table


def told(stream, frame):
    return [
        stream.update(row, time)
        for row, time in zip(
            frame[["flow", "pressure"]].to_numpy(), frame["time"].to_numpy("M8[ns]"), strict=True
        )
    ]


def same(told_, scores, rtol=1e-5):
    np.testing.assert_allclose([t.score for t in told_], scores, rtol=rtol)


@pytest.mark.parametrize("scorer", ["forecast", "likelihood", "autoencoder", "variational"])
def test_the_scores_are_those_of_the_table(scorer):
    model, frame = fitted(scorer), table()[850:950]
    answer = model.predict(frame)
    got = told(model.stream(), frame)
    same(got, answer["score"])
    assert [t.alarm for t in got] == answer["alarm"].astype(bool).tolist()
    assert all(t.contributions.sum() == pytest.approx(1) for t in got)


@pytest.mark.parametrize(
    "rest",
    [
        {"adapt": True},
        {"threshold": "telemanom"},
        {"threshold": "surprise"},
        {"threshold": "surprise", "adapt": True, "smoothing": 4},
        {"smoothing": 1},
    ],
)
def test_and_so_with_every_option(rest):
    model = detector(steps=10, **rest).fit(table(fault=False, label=False))
    answer = model.predict(table())
    got = told(model.stream(), table())
    same(got, answer["score"])
    assert [t.alarm for t in got] == answer["alarm"].astype(bool).tolist()


def test_missing_values_and_uneven_gaps_make_no_difference():
    random = np.random.default_rng(3)
    frame = table(label=False)
    frame = frame.iloc[np.sort(random.choice(len(frame), 700, replace=False))]
    frame = frame.reset_index(drop=True)
    for column in ("flow", "pressure"):
        frame.loc[random.random(len(frame)) < 0.1, column] = np.nan
    model = detector(steps=10).fit(frame)
    assert model.data_.beat_.irregular
    same(told(model.stream(), frame), model.score_points(frame))


def test_cells_of_two_layers_and_of_another_kind():
    x = readings(300)
    for encoder in (Encoder(hidden_size=8, num_layers=2), Encoder(cell="gru", hidden_size=8)):
        model = detector(steps=3, encoder=encoder).fit(x)
        stream = model.stream()
        same([stream.update(row) for row in x], model.score_points(x))


def test_it_can_begin_after_a_history():
    frame = table()
    stream = fitted().stream(frame[:600])
    assert stream.steps == 600
    same(told(stream, frame[600:]), fitted().score_points(frame)[600:])


def test_readings_come_as_arrays_lists_or_dicts():
    frame = table()[:60]
    streams = [fitted().stream() for _ in range(3)]
    for row, time in zip(frame[["flow", "pressure"]].to_numpy(), frame["time"], strict=True):
        one = streams[0].update(row, np.datetime64(time, "ns"))
        two = streams[1].update(row.tolist(), str(time))
        three = streams[2].update({"pressure": row[1], "flow": row[0], "time": time, "else": "x"})
        assert one.score == two.score == three.score
    assert streams[0].channels == ("flow", "pressure")


def test_without_stamps_the_clock_goes_on_by_itself():
    frame = table()[:200]
    stream = fitted().stream(frame[:100])
    got = [stream.update(row) for row in frame[["flow", "pressure"]].to_numpy()[100:]]
    same(got, fitted().score_points(frame)[100:])


@pytest.mark.parametrize("threshold", ["pot", "telemanom", "surprise"])
def test_resetting_forgets_everything_and_a_snapshot_part_of_it(threshold):
    model = detector(steps=10, adapt=True, threshold=threshold)
    model.fit(table(fault=False, label=False))
    frame = table()
    stream = model.stream()
    first = told(stream, frame[:300])
    kept = stream.snapshot()
    second = told(stream, frame[300:])
    assert stream.adapted["pressure"] != 1
    stream.restore(kept)
    assert [t.score for t in told(stream, frame[300:])] == [t.score for t in second]
    stream.reset()
    assert stream.adapted == {"flow": 1.0, "pressure": 1.0}
    assert stream.steps == 0
    assert [t.score for t in told(stream, frame[:300])] == [t.score for t in first]


def test_streams_know_nothing_of_each_other():
    one, other = fitted().stream(), fitted().stream()
    frame = table()
    told(one, frame[:500])
    same(told(other, frame[:200]), fitted().score_points(frame[:200]))


def test_a_reading_that_is_refused_changes_nothing():
    frame = table()[:100]
    stream = fitted().stream(frame[:99])
    clean = fitted().stream(frame[:99])
    last = frame[["flow", "pressure"]].to_numpy()[99]
    time = frame["time"].to_numpy("M8[ns]")[99]
    for wrong, when in (
        ([1.0], time),
        ({"flow": 1.0}, time),
        (["a", 2.0], time),
        (last, "no date"),
        (last, "2020-01-01"),
        (np.array([np.inf, 1.0]), time),
        ([np.inf, 1.0], time),
    ):
        with pytest.raises(InputError):
            stream.update(wrong, when)
    assert stream.update(last, time).score == clean.update(last, time).score


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        ({"flow": 1.0, "presure": 2.0}, "no 'pressure'"),
        ([1.0, 2.0, 3.0], "3 values, and there are 2 channels"),
    ],
)
def test_what_is_wrong_is_named(reading, sentence):
    with pytest.raises(InputError, match=sentence):
        fitted().stream(table()[:5]).update(reading)


def test_the_first_reading_needs_its_time_where_the_hour_is_known():
    with pytest.raises(InputError, match="give the first reading with its time"):
        fitted().stream().update([1.0, 2.0])


def test_one_stream_is_one_series():
    both = pd.concat([table().assign(series="a"), table().assign(series="b")])
    model = detector(steps=3).fit(both.drop(columns="label"))
    with pytest.raises(InputError, match="holds 2 series"):
        model.stream(both)
    same(told(model.stream(series="a"), table()), model.score_points(both)[0])
