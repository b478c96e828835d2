from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.batches import Batches
from gatewise.data.language.streams import WARM_UP, Passage, Streams
from gatewise.data.language.token_store import TokenStore


def row(count):
    return (4 + np.arange(count) % 250).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(16, 3000), st.integers(1, 40), st.integers(1, 20), st.booleans(), st.integers(0, 3)
)
def test_readers_go_on_where_they_stopped_through_all_epochs(
    count, window, size, jitter, epochs_before
):
    streams = Streams(row(count), window, jitter)
    order = streams.order(size, 0, seed=7)
    epochs = [list(order.epoch(n)) for n in (epochs_before, epochs_before + 1)]
    for windows in epochs:
        assert 1 <= len(windows) <= order.steps
        assert sum(w.shape[1] for w in windows) == order.length
    steps = torch.cat([w for windows in epochs for w in windows], 1)
    assert torch.equal(steps[:, 1:], (steps[:, :-1] + 1) % count)
    assert steps.shape[0] * order.length <= count


def test_one_epoch_reads_everything_once():
    windows = torch.cat(list(Streams(row(1000), 13).order(4, 0, 0).epoch(0)), 1)
    assert sorted(windows.flatten().tolist()) == list(range(1000))


def test_an_epoch_may_be_a_part_of_the_text():
    streams = Streams(row(1000), 10)
    order = streams.order(4, 200, 0)
    assert order.steps == 5
    first, second = (torch.cat(list(order.epoch(n)), 1) for n in (0, 1))
    assert second[0, 0] == first[0, -1] + 1


def test_the_target_is_the_next_token_round_the_end():
    streams = Streams(np.array([4, 5, 6], np.uint8), 3)
    batch = streams.batch(torch.tensor([[1, 2, 0]]))
    assert batch.tokens.tolist() == [[5, 6, 4]]
    assert batch.targets.tolist() == [[6, 4, 5]]


def test_windows_vary_as_those_of_awd_lstm():
    windows = list(Streams(row(200_000), 70, jitter=True).order(1, 0, 0).epoch(0))
    sizes = np.array([w.shape[1] for w in windows])
    assert abs(sizes.mean() - 70) < 1
    short = (sizes < 52).mean()
    assert 0.03 < short < 0.07
    assert 4 < sizes[sizes > 52].std() < 6


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4000), st.data(), st.integers(1, 20), st.integers(1, 300))
def test_a_passage_is_scored_once_each_token_by_readers_that_are_warm(count, data, size, window):
    start = data.draw(st.integers(1, count - 1))
    tokens = np.arange(1, count + 1, dtype=np.uint16)
    passage = Passage(tokens, start, window)
    batches = list(Batches(passage, size))
    assert len(batches) == len(Batches(passage, size))
    assert [b.first for b in batches] == [True] + [False] * (len(batches) - 1)
    scored = torch.cat([b.targets[b.targets > 0] for b in batches])
    assert sorted(scored.tolist()) == list(range(start + 1, count + 1))
    for b in batches:
        inside = b.targets > 0
        assert torch.equal(b.targets[inside], b.tokens[inside] + 1)
        assert torch.equal(b.places[inside] + 1, b.targets[inside])
    together = torch.cat([b.tokens for b in batches], 1)
    asked = torch.cat([b.targets for b in batches], 1)
    assert bool((together[:, 1:] == (together[:, :-1] + 1).clamp(max=count)).all())
    for inputs, targets in zip(together, asked, strict=True):
        places = (targets > 0).nonzero()
        if len(places):
            first = int(places[0])
            assert first >= WARM_UP or inputs[0] == 1


def test_numbers_are_held_in_as_few_bytes_as_they_need_and_on_disk_when_many():
    for size, width in ((200, 1), (256, 1), (257, 2), (70_000, 4)):
        store = TokenStore(size, most=10)
        for _ in range(7):
            store.add([size - 1, 0])
        array = store.array()
        assert array.dtype.itemsize == width
        assert array.tolist() == [size - 1, 0] * 7
        assert isinstance(array, np.memmap)
