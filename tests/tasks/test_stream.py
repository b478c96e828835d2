"""A stream says what a second look at the whole history would say."""

import numpy as np
import pandas as pd
import pytest

from gatewise.errors import InputError

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
    wave,
)


def data(kind):
    return several() if kind == "log" else changing()


@pytest.mark.parametrize("kind", ["log", "linear"])
@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize("gaps", [False, True])
def test_point_by_point(kind, ensemble, gaps):
    model = fitted(kind, ensemble)
    series = gappy(data(kind)) if gaps else data(kind)
    back = 17
    for y in series:
        y[-back - 1] = np.nan_to_num(y[-back - 1], nan=float(np.nanmean(y)))
    stream = model.stream([y[:-back] for y in series])
    close(stream.forecast(), model.predict([y[:-back] for y in series]))
    for k in range(back, 0, -1):
        assert stream.update(np.array([y[-k] for y in series])) is stream
        if all(np.isfinite(y[-k]) for y in series):
            close(stream.forecast(), model.predict([y[: len(y) - k + 1] for y in series]))
    np.testing.assert_array_equal(stream.steps, [len(y) for y in series])
    close(stream.forecast(), model.predict(series))


@pytest.mark.parametrize("kind", ["log", "linear"])
def test_in_blocks(kind):
    model, series = fitted(kind), gappy(data(kind))
    for y in series:
        y[-31] = y[-30] = y[-1]
    stream = model.stream([y[:-30] for y in series])
    for first, end in [(30, 29), (29, 18), (18, 0)]:
        stream.update(np.stack([y[len(y) - first : len(y) - end] for y in series]))
    close(stream.forecast(), model.predict(series))


def test_from_the_shortest_history_on():
    walk = np.random.default_rng(0).normal(size=80).cumsum()
    model = forecaster().fit(walk)
    assert model.data_.rhythm_.period == 1
    with pytest.raises(InputError, match="7 steps, and a stream starts from 8"):
        model.stream(walk[:7])
    stream = model.stream(walk[:8])
    for value in walk[8:]:
        stream.update(value)
    close(stream.forecast(), model.predict(walk))


def test_a_long_run_does_not_drift():
    model = fitted("linear")
    y = wave(600) - 10
    stream = model.stream(y[:40])
    stream.update(y[None, 40:])
    close(stream.forecast(), model.predict(y))


def rows(table, first, end, *, target=True):
    """Steps of every shop, counted from each one's end."""
    parts = []
    for _, shop in table.groupby("shop"):
        n = len(shop)
        part = shop.iloc[n - first : n - end].copy()
        if not target:
            part[["sales", "visitors"]] = np.nan
        parts.append(part)
    return pd.concat(parts)


@pytest.mark.parametrize("ensemble", [1, 2])
def test_with_all_kinds_of_covariates(ensemble):
    model = fitted("rich", ensemble)
    table = rich_table(150)
    back = 25
    known = pd.concat([part.iloc[:-back] for _, part in table.groupby("shop")])
    stream = model.stream(known)
    for k in range(back, HORIZON, -1):
        stream.update(rows(table, k, k - 1))
    with pytest.raises(InputError, match="'price'"):
        stream.forecast()
    whole = table.copy()
    late = whole.groupby("shop").cumcount(ascending=False) < HORIZON
    whole.loc[late, ["sales", "visitors"]] = np.nan
    # The last step again is no step that follows.
    with pytest.raises(InputError, match="goes on at"):
        stream.update(rows(table, HORIZON + 1, 0))
    stream = model.stream(known)
    for k in range(back, HORIZON + 1, -1):
        stream.update(rows(table, k, k - 1))
    last = pd.concat([rows(table, HORIZON + 1, HORIZON), rows(table, HORIZON, 0, target=False)])
    stream.update(last)
    theirs = model.predict(whole)
    ours = stream.forecast()
    assert list(ours.columns) == list(theirs.columns)
    assert ours["shop"].tolist() == theirs["shop"].tolist()
    assert (ours["day"].to_numpy() == theirs["day"].to_numpy()).all()
    close(numbers(ours), numbers(theirs))


def test_what_was_known_ahead_stays_known():
    model = fitted("rich")
    table = rich_table(150)
    late = table.groupby("shop").cumcount(ascending=False)
    ahead = table.copy()
    ahead.loc[late < 8, ["sales", "visitors"]] = np.nan
    stream = model.stream(ahead)
    stream.update(rows(table, 8, 7))
    stream.update(rows(table, 7, 6))
    ahead = table.copy()
    ahead.loc[late < 6, ["sales", "visitors"]] = np.nan
    close(numbers(stream.forecast()), numbers(model.predict(ahead)))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (np.array([1.0, 2.0]), "3 series"),
        (np.ones((2, 3)), "3 series"),
        (np.ones((3, 0)), "3 series"),
        (np.ones((1, 3, 1)), "3 series"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "3 series"),
        (np.array([1.0, np.inf, 1.0]), "infinite"),
        (np.array([1.0, -1.0, 1.0]), "positive"),
        (5.0, "3 series"),
    ],
)
def test_points_that_do_not_fit_are_refused_and_nothing_is_taken_in(points, said):
    model, series = fitted("log"), several()
    stream = model.stream([y[:-1] for y in series])
    before = stream.forecast()
    with pytest.raises(InputError, match=said):
        stream.update(points)
    np.testing.assert_array_equal(stream.forecast(), before)
    np.testing.assert_array_equal(stream.steps, [len(y) - 1 for y in series])
    stream.update(np.array([y[-1] for y in series]))
    close(stream.forecast(), model.predict(series))


def test_rows_that_do_not_follow_are_refused_and_nothing_is_taken_in():
    model, table = fitted("rich"), rich_table(130, ahead=HORIZON)
    fresh = rich_table(137)
    stream = model.stream(table)
    before = numbers(stream.forecast())
    new = pd.concat([part.iloc[-7:-6] for _, part in fresh.groupby("shop")])
    wrong = {
        "is not in this stream": new.assign(shop=new["shop"].replace("shop 1", "shop 9")),
        "has no new point": new[new["shop"] != "shop 2"],
        "goes on at": new.assign(day=new["day"] + pd.Timedelta(days=1)),
        "covariates": np.ones(3),
    }
    for said, points in wrong.items():
        with pytest.raises(InputError, match=said):
            stream.update(points)
        np.testing.assert_array_equal(numbers(stream.forecast()), before)
