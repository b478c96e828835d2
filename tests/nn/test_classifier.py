"""The network of classifiers: what it reads, and what it must not see."""

from __future__ import annotations

import pytest
import torch

from gatewise.data.labels.batches import LabelBatch
from gatewise.nn import Encoder
from gatewise.nn.networks.classifier import Reader, SequenceNetwork, moments, takes_gaps


def network(**options) -> SequenceNetwork:
    torch.manual_seed(0)
    encoder = options.pop("encoder", Encoder(hidden_size=4, bidirectional=True))
    return SequenceNetwork(encoder, 3, Reader(2, None), **options).eval()


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("architecture", ["lstm", "lstm_fcn"])
def test_padding_changes_nothing(pooling, architecture):
    model = network(pooling=pooling, architecture=architecture)
    parts = [torch.randn(n, 2) for n in (5, 1, 3)]
    x = torch.zeros(3, 9, 2)
    for row, part in zip(x, parts, strict=True):
        row[: len(part)] = part
    found = model(LabelBatch(x, torch.tensor([5, 1, 3])))
    for row, part in zip(found, parts, strict=True):
        alone = model(LabelBatch(part.unsqueeze(0), torch.tensor([len(part)])))[0]
        torch.testing.assert_close(row, alone, rtol=1e-4, atol=1e-5)


def test_moments_are_mean_and_deviation_of_the_real_steps():
    x = torch.randn(2, 6, 3)
    found = moments(x, torch.tensor([6, 4]))
    expected = torch.cat([x[1, :4].mean(0), x[1, :4].std(0, correction=0)])
    torch.testing.assert_close(found[1], expected, rtol=1e-4, atol=1e-5)


def test_one_step_has_a_finite_gradient():
    model = network().train()
    x = torch.randn(2, 1, 2, requires_grad=True)
    model(LabelBatch(x, torch.tensor([1, 1]))).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_gaps_reach_a_cell_that_takes_them():
    assert not takes_gaps("gru")
    model = network(encoder=Encoder(cell="time_aware_lstm", hidden_size=4))
    x, lengths = torch.randn(1, 4, 2), torch.tensor([4])
    short, long = (
        model(LabelBatch(x, lengths, gaps=torch.full((1, 4), gap))) for gap in (0.1, 10.0)
    )
    assert not torch.allclose(short, long)


def test_words_are_dropped_while_training_only():
    reader = Reader(None, 9, embedding_size=3, word_dropout=0.999)
    tokens = torch.tensor([[5, 6, 0]])
    unknown = reader.embedding.weight[1]  # pyright: ignore[reportOptionalMemberAccess]
    assert torch.equal(reader(tokens)[0, 0], unknown)
    assert (reader(tokens)[0, 2] == 0).all()
    assert not torch.equal(reader.eval()(tokens)[0, 0], unknown)


def test_noise_is_added_while_training_only():
    reader = Reader(2, None, input_noise=1.0)
    x = torch.zeros(1, 3, 2)
    assert reader(x).std() > 0
    assert (reader.eval()(x) == 0).all()
