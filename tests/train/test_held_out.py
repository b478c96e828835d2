from __future__ import annotations

import pytest
import torch

from gatewise.train import answers, evaluate

from ..toys import Layers, Net, Rows, squared


class Watched:
    """Remembers what was asked together."""

    score_name = "size"

    def __init__(self):
        self.batches = []

    def __call__(self, output, batch):
        self.batches.append(batch.x[:, 0].tolist())
        return squared(output, batch)

    def score(self, output, batch):
        return batch.x[:, 0].mean()


def test_means_are_over_examples_and_like_lengths_go_together():
    x = torch.randn(11, 3)
    x[:, 0] = torch.tensor([5.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])
    data = Rows(x, torch.randn(11, 1), lengths=x[:, 0].long())
    network, objective = Net(3, 1, Layers(4, 0.5)), Watched()
    loss, score = evaluate(network, objective, data, 4)
    with torch.no_grad():
        whole = squared(network(data.batch(torch.arange(11))), data.batch(torch.arange(11)))
    assert loss == pytest.approx(whole.item(), rel=1e-5)
    assert score == pytest.approx(x[:, 0].mean().item())
    assert [v for batch in objective.batches for v in batch] == sorted(x[:, 0].tolist())
    assert not network.training
    assert evaluate(network, squared, data, 4)[1] is None


def test_answers_come_in_order_without_gradients():
    data = Rows(torch.arange(9.0).view(3, 3), lengths=torch.tensor([3, 1, 2]))
    network = Net(3, 1, Layers(4, 0.5))

    def decode(net, batch):
        assert not net.training
        assert not net(batch).requires_grad
        return batch.x[:, 0].tolist()

    assert answers(network, decode, data, 2) == [[0.0, 3.0], [6.0]]
