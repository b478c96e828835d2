"""Distributions against torch's, quantiles against tables and counting."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.nn.heads.forecast import (
    NegativeBinomialHead,
    QuantileHead,
    StudentTHead,
    build_head,
    negative_binomial_quantiles,
    student_t_quantiles,
)

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


def made(seed=0, batch=(4, 3), horizon=5, params=1, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    return {
        "point": normal(*batch, horizon),
        "params": normal(*batch, params, horizon),
        "spread": normal(*batch).exp(),
        "unit": normal(*batch).exp(),
        "center": normal(*batch) + 6,
    }


# Percentiles of Student's t as textbooks print them.
TABLE = {
    (5, 0.975): 2.570582,
    (5, 0.9): 1.475884,
    (3, 0.975): 3.182446,
    (3, 0.995): 5.840909,
    (10, 0.95): 1.812461,
    (10, 0.999): 4.143700,
    (30, 0.975): 2.042272,
    (120, 0.995): 2.617421,
}


@pytest.mark.parametrize(("freedom", "level"), TABLE)
def test_quantiles_of_students_t_are_the_tables(freedom, level):
    low, middle, high = student_t_quantiles((1 - level, 0.5, level), np.array([float(freedom)]))
    assert high[0] == pytest.approx(TABLE[freedom, level], rel=1e-4)
    assert low[0] == -high[0]
    assert middle[0] == 0


def test_students_t_has_torchs_density_and_gradient():
    head = StudentTHead(5).double()
    with torch.no_grad():
        head.freedom_raw.copy_(torch.linspace(-3, 5, 5))
    x = made()
    value = made(1)["point"]
    x["point"].requires_grad_()
    x["params"].requires_grad_()
    ours = head.log_prob(value, **x)
    width = head.width(x["params"], x["spread"])
    theirs = torch.distributions.StudentT(head.freedom, x["point"], width).log_prob(value)
    torch.testing.assert_close(ours, theirs)
    inputs = (x["point"], x["params"], head.freedom_raw, head.start)
    for a, b in zip(
        torch.autograd.grad(ours.sum(), inputs, retain_graph=True),
        torch.autograd.grad(theirs.sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_students_t_quantiles_hold_their_share_of_draws():
    head = StudentTHead(2).double()
    x = made(batch=(1,), horizon=2)
    x = {k: v.expand(20_000, *v.shape[1:]) for k, v in x.items()}
    draws = head.sample(**x, random=np.random.default_rng(0))
    quantiles = head.quantiles(**x, levels=LEVELS)
    below = (draws.unsqueeze(-2) <= quantiles).double().mean(0)
    expected = torch.tensor(LEVELS, dtype=torch.float64)[:, None].expand_as(below)
    # Four standard errors of a share.
    np.testing.assert_allclose(below.detach(), expected, atol=4 * math.sqrt(0.25 / 20_000))


def negative_binomial(mean, r):
    # torch counts successes of probability mean / (mean + r) until r failures.
    return torch.distributions.NegativeBinomial(r, probs=mean / (mean + r))


def test_the_negative_binomial_is_torchs():
    head = NegativeBinomialHead(5).double()
    x = made()
    x["point"].requires_grad_()
    x["params"].requires_grad_()
    k = torch.randint(0, 40, (4, 3, 5), generator=torch.Generator().manual_seed(2)).double()
    value = (k - x["center"][..., None]) / x["unit"][..., None]
    ours = head.log_prob(value, **x)
    rest = {n: x[n] for n in ("point", "params", "unit", "center")}
    theirs = negative_binomial(*head.mean_and_shape(**rest)).log_prob(k)
    torch.testing.assert_close(ours, theirs)
    inputs = (x["point"], x["params"], head.start)
    for a, b in zip(
        torch.autograd.grad(ours.sum(), inputs, retain_graph=True),
        torch.autograd.grad(theirs.sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def counted_quantiles(levels, mean, r, most=20_000):
    k = torch.arange(most, dtype=torch.float64)
    mass = negative_binomial(torch.tensor(mean), torch.tensor(r)).log_prob(k).exp().cumsum(0)
    return [int((mass < level - 1e-9).sum()) for level in levels]


@given(st.floats(-3, 5), st.floats(-3, 4))
@settings(max_examples=40, deadline=None)
def test_quantiles_of_counts_are_those_of_adding_up(log_mean, log_shape):
    mean, r = math.exp(log_mean), math.exp(log_shape)
    ours = negative_binomial_quantiles(LEVELS, np.array([mean]), np.array([r]))[:, 0]
    theirs = np.array(counted_quantiles(LEVELS, mean, r), float)
    spread = math.sqrt(mean + mean**2 / r)
    np.testing.assert_allclose(ours, theirs, atol=max(1.0, 0.02 * spread), rtol=0.01)
    assert (np.diff(ours) >= 0).all()
    assert (ours == ours.round()).all()


def test_small_counts_are_exact():
    for mean, r in [(0.3, 1.0), (2.0, 4.0), (7.0, 2.0), (3.0, 50.0)]:
        ours = negative_binomial_quantiles(LEVELS, np.array([mean]), np.array([r]))[:, 0]
        assert ours.tolist() == counted_quantiles(LEVELS, mean, r)


def test_quantiles_of_counts_do_not_depend_on_who_is_asked_beside():
    head = NegativeBinomialHead(5)
    x = made(dtype=torch.float32)
    whole = head.quantiles(**x, levels=LEVELS)
    for i in range(4):
        own = head.quantiles(**{k: v[i : i + 1] for k, v in x.items()}, levels=LEVELS)
        assert torch.equal(own[0], whole[i])


def test_draws_of_counts_have_their_mean_and_variance():
    head = NegativeBinomialHead(1).double()
    x = made(batch=(1,), horizon=1)
    x = {k: v.expand(40_000, *v.shape[1:]) for k, v in x.items()}
    draws = head.sample(**x, random=np.random.default_rng(0))
    counts = draws * x["unit"][:, None] + x["center"][:, None]
    mean, r = head.mean_and_shape(*(x[n] for n in ("point", "params", "unit", "center")))
    law = negative_binomial(mean[0], r[0])
    assert float(counts.mean()) == pytest.approx(law.mean.item(), rel=0.05)
    assert float(counts.var()) == pytest.approx(law.variance.item(), rel=0.1)
    np.testing.assert_allclose(counts.detach(), counts.detach().round(), atol=1e-9)


@given(
    st.lists(st.sampled_from([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]), min_size=1, unique=True),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_quantiles_never_cross_and_embrace_the_point(levels, seed):
    levels = sorted(levels)
    head = QuantileHead(levels, horizon=5).double()
    x = made(seed, params=head.params)
    x["params"] = 30 * x["params"]
    q = head.quantiles(**x, levels=levels)
    assert q.shape == (4, 3, len(levels), 5)
    assert (q.diff(dim=-2) >= 0).all()
    for k, level in enumerate(levels):
        side = q[..., k, :] - x["point"]
        assert (side == 0).all() if level == 0.5 else (side * (level - 0.5) >= 0).all()


def test_intervals_leave_the_point_alone():
    head = QuantileHead(LEVELS, horizon=5).double()
    x = made(params=head.params)
    x["point"].requires_grad_()
    x["params"].requires_grad_()
    head.quantiles(**x, levels=LEVELS).sum().backward()
    assert x["point"].grad is None
    assert (x["params"].grad != 0).any()


def test_other_levels_than_those_trained_for_are_refused():
    head = QuantileHead((0.1, 0.9), horizon=5)
    with pytest.raises(ValueError, match="trained for the levels"):
        head.quantiles(**made(params=2), levels=(0.2, 0.8))


@pytest.mark.parametrize(
    ("kind", "made_of"),
    [
        ("quantile", QuantileHead),
        ("student_t", StudentTHead),
        ("negative_binomial", NegativeBinomialHead),
    ],
)
def test_heads_are_asked_for_by_name(kind, made_of):
    assert isinstance(build_head(kind, LEVELS, 3), made_of)
