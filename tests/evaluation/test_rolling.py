"""Figures are those of the measures on the same arrays; the verdict says the plain truth."""

from dataclasses import replace

import numpy as np
import pytest

from gatewise.evaluation import baselines, metrics
from gatewise.evaluation.rolling import Rolling, joined, roll

LEVELS = (0.1, 0.5, 0.9)
HORIZON, PERIOD = 4, 6


def made(windows=9, seed=0, noise=0.3, spoiled=0.0, period=PERIOD):
    """Windows over two seasonal series, and a forecast that errs by `noise`."""
    rng = np.random.default_rng(seed)
    t = np.arange(80)
    series = [10 + 3 * np.sin(t * 2 * np.pi / PERIOD) + rng.normal(size=80) for _ in range(2)]
    names, origins, histories, actual = [], [], [], []
    for w in range(windows):
        i, end = w % 2, 40 + 3 * w
        names.append(f"series {i}")
        origins.append(end)
        histories.append(series[i][:end].copy())
        actual.append(series[i][end : end + HORIZON].copy())
    actual = np.stack(actual)
    point = actual + noise * rng.normal(size=actual.shape)
    actual[rng.random(actual.shape) < spoiled] = np.nan
    widths = np.array([-1.0, 0.0, 1.0])
    return names, np.array(origins), histories, actual, (point, point[..., None] + widths), period


def rolled(**rest):
    names, origins, histories, actual, ours, period = made(**rest)
    return roll(names, origins, histories, actual, LEVELS, ours, period, None)


@pytest.mark.parametrize("spoiled", [0.0, 0.2])
def test_figures_are_those_of_the_measures(spoiled):
    found = rolled(spoiled=spoiled)
    _, _, histories, actual, _, _ = made(spoiled=spoiled)
    assert next(iter(found.figures)) == "gatewise"
    bar = None
    for name in ("naive2", *found.points):
        point, quantiles = found.points[name], found.quantiles[name]
        row = found.figures[name]
        mase = metrics.mase(actual, point, histories, PERIOD)
        smape = metrics.smape(actual, point)
        bar = bar or (mase, smape)
        expected = {
            "MASE": mase,
            "sMAPE": smape,
            "OWA": (mase / bar[0] + smape / bar[1]) / 2,
            "RMSE": metrics.rmse(actual, point),
            "CRPS": metrics.crps(actual, quantiles, LEVELS),
            "wQL": metrics.weighted_quantile_loss(actual, quantiles, LEVELS),
            "MSIS 0.8": metrics.msis(
                actual, quantiles[..., 0], quantiles[..., 2], histories, PERIOD, level=0.8
            ),
            "coverage 0.8": metrics.coverage(actual, quantiles[..., 0], quantiles[..., 2]),
        }
        assert row == pytest.approx(expected, rel=1e-12), name


def test_baselines_see_each_history_to_its_end():
    histories = made(windows=5)[2]
    found = rolled(windows=5)
    for name, forecast in {
        "naive": lambda h: baselines.naive(h, HORIZON, LEVELS),
        "seasonal naive": lambda h: baselines.seasonal_naive(h, HORIZON, PERIOD, LEVELS),
        "naive2": lambda h: baselines.naive2(h, HORIZON, PERIOD, LEVELS),
        "drift": lambda h: baselines.drift(h, HORIZON, LEVELS),
    }.items():
        for w, history in enumerate(histories):
            own = forecast([history])
            np.testing.assert_allclose(found.points[name][w], own.point[0], rtol=1e-12)
            np.testing.assert_allclose(found.quantiles[name][w], own.quantiles[0], rtol=1e-10)


def test_without_a_season_there_is_no_seasonal_naive():
    found = rolled(period=1)
    assert set(found.points) == {"gatewise", "naive", "drift"}
    assert "OWA" not in found.figures["gatewise"]


def test_tables_hold_the_same_errors():
    found = rolled(spoiled=0.1)
    steps, each, errors = found.steps, found.each, found.errors
    for k in range(HORIZON):
        only = replace(
            found,
            actual=found.actual[:, k : k + 1],
            points={n: p[:, k : k + 1] for n, p in found.points.items()},
            quantiles={n: q[:, k : k + 1] for n, q in found.quantiles.items()},
        )
        assert steps["gatewise"][k] == pytest.approx(only.figures["gatewise"]["MASE"])
    for row, name in enumerate(each["series"]):
        mine = [w for w, n in enumerate(found.series) if n == name]
        own = np.nanmean(found.by_window("naive")[mine])
        assert each["naive"][row] == pytest.approx(own)
    assert {len(column) for column in errors.values()} == {found.actual.size}
    np.testing.assert_array_equal(errors["actual"].reshape(found.actual.shape), found.actual)
    np.testing.assert_array_equal(errors["q0.9"].reshape(found.actual.shape), ours_at(found, 2))
    assert errors["origin"][HORIZON] == found.origins[1]
    assert errors["step"][:HORIZON].tolist() == [1, 2, 3, 4]


def ours_at(found, k):
    return found.quantiles["gatewise"][..., k]


def test_coverage_counts_what_came():
    found = rolled(spoiled=0.2)
    seen = np.isfinite(found.actual)
    for k in range(3):
        below = [a <= q for a, q in zip(found.actual[seen], ours_at(found, k)[seen], strict=True)]
        assert found.coverage[k] == pytest.approx(np.mean(below))


def test_a_good_forecast_is_said_to_be():
    first, *rest = rolled(noise=0.05).verdict
    assert first.startswith("MASE 0.")
    assert "% below the best simple forecast" in first
    assert "80 % intervals held 100 %" in rest[-1]


def test_a_bad_forecast_is_said_to_lose_and_to_whom():
    found = rolled(noise=20.0)
    first = found.verdict[0]
    assert first.startswith("This model loses: its MASE is")
    for name in ("seasonal naive", "naive", "drift", "naive2"):
        assert f"{name} (" in first


def test_a_copy_of_the_last_value_is_called_one():
    found = rolled()
    assert not found.copies_last_value
    last = np.array([[h[-1]] * HORIZON for h in found.histories])
    copy = replace(found, points={**found.points, "gatewise": last + 1e-3})
    assert copy.copies_last_value
    assert any("copies the last value" in s for s in copy.verdict)
    assert copy.verdict[0].startswith("This model loses")


def test_a_tie_is_no_win():
    found = rolled()
    tie = replace(found, points={**found.points, "gatewise": found.points["seasonal naive"]})
    assert tie.verdict[0].startswith("This model loses")


def test_what_cannot_be_scaled_is_said():
    found = replace(rolled(), scale=np.full(9, np.nan))
    assert found.verdict[0].startswith("MASE cannot be told")


def test_windows_forecast_apart_are_put_together():
    whole = rolled(windows=8)
    half = np.arange(8) < 4

    def part(kept):
        rows = np.flatnonzero(kept)
        return Rolling(
            tuple(whole.series[r] for r in rows),
            whole.origins[kept],
            tuple(whole.histories[r] for r in rows),
            whole.actual[kept],
            whole.levels,
            {n: p[kept] for n, p in whole.points.items()},
            {n: q[kept] for n, q in whole.quantiles.items()},
            whole.scale[kept],
            ("a note",),
        )

    found = joined([part(half), part(~half)])
    assert found.figures == whole.figures
    assert found.verdict == (*whole.verdict, "a note")


def test_it_prints_its_figures_and_what_they_mean():
    text = str(rolled())
    assert "seasonal naive" in text
    assert "MASE" in text
