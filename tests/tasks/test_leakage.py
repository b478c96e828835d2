"""Nothing that lies ahead of a forecast, or is held out, may tell on what comes before it."""

import numpy as np
import pytest
import torch

from gatewise.data import read_panel
from gatewise.data.windows.windows import Windows
from gatewise.tasks.backtesting import forecast_past, held_out_origins

from .made import HORIZON, changing, fitted, forecaster, gappy, several


def scrambled(series, starts, seed=9):
    """The same series with other values from `starts` on, as positive as before."""
    rng = np.random.default_rng(seed)
    out = []
    for y, start in zip(series, starts, strict=True):
        other = y.copy()
        other[start:] = y[start:] * rng.uniform(0.5, 2.0, len(y) - start)
        out.append(other)
    return out


def learned(windows):
    """All that a data part learned, as one comparable thing."""
    settings, tensors = windows.state()
    settings = {k: v for k, v in settings.items() if k != "fitted_until"}
    return settings, {k: v.clone() for k, v in tensors.items()}


MAKERS = {
    "log": several,
    "linear": changing,
    "gaps": lambda: gappy(several()),
    # Held out before three of its seasons are over.
    "short": lambda: [*several(), several()[0][:24], several()[1][:20]],
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("units", ["change", "spread"])
def test_held_out_values_change_nothing_that_is_learned_or_trained_on(name, units):
    series = MAKERS[name]()
    first = Windows(HORIZON, units=units)
    fold = first.fit(series)
    assert (first.split_.held_out > 0).all()
    second = Windows(HORIZON, units=units)
    other = second.fit(scrambled(series, first.split_.train))
    (a, a_tensors), (b, b_tensors) = learned(first), learned(second)
    assert a == b
    assert all(torch.equal(a_tensors[k], b_tensors[k]) for k in a_tensors)
    assert len(fold.train) == len(other.train)
    everything = torch.arange(len(fold.train))
    one, two = fold.train.batch(everything), other.train.batch(everything)
    assert torch.equal(one.weight, two.weight)
    assert torch.equal(one.target * one.weight, two.target * one.weight)
    for part in ("loss_scale", "unit", "center"):
        assert torch.equal(getattr(one, part), getattr(two, part)), part
    # A padded fork may reach into what is held out; what counts may not.
    counts = one.weight.sum(-1) > 0
    assert torch.equal(one.scale[counts], two.scale[counts])
    r = first.rhythm_
    views = [batch.values.unfold(1, r.lookback, r.patch)[counts] for batch in (one, two)]
    assert torch.equal(*views)


@pytest.mark.parametrize("kind", ["log", "linear"])
def test_what_comes_after_an_origin_changes_no_forecast_from_it(kind):
    model = fitted(kind)
    series = several() if kind == "log" else changing()
    ends = np.array([40, 41, 70, 12])
    which = np.array([0, 0, 1, 2])
    first_of = [ends[which == i].max() for i in range(3)]

    def ask(values):
        panel = read_panel(values)
        return forecast_past(model.data_, model.network_, model.task_.decode, panel, which, ends)

    one, two = ask(series), ask(scrambled(series, first_of))
    # Several origins of a series: what follows the last one is what may not tell.
    for name in one.points:
        np.testing.assert_array_equal(one.points[name], two.points[name], err_msg=name)
        np.testing.assert_array_equal(one.quantiles[name], two.quantiles[name], err_msg=name)
    np.testing.assert_array_equal(one.scale, two.scale)


@pytest.mark.parametrize("kind", ["log", "linear"])
def test_earlier_origins_do_not_see_what_later_ones_see(kind):
    model = fitted(kind)
    series = several() if kind == "log" else changing()
    which, ends = np.zeros(6, int), np.array([50, 51, 57, 63, 90, 100])

    def ask(values):
        panel = read_panel(values)
        return forecast_past(model.data_, model.network_, model.task_.decode, panel, which, ends)

    one, two = ask(series), ask(scrambled(series, [63, 0, 0]))
    before = ends <= 63
    np.testing.assert_array_equal(one.points["gatewise"][before], two.points["gatewise"][before])
    assert (one.points["gatewise"][~before] != two.points["gatewise"][~before]).all()


def test_no_forecast_is_judged_before_the_first_season_is_over():
    model = forecaster(horizon=2).fit([*several(), several()[0][:10], several()[1][:20]])
    assert model.data_.rhythm_.period == 12
    assert (model.data_.split_.train[3:] == [8, 18]).all()
    series, ends = held_out_origins(model.data_, 1000)
    assert set(series.tolist()) == {0, 1, 2, 4}
    assert (ends >= 12).all()


def test_a_zero_that_is_held_out_is_no_mistake():
    series = several()
    series[0][-1] = 0.0
    windows = Windows(HORIZON)
    windows.fit(series)
    assert windows.transform_ == "linear"
