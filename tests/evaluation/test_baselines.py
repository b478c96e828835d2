"""The baselines against M4's published table and against loops that say what they do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import datasets
from gatewise.errors import InputError
from gatewise.evaluation import baselines, metrics
from gatewise.evaluation.linear import Linear

LEVELS = (0.025, 0.5, 0.975)


@pytest.fixture(scope="module")
def m4(data_dir):
    if not (data_dir / "m4_hourly").is_dir():
        pytest.skip("no M4 hourly data: see gatewise.datasets.find")
    return datasets.m4_hourly(data_dir)


@pytest.fixture(scope="module")
def m4_naive2(m4):
    return baselines.naive2(m4[0], 48, 24).point


@pytest.mark.parametrize(
    ("method", "smape", "mase", "owa"),
    [
        ("naive", 43.003, 11.608, 3.593),
        ("seasonal_naive", 13.912, 1.193, 0.627),
        ("naive2", 18.383, 2.395, 1.000),
    ],
)
def test_published_table_of_m4(m4, m4_naive2, method, smape, mase, owa):
    train, test = m4
    if method == "naive":
        point = baselines.naive(train, 48).point
    elif method == "naive2":
        point = m4_naive2
    else:
        point = baselines.seasonal_naive(train, 48, 24).point
    assert metrics.smape(test, point) == pytest.approx(smape, abs=6e-4)
    assert metrics.mase(test, point, train, 24) == pytest.approx(mase, abs=6e-4)
    assert metrics.owa(test, point, train, 24, m4_naive2) == pytest.approx(owa, abs=1e-3)


def test_intervals_cover_what_they_promise(m4):
    train, test = m4
    found = baselines.seasonal_naive(train, 48, 24, LEVELS).quantiles
    assert metrics.coverage(test, found[..., 0], found[..., 2]) == pytest.approx(0.95, abs=0.02)
    assert (np.diff(found, axis=2) >= 0).all()


def test_the_linear_model_beats_the_naive_ones(m4):
    train, test = m4
    point = (
        Linear.fit(train, horizon=48, context=336, period=24, max_windows=8000).predict(train).point
    )
    seasonal = baselines.seasonal_naive(train, 48, 24).point
    assert metrics.mase(test, point, train, 24) < metrics.mase(test, seasonal, train, 24)


values = st.one_of(st.floats(-100, 100), st.just(float("nan")))
histories = st.lists(values, min_size=1, max_size=30).filter(lambda v: not all(np.isnan(v)))


@settings(max_examples=60, deadline=None)
@given(st.lists(histories, min_size=1, max_size=4), st.integers(1, 9), st.integers(1, 5))
def test_each_point_as_a_loop_says(series, horizon, period):
    points = {
        "naive": baselines.naive(series, horizon).point,
        "seasonal": baselines.seasonal_naive(series, horizon, period).point,
        "drift": baselines.drift(series, horizon).point,
        "mean": baselines.mean(series, horizon).point,
    }
    for i, row in enumerate(series):
        seen = [(t, v) for t, v in enumerate(row) if not np.isnan(v)]
        (first_t, first), (last_t, last) = seen[0], seen[-1]
        for h in range(horizon):
            assert points["naive"][i, h] == last
            assert points["mean"][i, h] == pytest.approx(np.mean([v for _, v in seen]), abs=1e-9)
            slope = (last - first) / max(last_t - first_t, 1)
            ahead = len(row) + h - last_t
            assert points["drift"][i, h] == pytest.approx(last + slope * ahead, abs=1e-6)
            same = [v for t, v in seen if (len(row) + h - t) % period == 0]
            assert points["seasonal"][i, h] == (same[-1] if same else last)


def test_quantiles_come_from_errors_of_as_many_steps():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=400).cumsum()
    for method, errors in {
        "naive": lambda h: walk[h:] - walk[:-h],
        "drift": lambda h: (
            walk[h + 1 :] - [walk[t] + h * (walk[t] - walk[0]) / t for t in range(1, 400 - h)]
        ),
        "mean": lambda h: walk[h:] - [walk[: t + 1].mean() for t in range(400 - h)],
    }.items():
        found = getattr(baselines, method)([walk], 5, LEVELS)
        for h in (1, 5):
            own = errors(h)
            if method == "drift":  # the first step has no slope yet
                own = np.append(own, walk[h] - walk[0])
            expected = found.point[0, h - 1] + np.quantile(own, LEVELS)
            np.testing.assert_allclose(found.quantiles[0, h - 1], expected, rtol=1e-9)


def test_naive2_undoes_its_season():
    pattern = np.array([0.5, 1.0, 1.5, 1.0])
    series = 100 * np.tile(pattern, 10)
    found = baselines.naive2([series, series[:-2], series - 100], 6, 4, LEVELS)
    np.testing.assert_allclose(found.point[0], 100 * np.tile(pattern, 2)[:6], rtol=1e-9)
    np.testing.assert_allclose(found.point[1], 100 * np.roll(np.tile(pattern, 2), -2)[:6])
    np.testing.assert_allclose(found.point[2], found.point[0] - 100, atol=1e-9)
    np.testing.assert_allclose(found.quantiles[0, :, 0], found.point[0], rtol=1e-9)


def test_naive2_without_a_season_is_naive():
    noise = np.random.default_rng(0).normal(50, 1, (3, 100))
    noise[1, 40:50] = np.nan
    np.testing.assert_allclose(
        baselines.naive2(noise, 5, 12).point, baselines.naive(noise, 5).point, rtol=1e-12
    )


def test_short_and_constant_histories():
    for method in (baselines.naive, baselines.drift, baselines.mean):
        found = method([[3.0], [2.0, 2.0]], 3, LEVELS)
        assert np.isfinite(found.quantiles).all()
    assert np.isfinite(baselines.seasonal_naive([[3.0]], 3, 24, LEVELS).quantiles).all()
    assert np.isfinite(baselines.naive2([[3.0]], 3, 24, LEVELS).quantiles).all()


def test_what_is_refused():
    with pytest.raises(InputError, match="horizon is 0"):
        baselines.naive([[1.0]], 0)
    with pytest.raises(InputError, match="period is 0"):
        baselines.seasonal_naive([[1.0]], 1, 0)
    with pytest.raises(InputError, match="series 1 has no observed value"):
        baselines.naive([[1.0], [np.nan]], 1)
    with pytest.raises(InputError, match="need 30 steps and the longest series has 10"):
        Linear.fit([np.arange(10.0)], horizon=6, context=24)


def test_linear_learns_an_autoregression_and_serves_any_scale():
    rng = np.random.default_rng(0)
    steps = np.arange(600)
    series = np.sin(steps / 9) + 0.5 * np.sin(steps / 4 + 1)
    series = np.stack([series, 1000 * series + 5e4]) + 1e-3 * rng.normal(size=(2, 600))
    series[1] = 1000 * series[0] + 5e4
    model = Linear.fit(series[:, :580], horizon=20, context=48)
    found = model.predict(series[:, :580], LEVELS)
    assert np.abs(found.point[0] - series[0, 580:]).max() < 0.05
    np.testing.assert_allclose(found.point[1], 1000 * found.point[0] + 5e4, rtol=1e-6)
    assert metrics.coverage(series[:, 580:], found.quantiles[..., 0], found.quantiles[..., 2]) > 0.8


def test_linear_takes_gaps_and_short_series():
    rng = np.random.default_rng(0)
    series = rng.normal(size=(5, 120)).cumsum(axis=1)
    series[0, 30:35] = np.nan
    series[1, :100] = np.nan
    model = Linear.fit(series, horizon=4, context=24, max_windows=100)
    assert np.isfinite(model.predict(series, LEVELS).quantiles).all()
    assert np.isfinite(model.predict([series[2, :5]]).point).all()
    again = Linear.fit(series, horizon=4, context=24, max_windows=100)
    np.testing.assert_array_equal(model.weights, again.weights)
