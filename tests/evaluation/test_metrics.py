"""The measures against utilsforecast, direct sums and M4's published table."""

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from gatewise.errors import InputError
from gatewise.evaluation import metrics

LEVELS = (0.1, 0.5, 0.9)
SERIES, HORIZON, PAST = 7, 12, 60


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    actual = rng.normal(10, 4, (SERIES, HORIZON))
    actual[0, 0] = 0
    quantiles = np.sort(actual[..., None] + rng.normal(0, 2, (SERIES, HORIZON, 3)), axis=2)
    return actual, quantiles, rng.normal(10, 4, (SERIES, PAST))


def tables(actual, quantiles, past):
    """The same data as utilsforecast wants it."""
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(SERIES), HORIZON), "y": actual.ravel()})
    frame["ds"] = np.tile(np.arange(HORIZON) + PAST, SERIES)
    for k, name in enumerate(("low", "mid", "high")):
        frame[name] = quantiles[..., k].ravel()
    frame["mid-lo-80"], frame["mid-hi-80"] = frame["low"], frame["high"]
    train = pd.DataFrame({"unique_id": np.repeat(np.arange(SERIES), PAST), "y": past.ravel()})
    return frame, train.assign(ds=np.tile(np.arange(PAST), SERIES))


def by_series(table, name="mid"):
    return table.sort_values("unique_id")[name].to_numpy()


@pytest.mark.parametrize("name", ["mae", "mse", "rmse", "nd"])
def test_plain_measures_agree_with_utilsforecast(data, name):
    frame, _ = tables(*data)
    theirs = by_series(getattr(losses, name)(frame, models=["mid"]))
    ours = getattr(metrics, name)(data[0], data[1][..., 1], by="series")
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_scaled_measures_agree_with_utilsforecast(data):
    actual, quantiles, past = data
    frame, train = tables(*data)
    ours = metrics.mase(actual, quantiles[..., 1], past, 6, by="series")
    theirs = by_series(losses.mase(frame, models=["mid"], seasonality=6, train_df=train))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    # theirs lies between 0 and 1, M4's between 0 and 200
    np.testing.assert_allclose(
        metrics.smape(actual, quantiles[..., 1], by="series"),
        200 * by_series(losses.smape(frame, models=["mid"])),
        rtol=1e-12,
    )


def test_quantile_measures_agree_with_utilsforecast(data):
    actual, quantiles, _ = data
    frame, _ = tables(*data)
    named = {"m": ["low", "mid", "high"]}
    levels = np.array(LEVELS)
    theirs = by_series(losses.mqloss(frame, models=named, quantiles=levels), "m")
    ours = metrics.quantile_loss(actual, quantiles, LEVELS, by="series")
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    theirs = by_series(losses.scaled_crps(frame, models=named, quantiles=levels), "m")
    ours = metrics.weighted_quantile_loss(actual, quantiles, LEVELS, by="series")
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    theirs = by_series(losses.coverage(frame, models=["mid"], level=80))
    ours = metrics.coverage(actual, quantiles[..., 0], quantiles[..., 2], by="series")
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_interval_score_agrees_with_utilsforecast(data):
    actual, quantiles, past = data
    frame, _ = tables(*data)
    theirs = by_series(losses.winkler_score(frame, models=["mid"], level=80))
    scale = np.abs(past[:, 6:] - past[:, :-6]).mean(axis=1)
    ours = metrics.msis(actual, quantiles[..., 0], quantiles[..., 2], past, 6, 0.8, by="series")
    np.testing.assert_allclose(ours, theirs / scale, rtol=1e-12)


def test_crps_of_samples_is_the_integral_over_levels():
    rng = np.random.default_rng(1)
    actual, samples = rng.normal(size=(2, 3)), rng.normal(size=(2, 3, 40))
    pairs = np.abs(samples[..., None] - samples[..., None, :]).mean(axis=(2, 3))
    direct = np.abs(samples - actual[..., None]).mean(axis=2) - pairs / 2
    np.testing.assert_allclose(metrics.crps_samples(actual, samples), direct.mean(), rtol=1e-12)
    # The quantiles of 40 samples are the samples in order, each for 1/40 of all levels.
    levels = (np.arange(40) + 0.5) / 40
    ranked = np.sort(samples, axis=2)
    np.testing.assert_allclose(metrics.crps(actual, ranked, levels), direct.mean(), rtol=1e-12)


def test_crps_of_a_normal_distribution():
    from statistics import NormalDist

    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = np.array([NormalDist().inv_cdf(q) for q in levels])[None, None]
    # Gneiting & Raftery 2007, equation 21, at the mean: sigma (sqrt 2 - 1) / sqrt pi
    truth = (np.sqrt(2) - 1) / np.sqrt(np.pi)
    np.testing.assert_allclose(metrics.crps([[0.0]], quantiles, levels), truth, rtol=1e-4)


def test_missing_values_are_left_out(data):
    actual, quantiles, past = data
    holes = actual.copy()
    holes[2, 5:] = np.nan
    holes[4] = np.nan
    past_holes = past.copy()
    past_holes[1, :20] = np.nan
    mid = quantiles[..., 1]
    for by, shape in (("series", (SERIES,)), ("step", (HORIZON,))):
        assert metrics.mase(holes, mid, past_holes, 6, by=by).shape == shape
    own = metrics.mae(holes, mid, by="series")
    np.testing.assert_allclose(own[2], np.abs(actual - mid)[2, :5].mean())
    assert np.isnan(own[4])
    scale = np.abs(past[1, 26:] - past[1, 20:-6]).mean()
    np.testing.assert_allclose(metrics.seasonal_scale(past_holes, 6)[1], scale)
    every = metrics.mase(holes, mid, past_holes, 6, by="series")
    np.testing.assert_allclose(metrics.mase(holes, mid, past_holes, 6), np.nanmean(every))
    kept = ~np.isnan(holes)
    np.testing.assert_allclose(metrics.mse(holes, mid), ((actual - mid)[kept] ** 2).mean())
    inside = metrics.coverage(holes, quantiles[..., 0], quantiles[..., 2])
    truth = ((actual >= quantiles[..., 0]) & (actual <= quantiles[..., 2]))[kept].mean()
    np.testing.assert_allclose(inside, truth)


def test_history_of_a_panel_or_of_uneven_lists():
    from gatewise.data import read_panel

    series = [[1.0, 2, 4, 7], [5.0, 3]]
    expected = [2.0, 2.0]
    for history in (series, read_panel(series), [np.array(s) for s in series]):
        np.testing.assert_allclose(metrics.seasonal_scale(history, 1), expected)
    assert np.isnan(metrics.seasonal_scale([[1.0, 1, 1]], 1)[0])
    assert np.isnan(metrics.seasonal_scale(series, 2)[1])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"actual has shape \(1, 2\) and the forecast \(1, 3\)"):
        metrics.mae([[1, 2]], [[1, 2, 3]])
    with pytest.raises(InputError, match="3 levels"):
        metrics.crps([[1.0]], [[[1.0, 2.0]]], LEVELS)
    with pytest.raises(InputError, match=r"level 1\.5"):
        metrics.quantile_loss([[1.0]], [[[1.0]]], [1.5])
    with pytest.raises(InputError, match="by is 'steps'"):
        metrics.mae([[1.0]], [[1.0]], by="steps")
    with pytest.raises(InputError, match="insample has 2 series and actual has 1"):
        metrics.mase([[1.0]], [[1.0]], [[1.0, 2.0], [1.0, 2.0]], 1)
