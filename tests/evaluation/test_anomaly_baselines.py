"""Baselines of anomaly scores against plain loops, and what they must not know."""

import math

import numpy as np
import pytest

from gatewise.errors import InputError
from gatewise.evaluation import anomaly_baselines as baselines
from gatewise.evaluation.anomaly_smoothing import smooth, smoothing_window


@pytest.fixture
def wave():
    rng = np.random.default_rng(0)
    return np.sin(np.arange(600) * 2 * np.pi / 24) + 0.1 * rng.normal(size=600)


def test_deviation(wave):
    found = baselines.Deviation.fit(wave[:300]).score(wave)
    wanted = np.abs(wave - wave[:300].mean()) / wave[:300].std()
    np.testing.assert_allclose(found, wanted)


def test_deviation_of_channels_with_gaps_and_a_constant():
    x = np.array([[0.0, 7.0], [2.0, 7.0], [np.nan, 7.0]])
    model = baselines.Deviation.fit(x)
    np.testing.assert_allclose(
        model.score([[1.0, 7.0], [4.0, 8.0], [np.nan, np.nan]]), [0, 5**0.5, 0]
    )


def test_seasonal_residual(wave):
    found = baselines.SeasonalResidual.fit(wave[:300], 24).score(wave)
    usual = np.sqrt(np.mean((wave[24:300] - wave[:276]) ** 2))
    wanted = np.r_[np.zeros(24), np.abs(wave[24:] - wave[:-24]) / usual]
    np.testing.assert_allclose(found, wanted)
    assert not baselines.SeasonalResidual.fit(wave[:10], 24).score(wave[:20]).any()


def test_pca_by_singular_values(wave):
    window, kept = 20, 3
    model = baselines.WindowPCA.fit(wave[:300], window, kept)
    z = (wave - wave[:300].mean()) / wave[:300].std()
    rows = np.stack([z[i : i + window] for i in range(len(z) - window + 1)])
    centre = rows[: 300 - window + 1].mean(axis=0)
    basis = np.linalg.svd(rows[: 300 - window + 1] - centre, full_matrices=False)[2][:kept]
    apart = rows - centre
    error = ((apart - apart @ basis.T @ basis) ** 2).mean(axis=1)
    wanted = [error[max(0, t - window + 1) : t + 1].mean() for t in range(len(z))]
    np.testing.assert_allclose(model.score(wave), wanted, atol=1e-9)


def test_pca_finds_what_no_single_value_shows(wave):
    wave[400:424] = wave[400:424][::-1].copy()
    scores = baselines.WindowPCA.fit(wave[:300]).score(wave)
    assert 376 <= scores.argmax() <= 447


def test_pca_of_a_series_shorter_than_its_window(wave):
    model = baselines.WindowPCA.fit(wave[:300], window=50)
    assert model.score(wave[:10]).shape == (10,)


def numenta(x, size, step):
    """NAB's windowed Gaussian, reading by reading."""
    held, buffer, mean, spread, found = [], [], 0.0, 1.0, []
    for value in x:
        score = 0.0
        if held:
            score = 1 - 0.5 * math.erfc(abs(value - mean) / spread / math.sqrt(2))
        found.append(score)
        moved = False
        if len(held) < size:
            held, moved = [*held, value], True
        else:
            buffer.append(value)
            if len(buffer) == step:
                held, buffer, moved = held[step:] + buffer, [], True
        if moved:
            mean, spread = np.mean(held), np.std(held) or 1e-6
    return np.array(found)


@pytest.mark.parametrize(("size", "step"), [(50, 7), (30, 30), (1000, 100)])
def test_windowed_gaussian(wave, size, step):
    wave[:5] = 1.0
    found = baselines.WindowedGaussian(size, step).score(wave)
    np.testing.assert_allclose(found, numenta(wave, size, step), atol=1e-9)


def test_windowed_gaussian_of_channels_and_gaps(wave):
    both = np.stack([wave, np.zeros_like(wave)], axis=1)
    both[100, 0] = np.nan
    model = baselines.WindowedGaussian()
    assert model.score(both)[100] == model.score(both[:, 1])[100]
    assert np.isfinite(model.score(both)).all()
    assert not model.score(np.full(5, np.nan)).any()


@pytest.mark.parametrize("name", ["random", "z", "seasonal_naive", "windowed_gaussian"])
def test_causal_scores_do_not_change_with_what_comes_after(wave, name):
    scorer = baselines.fit_baselines(wave[:300], 24)[name]
    assert scorer.causal
    later = wave.copy()
    later[500:] += 100
    np.testing.assert_array_equal(scorer.score(wave)[:500], scorer.score(later)[:500])


def test_pca_says_that_it_is_not_causal(wave):
    assert not baselines.fit_baselines(wave, 24)["pca"].causal


def test_nothing_is_learned_from_what_comes_after_the_training_part(wave):
    again = baselines.fit_baselines([wave[:150], wave[150:300]], 24)
    assert again["z"].mean == pytest.approx(wave[:300].mean())


def test_saved_and_restored(wave):
    both = np.stack([wave, wave[::-1]], axis=1)
    fitted = baselines.fit_baselines(both[:300], 24, seed=3)
    back = baselines.restored(baselines.arrays_of(fitted))
    assert list(back) == list(fitted)
    for name in fitted:
        np.testing.assert_array_equal(back[name].score(both), fitted[name].score(both))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: baselines.Deviation.fit([np.nan, np.nan]), "no observed value in a channel"),
        (lambda: baselines.SeasonalResidual.fit([1.0, 2.0], 0), "season is 0"),
        (lambda: baselines.WindowPCA.fit([1.0]), "fewer than 2 steps"),
        (lambda: baselines.Deviation.fit([1.0, 2.0]).score([]), "not empty"),
        (lambda: smoothing_window(0), "season is 0"),
        (lambda: smooth([1.0], 0), "window is 0"),
        (lambda: smooth([[1.0]], 1), "scores has shape"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_smoothing_is_the_mean_of_those_before():
    scores = np.random.default_rng(0).random(50)
    scores[[0, 7, 8]] = np.nan
    wanted = [np.nanmean(scores[max(0, t - 4) : t + 1]) if t else np.nan for t in range(50)]
    np.testing.assert_allclose(smooth(scores, 5), wanted)
    np.testing.assert_array_equal(smooth(scores, 1), scores)
