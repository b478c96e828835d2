"""Calibration of classes and quantiles, against brute force."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.labels.batches import LabelBatch
from gatewise.decoders.contract import Calibrated
from gatewise.decoders.labels import (
    TRUST,
    Probabilities,
    Quantiles,
    conformal_shifts,
    softmax,
    temperature,
)


def batch(labels: torch.Tensor) -> LabelBatch:
    n = len(labels)
    return LabelBatch(torch.zeros(n, 1, 1), torch.ones(n, dtype=torch.int64), labels)


@settings(deadline=None)
@given(st.integers(0, 20), st.floats(0.3, 5.0))
def test_the_temperature_has_the_least_loss_of_a_grid(seed, scale):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(200, 3)) * 2
    labels = np.array([rng.choice(3, p=p) for p in softmax(logits)])
    logits = logits * scale
    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 401))

    def loss(t):
        own = softmax(logits / t)[np.arange(200), labels]
        return -np.log(own).sum() + 0.5 * (np.log(t) / TRUST) ** 2

    best = grid[np.argmin([loss(t) for t in grid])]
    assert abs(np.log(temperature(logits, labels) / best)) < 0.02


def test_few_examples_leave_the_temperature_near_one():
    assert 0.6 < temperature(np.array([[9.0, 0.0]]), np.array([0])) < 1.2


def test_an_unknown_class_teaches_nothing():
    decode = Probabilities()
    assert isinstance(decode, Calibrated)
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    decode.fit(lambda b: logits, [batch(torch.tensor([-1, -1]))])
    assert decode.temperature_ == 1.0
    np.testing.assert_allclose(decode(lambda b: logits, batch(torch.tensor([0, 1]))).sum(1), 1.0)


@given(st.integers(20, 200), st.sampled_from([0.05, 0.1, 0.3, 0.7, 0.9, 0.95]))
def test_shifts_leave_the_wanted_share_below(n, level):
    errors = np.random.default_rng(n).normal(size=(n, 1)) * 3 + 1
    shift = conformal_shifts((level,), errors)[0]
    below = (errors[:, 0] <= shift).mean()
    if shift:
        assert below >= level - 1e-9 if level > 0.5 else below <= level + 2 / n
    else:
        assert np.ceil(max(level, 1 - level) * (n + 1)) > n


def test_quantiles_come_back_in_order():
    decode = Quantiles((0.1, 0.5, 0.9))
    raw = torch.tensor([[1.0, 0.0, 2.0]]).repeat(50, 1)
    answers = batch(torch.linspace(-5, 5, 50))
    decode.fit(lambda b: raw, [answers])
    found = decode(lambda b: raw, answers)
    assert (np.diff(found, axis=1) >= 0).all()
    other = Quantiles((0.1, 0.5, 0.9))
    other.restore(*decode.state())
    np.testing.assert_array_equal(other(lambda b: raw, answers), found)
    share = (
        (found[:, 0] <= answers.labels.numpy()) & (answers.labels.numpy() <= found[:, 2])
    ).mean()
    assert share >= 0.8


class Deaf(torch.nn.Module):
    """A network that knows nothing, beside a linear model."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("share", torch.zeros(()))

    def forward(self, asked: LabelBatch) -> torch.Tensor:
        return self.share * asked.wide


def test_a_linear_model_is_listened_to_as_far_as_it_is_right():
    labels = torch.arange(60) % 2
    right = torch.nn.functional.one_hot(labels).float() * 2
    for wide, least, most in ((right, 0.3, 2.0), (right.flip(1), 0.0, 0.0)):
        asked = LabelBatch(torch.zeros(60, 1, 1), torch.ones(60), labels, wide=wide)
        network, decode = Deaf(), Probabilities()
        decode.fit(network, [asked])
        assert least <= float(network.share) <= most
    assert np.allclose(decode(network, asked), 0.5)
