from __future__ import annotations

import torch
from torch import nn

from gatewise.train.average import Average


def test_it_is_the_recursion_written_out():
    layer = nn.Linear(3, 2)
    average = Average(layer, 0.9)
    mean = layer.weight.detach().double().clone()
    for n in range(1, 30):
        with torch.no_grad():
            layer.weight.add_(torch.randn(2, 3))
        average.update()
        keep = min(0.9, (1 + n) / (10 + n))
        mean = keep * mean + (1 - keep) * layer.weight.detach().double()
    assert average.state()["weight"].double().sub(mean).abs().max() < 1e-5


def test_applied_puts_the_average_in_place_and_the_weights_back():
    layer = nn.Linear(2, 2)
    average = Average(layer, 0.5)
    with torch.no_grad():
        layer.weight.add_(1.0)
    average.update()
    raw = layer.weight.detach().clone()
    with average.applied():
        assert torch.equal(layer.weight, average.state()["weight"])
        assert not torch.equal(layer.weight, raw)
    assert torch.equal(layer.weight, raw)


def test_without_a_decay_it_is_the_weights():
    layer = nn.Linear(2, 2)
    average = Average(layer, 0.0)
    average.update()
    raw = layer.weight.detach().clone()
    with average.applied():
        assert torch.equal(layer.weight, raw)
    assert average.state() == {}


def test_frozen_weights_are_left_out():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    assert set(Average(layer, 0.5).state()) == {"weight"}
