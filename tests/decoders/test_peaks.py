"""The upper tail: against scipy, against what was drawn from, and where there is little to see."""

import numpy as np
import pytest

from gatewise.decoders.peaks import SHAPES, Tail, find_tail, fit_pareto


def pareto(shape, scale, n, seed):
    u = np.random.default_rng(seed).random(n)
    return -scale * np.log(u) if shape == 0 else scale / shape * (u**-shape - 1)


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.4])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fit_is_the_maximum_that_scipy_finds(shape, seed):
    stats = pytest.importorskip("scipy.stats")
    y = pareto(shape, 2.0, 800, seed)
    ours = fit_pareto(y)
    theirs = stats.genpareto.fit(y, floc=0)
    assert stats.genpareto.logpdf(y, ours[0], scale=ours[1]).sum() == pytest.approx(
        stats.genpareto.logpdf(y, theirs[0], scale=theirs[2]).sum(), abs=1e-2
    )
    np.testing.assert_allclose(ours, (theirs[0], theirs[2]), atol=5e-3)


def test_without_a_reason_the_tail_is_exponential():
    assert fit_pareto(pareto(0, 3.0, 400, 2)) == (0.0, pytest.approx(3.0, rel=0.1))


def test_shapes_are_kept_where_there_is_a_variance():
    shape, scale = fit_pareto(pareto(1.5, 1.0, 400, 3))
    assert shape == SHAPES[1]
    assert scale > 0


def test_a_level_is_the_quantile_of_the_distribution():
    stats = pytest.importorskip("scipy.stats")
    tail = Tail(1.0, 0.2, 0.5, rate=0.02, cluster=1.0)
    wanted = 1.0 + stats.genpareto.ppf(1 - 1 / (5000 * 0.02), 0.2, scale=0.5)
    assert tail.level(5000) == pytest.approx(wanted)
    assert tail.level(10) == 1.0


def test_a_level_is_exceeded_as_often_as_it_says():
    random = np.random.default_rng(4)
    tail = find_tail([random.normal(size=20_000)])
    came = random.normal(size=400_000)
    assert (came > tail.level(2000)).mean() * 2000 == pytest.approx(1, rel=0.5)


def test_runs_count_once():
    """What is smoothed exceeds a level in runs; alarms are promised, not readings."""
    random = np.random.default_rng(5)
    kernel = np.ones(20) / 20**0.5
    smooth = np.convolve(random.normal(size=200_000), kernel, "valid")
    tail = find_tail([smooth[:60_000]], run=20)
    above = np.flatnonzero(smooth[60_000:] > tail.level(3000))
    alarms = 1 + (np.diff(above) > 20).sum()
    assert tail.cluster > 2
    assert alarms * 3000 / 140_000 == pytest.approx(1, rel=0.6)


@pytest.mark.parametrize("scores", [np.ones(50), np.arange(5.0), np.r_[np.ones(49), 2.0]])
def test_little_to_see_gives_a_level_all_the_same(scores):
    tail = find_tail([scores], run=3)
    assert np.isfinite(tail.level(1000))
    assert tail.level(1000) >= np.quantile(scores, 0.9)


def test_fewer_clusters_give_a_higher_level():
    """A mean of few may well be larger: the less was seen, the later an alarm."""
    few, many = (find_tail([np.tile([0.0] * 9 + [1.0], n)], run=1) for n in (3, 20))
    assert few.level(1000) > many.level(1000)
