"""The view of a window, simple forecasts, and what the network may and may not see."""

import numpy as np
import pytest
import torch

from gatewise.nn import Encoder
from gatewise.nn.networks.seasonal import SeasonalNetwork, SeasonalShape, look, simple_forecasts

SHAPES = {
    "seasons": SeasonalShape(5, 4, 8, 2, 8),
    "one season": SeasonalShape(7, 4, 4, 4, 8),
    "no season": SeasonalShape(3, 1, 1, 1, 4),
    "far": SeasonalShape(20, 4, 4, 2, 8),
}


def made(shape, forks=3, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    steps = shape.lookback + (forks - 1) * shape.patch
    values = torch.randn(batch, steps, generator=generator, dtype=torch.float64)
    missing = (torch.rand(batch, steps, generator=generator) < 0.2).double()
    unit = torch.rand(batch, forks, 1, generator=generator, dtype=torch.float64) + 0.5
    return values, missing, unit


@pytest.mark.parametrize("name", SHAPES)
def test_a_view_is_the_window_from_its_own_level(name):
    shape = SHAPES[name]
    values, missing, unit = made(shape)
    view, gone, level, spread = look(shape, values, missing, unit)
    moving = shape.cycle if shape.cycle > 1 else shape.lookback
    for b in range(2):
        for f in range(3):
            first = f * shape.patch
            window = values[b, first : first + shape.lookback].numpy()
            lost = missing[b, first : first + shape.lookback].numpy() > 0
            seen = ~lost[-shape.cycle :] if not lost[-shape.cycle :].all() else slice(None)
            own = window[-shape.cycle :][seen].mean()
            expected = (window - own) / unit[b, f].numpy()
            kept = ~lost[-moving:] if not lost[-moving:].all() else slice(None)
            assert level[b, f].item() == pytest.approx(own)
            np.testing.assert_allclose(view[b, f].numpy(), expected)
            np.testing.assert_array_equal(gone[b, f].numpy() > 0, lost)
            size = np.sqrt((expected[-moving:][kept] ** 2).mean())
            assert spread[b, f].item() == pytest.approx(size)


@pytest.mark.parametrize("name", SHAPES)
def test_simple_forecasts_repeat_what_was(name):
    shape = SHAPES[name]
    view = torch.randn(2, 3, shape.lookback)
    bases = simple_forecasts(shape, view)
    assert bases.shape == (2, 3, shape.bases, shape.horizon)
    rows = []
    for season in [shape.cycle] * (shape.cycle > shape.period) + [shape.period] * (
        shape.period > 1
    ):
        rows.append([view[..., -season + k % season] for k in range(shape.horizon)])
    rows.append([view[..., -1]] * shape.horizon)
    rows.append([torch.zeros(2, 3)] * shape.horizon)
    for k, row in enumerate(rows):
        assert torch.equal(bases[..., k, :], torch.stack(row, -1))


@pytest.mark.parametrize("name", SHAPES)
def test_no_fork_sees_beyond_itself_but_what_is_known_ahead(name):
    shape = SHAPES[name]._replace(past=2, known=3, static=1, params=2)
    forks, batch = 4, 2
    steps = shape.lookback + (forks - 1) * shape.patch
    torch.manual_seed(0)
    network = SeasonalNetwork(
        Encoder(hidden_size=4), shape, torch.randn(shape.bases, shape.horizon)
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    values, past = torch.randn(batch, steps), torch.randn(batch, steps, 2)
    known = torch.randn(batch, steps + shape.horizon, 3)
    given = [t.double().requires_grad_() for t in (values, past, known)]
    out = network(
        given[0],
        torch.zeros(batch, steps).double(),
        torch.ones(batch, forks).double(),
        past=given[1],
        known=given[2],
        static=torch.randn(batch, 1).double(),
    )
    for f in range(forks):
        end = shape.lookback + f * shape.patch
        total = out.point[:, f].sum() + out.params[:, f].sum()
        grads = torch.autograd.grad(total, given, retain_graph=True)
        assert (grads[0][:, end:] == 0).all()
        assert (grads[1][:, end:] == 0).all()
        assert (grads[2][:, end + shape.horizon :] == 0).all()
        assert (grads[0][:, end - 1] != 0).all()
        assert (grads[2][:, end + shape.horizon - 1] != 0).all()
    # Each step ahead is moved by what is known of that step, not by what is known of later ones.
    first = torch.autograd.grad(out.point[:, 0, 0].sum(), given[2])[0]
    assert (first[:, shape.lookback + 1 :] == 0).all()


@pytest.mark.parametrize("name", SHAPES)
def test_level_and_size_move_the_forecast_with_them(name):
    shape = SHAPES[name]._replace(params=1)
    torch.manual_seed(0)
    network = SeasonalNetwork(
        Encoder(hidden_size=4), shape, torch.randn(shape.bases, shape.horizon)
    ).double()
    network.eval()
    values, missing, unit = made(shape)
    plain = network(values, missing, unit.squeeze(-1))
    moved = network(3 * values + 100, missing, 3 * unit.squeeze(-1))
    torch.testing.assert_close(moved.point, 3 * plain.point + 100)
    torch.testing.assert_close(moved.spread, 3 * plain.spread)
    torch.testing.assert_close(moved.params, plain.params)
