"""Paths drawn patch by patch, against the distribution that they are drawn from."""

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.data.batches import Batches
from gatewise.errors import InputError


def made(count=3, steps=24 * 20, seed=0):
    noise = np.random.default_rng(seed)
    hours = np.arange(steps)
    return [
        10 + 3 * np.sin(hours * 2 * np.pi / 24 + i) + noise.normal(0, 0.5, steps)
        for i in range(count)
    ]


def fitted(series, horizon=36, **asked):
    return gw.Forecaster(
        horizon,
        output=asked.pop("output", "student_t"),
        decoding="autoregressive",
        encoder=gw.Encoder(hidden_size=8),
        trainer=gw.Trainer(max_steps=40, finish=0.0),
        **asked,
    ).fit(series)


@pytest.fixture(scope="module")
def model():
    return fitted(made())


def draw(model, series, paths=None):
    decode = model.task_.decode
    if paths is not None:
        decode.paths = paths
    (batch,) = Batches(model.data_.encode(series), 64)
    with torch.no_grad():
        return decode.draw(model.network_.eval(), batch), batch


def test_paths_reach_over_the_horizon_and_repeat_with_the_seed(model):
    paths, _ = draw(model, made())
    again, _ = draw(model, made())
    assert paths.shape == (3, 100, 36)
    assert np.isfinite(paths).all()
    assert np.array_equal(paths, again)


def test_the_first_patch_is_drawn_from_the_head_itself(model):
    paths, batch = draw(model, made(), paths=4000)
    model.task_.decode.paths = 100
    patch = model.data_.rhythm_.patch
    with torch.no_grad():
        output = model.network_.eval()(batch)
    told = output.quantiles[:, -1, :, :patch].numpy()
    found = np.quantile(paths[:, :, :patch], model.data_.levels, axis=1).swapaxes(0, 1)
    width = told[:, -1] - told[:, 0]
    assert np.abs(found - told).max() < 0.15 * width.max()
    middle = list(model.data_.levels).index(0.5)
    assert np.abs(found[:, middle] - told[:, middle]).mean() < 0.02 * width.mean()


def test_later_patches_follow_the_earlier_ones(model):
    """A path that is fed back moves what comes after it: first and second day go together."""
    paths, _ = draw(model, made(), paths=2000)
    model.task_.decode.paths = 100
    patch = model.data_.rhythm_.patch
    first, second = paths[:, :, :patch].mean(2), paths[:, :, patch : patch + 12].mean(2)
    together = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, second, strict=True)]
    assert np.mean(together) > 0.05


def test_predict_backtest_and_reload_answer_alike(model, tmp_path):
    series = made()
    answer = model.predict(series)
    assert answer.shape == (3, 36, 6)
    assert (np.diff(answer[..., 1:], axis=-1) >= 0).all()
    model.save(tmp_path / "model")
    assert np.array_equal(gw.load(tmp_path / "model").predict(series), answer)
    found = model.backtest(series, windows=2)
    assert np.isfinite(found.figures["gatewise"]["MASE"])


def test_an_ensemble_shares_the_paths():
    model = fitted(made(2), horizon=30, ensemble=2)
    paths, _ = draw(model, made(2))
    assert paths.shape == (2, 100, 30)


def test_counts_stay_counts():
    noise = np.random.default_rng(1)
    hours = np.arange(24 * 15)
    counts = [noise.poisson(3 + 2 * np.sin(hours * 2 * np.pi / 24)).astype(float) for _ in range(2)]
    model = fitted(counts, output="negative_binomial")
    paths, batch = draw(model, counts)
    plain = paths * batch.unit[:, None, None].numpy() + batch.center[:, None, None].numpy()
    assert np.abs(plain - plain.round()).max() < 1e-3
    assert plain.min() > -1e-3


def test_quantiles_cannot_be_fed_back():
    with pytest.raises(InputError, match="draws from a distribution"):
        gw.Forecaster(12, decoding="autoregressive").fit(made(1))
