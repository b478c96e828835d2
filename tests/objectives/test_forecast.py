"""The losses against NumPy transcriptions, masks included."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gatewise.objectives.forecast import ForecastLoss, Likelihood

LEVELS = (0.1, 0.5, 0.9)


def made(seed=0, mask=0.3, levels=LEVELS):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    output = SimpleNamespace(
        point=normal(4, 3, 5).requires_grad_(),
        quantiles=normal(4, 3, len(levels), 5).requires_grad_(),
        log_prob=normal(4, 3, 5).requires_grad_(),
    )
    batch = SimpleNamespace(
        target=normal(4, 3, 5),
        weight=(torch.rand(4, 3, 5, generator=generator) > mask).double(),
        loss_scale=normal(4).exp(),
    )
    return output, batch


def transcribed(output, batch, levels, point, log, base, log_error, weight_of_quantiles):
    y, p = batch.target.numpy(), output.point.detach().numpy()
    q = output.quantiles.detach().numpy()
    scale, weight = batch.loss_scale.numpy(), batch.weight.numpy()
    plain = np.exp if log else np.asarray
    count, point_sum, relative, pinball = 0, 0.0, 0.0, 0.0
    outer = [k for k, level in enumerate(levels) if level != 0.5]
    for b, f, s in np.ndindex(*y.shape):
        if not weight[b, f, s]:
            continue
        count += 1
        error = (plain(p[b, f, s]) - plain(y[b, f, s])) * scale[b]
        point_sum += error**2 / base**2 if point == "mean" else abs(error) / base
        if log and point == "median":
            relative += abs(p[b, f, s] - y[b, f, s]) / log_error
        for k in outer:
            under = (plain(y[b, f, s]) - plain(q[b, f, k, s])) * scale[b]
            loss = levels[k] * under if under >= 0 else (levels[k] - 1) * under
            pinball += 4 * loss / len(outer) / base
    count = max(1, count)
    return (point_sum + relative + weight_of_quantiles * pinball) / count


@pytest.mark.parametrize("point", ["median", "mean"])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("mask", [0.0, 0.3, 0.95])
def test_the_loss_is_its_formula(point, log, mask):
    output, batch = made(mask=mask)
    loss = ForecastLoss(LEVELS, point, log, 0.7, 0.2, quantile_weight=0.4)
    expected = transcribed(output, batch, LEVELS, point, log, 0.7, 0.2, 0.4)
    assert loss(output, batch).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("point", ["median", "mean"])
def test_what_does_not_count_has_no_gradient(point):
    output, batch = made(mask=0.5)
    ForecastLoss(LEVELS, point, True)(output, batch).backward()
    gone = batch.weight == 0
    assert (output.point.grad[gone] == 0).all()
    assert (output.point.grad[~gone] != 0).all()
    quantiles = output.quantiles.grad.movedim(2, -1)
    assert (quantiles[gone] == 0).all()
    assert (quantiles[~gone][:, [0, 2]] != 0).all()
    assert (quantiles[..., 1] == 0).all()


def test_nothing_to_learn_from_costs_nothing():
    output, batch = made()
    batch.weight = torch.zeros_like(batch.weight)
    assert ForecastLoss(LEVELS)(output, batch).item() == 0
    assert Likelihood()(output, batch).item() == 0


def test_the_median_alone_needs_no_pinball():
    output, batch = made(levels=(0.5,))
    expected = transcribed(output, batch, (0.5,), "median", False, 1.0, 1.0, 0.0)
    assert ForecastLoss((0.5,))(output, batch).item() == pytest.approx(expected, rel=1e-12)


def test_a_wild_guess_does_not_overflow():
    output, batch = made()
    with torch.no_grad():
        output.point[0, 0, 0] = 1e4
    loss = ForecastLoss(LEVELS, log=True)(output, batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(output.point.grad).all()


def test_the_likelihood_is_a_mean_over_what_counts():
    output, batch = made()
    kept = output.log_prob.detach()[batch.weight > 0]
    torch.testing.assert_close(Likelihood()(output, batch).detach(), -kept.mean())
