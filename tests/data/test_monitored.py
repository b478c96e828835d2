"""A detector's data: what it learns from the first part alone, and what the network reads."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.readings.monitored import Monitored
from gatewise.data.readings.tracks import CLIP, filled
from gatewise.errors import InputError


def wave(steps=400, channels=2, seed=0):
    noise = np.random.default_rng(seed).normal(size=(steps, channels))
    return (
        5 + np.sin(np.arange(steps)[:, None] * 2 * np.pi / 20 + np.arange(channels)) + 0.1 * noise
    )


def fitted(x, **rest):
    data = Monitored(rest.pop("horizon", 6), **rest)
    return data, data.fit(x)


def test_nothing_is_learned_from_what_is_held_out():
    x = wave()
    changed = x.copy()
    changed[300:] = 1000 + 50 * np.random.default_rng(1).normal(size=(100, 2))
    (one, _), (other, _) = fitted(x), fitted(changed)
    settings_, tensors = one.state()
    again, same = other.state()
    assert settings_ == again
    for name, value in tensors.items():
        torch.testing.assert_close(value, same[name], rtol=0, atol=0, equal_nan=True)


def test_a_few_anomalies_hardly_move_the_scale():
    soiled = wave()
    soiled[50:56] = 500
    (clean, _), (other, _) = fitted(wave()), fitted(soiled)
    np.testing.assert_allclose(clean.centers_, other.centers_, rtol=0.02)
    np.testing.assert_allclose(clean.units_, other.units_, rtol=0.1)


def test_what_repeats_is_found_and_halved_for_smoothing():
    data, _ = fitted(wave())
    assert (data.beat_.season, data.smoothing_) == (20, 10)
    assert fitted(wave(), smoothing=3)[0].smoothing_ == 3


def test_a_clock_of_minutes_has_days():
    x = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=400, freq="15min"),
                      "value": wave()[:, 0]})  # fmt: skip
    data, _ = fitted(x)
    assert (data.beat_.season, data.smoothing_) == (96, 48)
    assert data.beat_.cycles == ("hour of day",)
    assert data.input_size == 2 + 4
    assert not data.beat_.irregular


def test_uneven_gaps_are_told_to_the_network():
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=600, freq="h"),
                      "value": wave(600)[:, 0]})  # fmt: skip
    data, _ = fitted(x.iloc[np.sort(rng.choice(600, 400, replace=False))])
    assert data.beat_.irregular
    track = data.encode(x).tracks[0]
    assert track.inputs.shape[1] == data.input_size
    assert (track.inputs[:, -1] == 0).all()
    gap = data.encode(x.drop(index=range(100, 120))).tracks[0].inputs[100, -1]
    assert gap == pytest.approx(np.log(21))


def test_missing_values_are_carried_and_said():
    x = wave()
    x[10:13, 0] = np.nan
    data, _ = fitted(x)
    track = data.encode(x).tracks[0]
    assert (track.inputs[10:13, 0] == track.inputs[9, 0]).all()
    assert track.inputs[9:14, 2].tolist() == [0, 1, 1, 1, 0]
    assert track.target[10:13, 0].isnan().all()
    assert (track.inputs[:, :2].abs() <= CLIP).all()


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(24, 300), min_size=1, max_size=4), horizon=st.integers(1, 6))
def test_crops_lie_in_the_first_part_and_the_rest_in_the_second(lengths, horizon):
    blocks = [np.arange(n, dtype=float)[:, None] + 1000 * k for k, n in enumerate(lengths)]
    data, fold = fitted(blocks, horizon=horizon)
    whole = fold.train.batch(torch.arange(len(fold.train)))
    assert whole.inputs.shape[:2] == whole.target.shape[:2]
    tracks = fold.valid.tracks
    for block, track, cut in zip(blocks, tracks, data.cut_, strict=True):
        assert len(track) - track.since == len(block) - cut
    seen = fold.train.inputs[:, 0][fold.train.seen[:, 0] > 0]
    assert len(seen) == sum(data.cut_)
    batch = fold.valid.batch(torch.arange(len(tracks)))
    assert batch.weight.sum() == sum(len(b) - c for b, c in zip(blocks, data.cut_, strict=True))


def test_some_values_are_hidden_while_training_and_none_otherwise():
    _, fold = fitted(wave())
    indices = torch.arange(50)
    plain = fold.train.batch(indices)
    hidden = fold.train.batch(indices, torch.Generator().manual_seed(0))
    assert plain.inputs[..., 2:4].sum() == 0
    assert 0.005 < hidden.inputs[..., 2:4].mean() < 0.05
    torch.testing.assert_close(plain.target, hidden.target)
    gone = hidden.inputs[:, 1:, 2] == 1
    torch.testing.assert_close(hidden.inputs[:, 1:, 0][gone], plain.inputs[:, :-1, 0][gone])


def test_series_have_scales_of_their_own_and_new_ones_that_of_all():
    data, _ = fitted({"a": wave(), "b": 100 * wave()})
    assert data.scale_of("b")[1] == pytest.approx(100 * data.scale_of("a")[1], rel=1e-6)
    centre, _ = data.scale_of("new")
    assert (centre > data.scale_of("a")[0]).all()
    assert (centre < data.scale_of("b")[0]).all()


def test_what_was_learned_comes_back():
    x = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=400, freq="15min"),
                      "flow": wave()[:, 0], "heat": wave()[:, 1]})  # fmt: skip
    data, _ = fitted(x)
    again = Monitored(6)
    again.restore(*data.state())
    one, other = data.encode(x).tracks[0], again.encode(x).tracks[0]
    torch.testing.assert_close(one.inputs, other.inputs)
    torch.testing.assert_close(one.target, other.target)
    assert list(again.baselines_) == list(data.baselines_)


def test_a_channel_that_stands_still_has_a_unit():
    x = wave()
    x[:, 1] = 7
    data, _ = fitted(x)
    assert (data.units_ > 0).all()
    x[:, 1] = 0
    assert (fitted(x)[0].units_ > 0).all()


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros(10), "10 readings, and learning"),
        (np.full((100, 2), np.nan), "no value at all"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(x, sentence):
    with pytest.raises(InputError, match=sentence):
        Monitored(6).fit(x)


def test_labels_are_no_part_of_a_fit():
    with pytest.raises(InputError, match="without labels"):
        Monitored(6).fit(wave(), np.zeros(400))


def test_other_channels_are_refused():
    data, _ = fitted(wave())
    with pytest.raises(InputError, match="3 channels, and the model was fitted on 2"):
        data.encode(wave(channels=3))
    with pytest.raises(InputError, match="one label per reading"):
        data.examples(wave(), np.zeros(3))


def test_a_model_that_knows_the_hour_needs_stamps():
    x = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=400, freq="15min"),
                      "value": wave()[:, 0]})  # fmt: skip
    data, _ = fitted(x)
    with pytest.raises(InputError, match="add a time column"):
        data.encode(wave(channels=1))


def test_filling_knows_only_the_past():
    z = np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, np.nan], [3.0, 4.0]])
    np.testing.assert_array_equal(filled(z), [[0, 1], [2, 1], [2, 1], [3, 4]])
