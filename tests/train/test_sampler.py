from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.train.sampler import Sampler

sizes = st.integers(1, 40)


@settings(max_examples=40, deadline=None)
@given(count=sizes, batch=sizes, examples=st.integers(0, 90), mixed=st.booleans())
def test_every_example_is_seen_before_any_is_seen_again(count, batch, examples, mixed):
    lengths = torch.arange(count) % 7 if mixed else None
    sampler = Sampler(count, batch, examples, lengths, seed=3)
    size = examples or count
    drawn: list[int] = []
    while len(drawn) < 3 * count:
        batches = sampler.epoch(len(drawn) // size)
        assert len(batches) == sampler.steps
        assert all(1 <= len(b) <= batch for b in batches)
        drawn += torch.cat(batches).tolist()
        seen = [drawn.count(i) for i in range(count)]
        assert max(seen) - min(seen) <= 1
        assert sum(seen) == len(drawn)


def test_an_epoch_follows_from_its_number_alone():
    one, other = (Sampler(30, 4, 13, torch.arange(30), seed=1) for _ in range(2))
    ahead = [one.epoch(k) for k in range(4)]
    again = [other.epoch(k) for k in (3, 1)]
    assert all(map(torch.equal, ahead[3], again[0]))
    assert all(map(torch.equal, ahead[1], again[1]))


def test_epochs_and_seeds_differ():
    sampler = Sampler(100, 100, seed=0)
    assert not torch.equal(sampler.epoch(0)[0], sampler.epoch(1)[0])
    assert not torch.equal(sampler.epoch(0)[0], Sampler(100, 100, seed=1).epoch(0)[0])


def test_like_lengths_share_a_batch_and_batches_come_in_no_order_of_length():
    lengths = torch.randint(1, 1000, (400,), generator=torch.Generator().manual_seed(0))
    batches = Sampler(400, 8, lengths=lengths, seed=0).epoch(0)
    spread = sum(int(lengths[b].max() - lengths[b].min()) for b in batches) / len(batches)
    assert spread < 40
    longest = [int(lengths[b].max()) for b in batches]
    assert longest != sorted(longest)


def test_equal_lengths_are_not_bucketed():
    plain = Sampler(20, 4, seed=0).epoch(0)
    equal = Sampler(20, 4, lengths=torch.full((20,), 9), seed=0).epoch(0)
    assert all(map(torch.equal, plain, equal))
