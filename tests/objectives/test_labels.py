"""Losses of labels, against torch's own and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gatewise.data.labels.batches import LabelBatch
from gatewise.objectives.contract import Scored
from gatewise.objectives.labels import LabelLoss, QuantileLoss


def batch(labels) -> LabelBatch:
    return LabelBatch(torch.zeros(len(labels), 1, 1), torch.ones(len(labels)), torch.tensor(labels))


def test_it_is_torchs_cross_entropy():
    output, labels = torch.randn(5, 3), [0, 2, 1, 1, 0]
    expected = F.cross_entropy(output, torch.tensor(labels), label_smoothing=0.1)
    torch.testing.assert_close(LabelLoss(smoothing=0.1)(output, batch(labels)), expected)


def test_weights_count_examples_of_their_class():
    output, labels = torch.randn(4, 2), [0, 0, 0, 1]
    each = F.cross_entropy(output, torch.tensor(labels), reduction="none")
    expected = (each * torch.tensor([2 / 3, 2 / 3, 2 / 3, 2.0])).mean()
    torch.testing.assert_close(LabelLoss([2 / 3, 2.0])(output, batch(labels)), expected)


def test_an_unknown_class_counts_in_the_score_alone():
    output = torch.tensor([[5.0, 0.0], [0.0, 5.0]])
    loss = LabelLoss()
    assert isinstance(loss, Scored)
    torch.testing.assert_close(loss(output, batch([0, -1])), loss(output[:1], batch([0])))
    assert loss.score(output, batch([0, -1])) == 0.5
    assert loss(output, batch([-1, -1])) == 0


def test_the_best_constant_quantiles_are_the_quantiles():
    answers = np.random.default_rng(0).normal(size=999).astype(np.float32)
    levels = (0.1, 0.5, 0.9)
    loss = QuantileLoss(levels, unit=3.0)
    best = torch.tensor(np.quantile(answers, levels), dtype=torch.float32)
    least = loss(best.expand(999, 3), batch(answers))
    for k in range(3):
        for change in (-0.2, 0.2):
            other = best.clone()
            other[k] += change
            assert loss(other.expand(999, 3), batch(answers)) > least
    score = loss.score(best.expand(999, 3), batch(answers))
    assert score.item() == pytest.approx(-3.0 * np.abs(answers - best[1].item()).mean(), rel=1e-4)
