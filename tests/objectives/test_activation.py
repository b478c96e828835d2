"""Losses on outputs: against loops over steps, blind to what lies past the end."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import InputError
from gatewise.objectives.activation import (
    activation_regularization,
    temporal_activation_regularization,
)

BOTH = [activation_regularization, temporal_activation_regularization]


def outputs(batch, time, features=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, time, features, generator=generator, dtype=torch.float64)


def by_hand(loss, y, weight, lengths):
    terms = []
    for sequence, length in zip(y.detach().numpy(), lengths, strict=True):
        for t in range(length):
            if loss is activation_regularization:
                terms += [*sequence[t] ** 2]
            elif t + 1 < length:
                terms += [*(sequence[t + 1] - sequence[t]) ** 2]
    return weight * np.mean(terms) if terms else 0.0


@pytest.mark.parametrize("loss", BOTH)
@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(0, 5), max_size=4))
def test_mean_over_the_steps_that_count(loss, lengths):
    y = outputs(len(lengths), 5)
    for k, length in enumerate(lengths):
        y[k, length:] = float("nan")
    y.requires_grad_()
    given_lengths = torch.tensor(lengths, dtype=torch.int64)
    found = loss(y, 0.7, given_lengths)
    assert found.shape == ()
    assert found.item() == pytest.approx(by_hand(loss, y, 0.7, lengths))
    found.backward()
    assert y.grad.isfinite().all()
    for k, length in enumerate(lengths):
        assert not y.grad[k, length:].any()


@pytest.mark.parametrize("loss", BOTH)
def test_without_lengths_all_steps_count(loss):
    y = outputs(2, 5).requires_grad_()
    assert loss(y, 2.0).item() == pytest.approx(by_hand(loss, y, 2.0, [5, 5]))
    torch.testing.assert_close(loss(y, 2.0), loss(y, 2.0, [5, 5]))
    torch.autograd.gradcheck(lambda y: loss(y, 2.0, [5, 2]), y)


@pytest.mark.parametrize("loss", BOTH)
@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (2, 1)])
def test_where_there_is_little(loss, shape):
    y = outputs(*shape).requires_grad_()
    want = by_hand(loss, y, 1.0, [shape[1]] * shape[0])
    assert loss(y, 1.0).item() == pytest.approx(want)
    assert loss(y, 1.0, [shape[1]] * shape[0]).item() == pytest.approx(want)


@pytest.mark.parametrize("loss", BOTH)
def test_wrong_input(loss):
    with pytest.raises(InputError, match=r"y of shape \(5, 3\): give \[batch, time, features\]"):
        loss(outputs(1, 5)[0], 1.0)
    with pytest.raises(InputError, match="between 0 and the 5"):
        loss(outputs(2, 5), 1.0, [6, 1])
