"""A backtest is what predict would have said on each cut history, one after another."""

import numpy as np
import pandas as pd
import pytest

from gatewise.data import read_panel
from gatewise.errors import InputError
from gatewise.tasks.backtesting import forecast_past

from .made import (
    HORIZON,
    changing,
    close,
    fitted,
    forecaster,
    gappy,
    numbers,
    rich_table,
    several,
    table,
    wave,
)


def one_by_one(model, found, series):
    """Each window's forecast by predict alone: point and quantiles, [windows, horizon, columns]."""
    names = list(dict.fromkeys(found.series))
    place = {name: i for i, name in enumerate(names)}
    answers = []
    for name, history in zip(found.series, found.histories, strict=True):
        answers.append(model.predict(series[place[name]][: len(history)])[0])
    return np.stack(answers)


@pytest.mark.parametrize("kind", ["log", "linear"])
@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize("step", [1, 5, None])
def test_all_phases_at_once_are_each_history_alone(kind, ensemble, step):
    model = fitted(kind, ensemble)
    series = several() if kind == "log" else changing()
    found = model.backtest(series, windows=7, step=step)
    assert len(found.series) == 21
    alone = one_by_one(model, found, series)
    close(found.points["gatewise"], alone[..., 0])
    close(found.quantiles["gatewise"], alone[..., 1:])


def test_gaps_in_histories_change_nothing_of_that():
    model, series = fitted("log"), gappy(several())
    panel = read_panel(series)
    which, ends = [], []
    for i, y in enumerate(series):
        own = [e for e in range(60, len(y) - HORIZON, 4) if np.isfinite(y[e - 1])]
        which += [i] * len(own)
        ends += own
    found = forecast_past(
        model.data_, model.network_, model.task_.decode, panel, np.array(which), np.array(ends)
    )
    close(found.points["gatewise"], one_by_one(model, found, series)[..., 0])


def test_covariates_ahead_are_known_and_past_ones_are_not():
    model, sales = fitted("rich"), rich_table()
    found = model.backtest(sales, windows=3, step=5)
    ours = np.concatenate([found.points["gatewise"][..., None], found.quantiles["gatewise"]], -1)
    for window, (shop, history) in enumerate(zip(found.series, found.histories, strict=True)):
        cut = sales[sales["shop"] == shop].reset_index(drop=True)
        cut.loc[len(history) :, ["sales", "visitors"]] = np.nan
        close(ours[window], numbers(model.predict(cut)))


def test_windows_are_counted_from_the_end():
    model = fitted("log")
    found = model.backtest(several(), windows=2, step=4)
    assert found.origins.tolist() == [140, 144, 80, 84, 111, 115]
    for i, y in enumerate(several()):
        np.testing.assert_array_equal(found.actual[2 * i + 1], y[-HORIZON:])
        np.testing.assert_array_equal(found.actual[2 * i], y[-HORIZON - 4 : -4])
        np.testing.assert_array_equal(found.histories[2 * i], y[: -HORIZON - 4])
    default = model.backtest(several(), windows=2)
    assert np.diff(default.origins)[0] == HORIZON


def test_windows_that_were_fitted_on_are_said_to_flatter():
    model = fitted("log")
    assert "flatters it" in model.backtest(several(), windows=2).verdict[-1]
    longer = [np.concatenate([y, wave(20, 7)]) for y in several()]
    assert not any("flatters" in s for s in model.backtest(longer, windows=2).verdict)


def test_tables_keep_their_names_and_stamps():
    model = forecaster().fit(table())
    found = model.backtest(table(), windows=2)
    assert set(found.series) == {"shop 0", "shop 1", "shop 2"}
    first = pd.Timestamp(found.origins[0])
    assert first == pd.Timestamp("2023-01-01") + pd.Timedelta(days=150 - 2 * HORIZON)
    assert set(found.errors) >= {"series", "origin", "step", "actual", "forecast", "q0.9"}


def test_refitting_uses_what_was_known_at_each_origin():
    series = several()
    model = forecaster(steps=5).fit(series)
    found = model.backtest(series, windows=2, step=9, refit=True)
    assert len(found.series) == 6
    assert not any("flatters" in s for s in found.verdict)
    back = HORIZON + 9
    own = forecaster(steps=5).fit([y[:-back] for y in series])
    rows = [w for w, h in enumerate(found.histories) if len(h) in [len(y) - back for y in series]]
    alone = own.predict([y[:-back] for y in series])
    order = np.argsort([[0, 1, 2].index(found.series[w]) for w in rows])
    close(found.points["gatewise"][np.array(rows)[order]], alone[..., 0])


@pytest.mark.parametrize("wrong", [{"windows": 0}, {"windows": 1.5}, {"step": 0}, {"step": True}])
def test_wrong_numbers_are_refused(wrong):
    with pytest.raises(InputError, match="whole number"):
        fitted("log").backtest(several(), **wrong)


def test_series_that_are_too_short_are_refused():
    with pytest.raises(InputError, match="needs 42 steps"):
        fitted("log").backtest(several()[0][:41])


def test_a_short_series_among_long_ones_is_left_out():
    found = fitted("log").backtest([*several(), several()[0][:41]], windows=2)
    assert set(found.series) == {0, 1, 2}


def test_the_fits_own_figures_are_a_backtest_of_what_was_held_out():
    model = forecaster(trainer=fitted("log").trainer, ensemble=1)
    model = model.set_params(trainer__finish=0.0).fit(several())
    judged = model.task_.judge.found_
    alone = one_by_one(model, judged, several())
    close(judged.points["gatewise"], alone[..., 0])
    assert model.summary_.table == judged.figures
    assert len(model.summary_.sentences) >= 2


@pytest.mark.parametrize("horizon", [1, 6])
def test_intervals_are_honest_without_a_season(horizon):
    rng = np.random.default_rng(0)
    walks = [rng.normal(size=n).cumsum() for n in (300, 200, 250)]
    model = forecaster(steps=200, horizon=horizon).fit(walks)
    assert model.data_.rhythm_.period == 1
    assert 0.7 < model.summary_.table["gatewise"]["coverage 0.8"] < 0.9
