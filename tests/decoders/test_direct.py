"""Intervals that held-out windows set right hold what they promise on windows that follow."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gatewise.decoders.direct import NARROWEST, WIDEST, Direct, stretch_factors, stretched

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
NORMAL = np.array([-1.959964, -1.281552, 0.0, 1.281552, 1.959964])


def batches(windows, horizon, wrong, seed, *, size=1.0, informative=True, rows=100):
    """Windows whose quantiles are wrong by a factor; the truth is normal about the point."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(windows // rows):
        volatility = np.exp(rng.normal(size=(rows, 1))) * size
        own = np.exp(0.7 * rng.normal(size=(rows, 1, 1))) if informative else np.ones((rows, 1, 1))
        told = own if informative else np.exp(0.7 * rng.normal(size=(rows, 1, 1)))
        point = rng.normal(size=(rows, 1, horizon))
        noise = rng.normal(size=(rows, 1, horizon)) * own * volatility[..., None]
        spread = told * volatility[..., None] * wrong
        quantiles = point[:, :, None] + NORMAL[:, None] * spread[:, :, None]
        made.append(
            SimpleNamespace(
                point=torch.from_numpy(point),
                quantiles=torch.from_numpy(quantiles),
                volatility=torch.from_numpy(volatility),
                target=torch.from_numpy(point + noise),
                weight=torch.ones(rows, 1, horizon),
            )
        )
    return made


def network(batch):
    return batch


def held(decode, windows):
    """Share of what came at or below each quantile."""
    below = []
    for batch in windows:
        answer = decode(network, batch)
        came = batch.target[:, 0].numpy()
        below.append((came[:, None] <= answer.quantiles).mean((0, 2)))
    return np.mean(below, 0)


@pytest.mark.parametrize("wrong", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("informative", [True, False])
def test_coverage_is_right_after_calibration_however_wrong_before(wrong, informative):
    count, horizon = 4000, 3
    decode = Direct(LEVELS)
    decode.fit(network, batches(count, horizon, wrong, 1, informative=informative))
    found = held(decode, batches(count, horizon, wrong, 2, informative=informative))
    level = np.array(LEVELS)
    # Both samples err; four standard errors of the difference.
    error = 4 * np.sqrt(2 * level * (1 - level) / (count * horizon))
    kept = level != 0.5
    assert (np.abs(found - level) < error)[kept].all(), found


def test_widths_that_tell_are_kept_and_those_that_mislead_are_not():
    telling, misleading = Direct(LEVELS), Direct(LEVELS)
    telling.fit(network, batches(3000, 3, 1.0, 1))
    misleading.fit(network, batches(3000, 3, 1.0, 1, informative=False))
    assert telling.share_ >= 0.75
    assert misleading.share_ <= 0.25


def test_what_does_not_count_is_not_looked_at():
    one, two = batches(200, 3, 2.0, 1), batches(200, 3, 2.0, 1)
    for a, b in zip(one, two, strict=True):
        for batch in (a, b):
            batch.weight[::3] = 0
        b.target[::3] = 1e9
    first, second = Direct(LEVELS), Direct(LEVELS)
    first.fit(network, one)
    second.fit(network, two)
    assert torch.equal(first.factors_, second.factors_)
    assert torch.equal(first.plain_, second.plain_)


def test_quantiles_increase_whatever_the_factors():
    point = np.zeros((2, 3))
    distance = np.tile(np.array([-2.0, -1.9, 0.0, 1.0, 1.1])[:, None], (2, 1, 3))
    factors = np.array([0.25, 8.0, 1.0, 8.0, 0.25])
    assert (np.diff(stretched(point, distance, factors), axis=1) >= 0).all()


def test_factors_are_ranks_of_the_ratio():
    rng = np.random.default_rng(0)
    error = rng.normal(size=999)
    distance = np.tile([-1.0, 1.0], (999, 1))
    low, high = stretch_factors((0.1, 0.9), error, distance, windows=999)
    # The 900th smallest of 999 is what the finite-sample rule asks for.
    assert high == np.sort(error)[900 - 1]
    assert low == np.sort(-error)[900 - 1]


def test_factors_stay_within_bounds_and_leave_what_tells_nothing():
    error = np.full(50, 1e6)
    distance = np.stack([np.full(50, -1.0), np.zeros(50), np.full(50, 1.0)], 1)
    np.testing.assert_array_equal(
        stretch_factors((0.1, 0.5, 0.9), error, distance, 50), [NARROWEST, 1.0, WIDEST]
    )
    np.testing.assert_array_equal(
        stretch_factors((0.1, 0.9), error, np.zeros((50, 2)), 50), [1.0, 1.0]
    )


def test_what_was_learned_is_given_and_taken_back():
    decode, other = Direct(LEVELS), Direct(LEVELS)
    decode.fit(network, batches(300, 3, 2.0, 1))
    other.restore(*decode.state())
    batch = batches(100, 3, 2.0, 5)[0]
    one, two = decode(network, batch), other(network, batch)
    np.testing.assert_array_equal(one.quantiles, two.quantiles)
    np.testing.assert_array_equal(one.point, batch.point[:, -1].numpy())
