from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from gatewise.data.batches import Batches, move

from ..toys import Rows


class Pair(NamedTuple):
    one: torch.Tensor
    two: torch.Tensor | None


@dataclass(frozen=True)
class Held:
    x: torch.Tensor
    inside: Pair
    name: str = "a"


def test_batches_are_all_examples_in_order_and_more_than_once():
    batches = Batches(Rows(torch.arange(7.0)[:, None]), 3)
    assert len(batches) == 3
    for _ in range(2):
        assert torch.cat([b.x for b in batches]).flatten().tolist() == list(range(7))


def test_no_examples_are_no_batches():
    assert list(Batches(Rows(torch.zeros(0, 1)), 3)) == []


def test_moving_reaches_every_tensor_and_nothing_else():
    x = torch.zeros(2)
    held = Held(x, Pair(x, None))
    moved = move({"a": held, "b": [x, 3]}, "meta")
    assert moved["a"].x.is_meta
    assert moved["a"].inside.one.is_meta
    assert moved["a"].inside.two is None
    assert moved["a"].name == "a"
    assert moved["b"][0].is_meta
    assert moved["b"][1] == 3
    assert move(held, "cpu") is held
