"""Padding never leaks into convolutions and their statistics."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gatewise.errors import InputError
from gatewise.nn.networks.masked_convolution import FullyConvolutional, MaskedBatchNorm


def test_batch_norm_of_whole_sequences_is_torchs():
    ours, torchs = MaskedBatchNorm(3), nn.BatchNorm1d(3)
    for _ in range(3):
        x = torch.randn(4, 3, 6) * 2 + 1
        torch.testing.assert_close(ours(x, None), torchs(x))
    torch.testing.assert_close(ours.running_mean, torchs.running_mean)
    torch.testing.assert_close(ours.running_var, torchs.running_var)
    ours.eval(), torchs.eval()
    torch.testing.assert_close(ours(x, None), torchs(x))


@given(st.lists(st.integers(1, 7), min_size=2, max_size=5), st.integers(0, 4))
def test_statistics_are_those_of_the_real_steps(lengths, padding):
    steps = max(lengths) + padding
    x = torch.randn(len(lengths), steps, 2)
    real = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    norm = MaskedBatchNorm(2)
    joined = x[real]
    found = norm(torch.where(real.unsqueeze(-1), x, 1e3).transpose(1, 2), real).transpose(1, 2)
    var, mean = torch.var_mean(joined, 0, correction=0)
    torch.testing.assert_close(
        found[real], (joined - mean) / (var + 1e-5).sqrt(), rtol=1e-4, atol=1e-4
    )
    assert (found[~real] == 0).all()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5))
def test_a_sequence_has_the_same_result_alone_and_in_any_batch(lengths, padding):
    torch.manual_seed(0)
    blocks = FullyConvolutional(2, (4, 5), (4, 3))
    for norm in blocks.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    blocks.eval()
    parts = [torch.randn(n, 2) for n in lengths]
    batch = torch.full((len(parts), max(lengths) + padding, 2), 7.0)
    for row, part in zip(batch, parts, strict=True):
        row[: len(part)] = part
    found = blocks(batch, lengths=lengths)
    for row, part in zip(found, parts, strict=True):
        alone = blocks(part.unsqueeze(0), lengths=[len(part)])[0]
        torch.testing.assert_close(row[: len(part)], alone, rtol=1e-5, atol=1e-5)
        assert (row[len(part) :] == 0).all()


def test_training_sees_no_padding_either():
    torch.manual_seed(0)
    blocks = FullyConvolutional(1, (3,), (3,)).double()
    x = torch.randn(2, 4, 1, dtype=torch.float64)
    longer = torch.cat([x, torch.full((2, 3, 1), 9.0, dtype=torch.float64)], 1)
    short, long = blocks(x, lengths=[4, 2]), blocks(longer, lengths=[4, 2])
    torch.testing.assert_close(short, long[:, :4])


def test_gradients_are_right():
    blocks = FullyConvolutional(2, (3,), (2,)).double()
    x = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: blocks(t, lengths=[4, 2]), (x,))


def test_blocks_and_kernels_go_together():
    with pytest.raises(InputError, match="one of each for every block"):
        FullyConvolutional(2, (3, 4), (2,))
    with pytest.raises(InputError, match="2 features"):
        FullyConvolutional(2)(torch.zeros(1, 2, 3))
