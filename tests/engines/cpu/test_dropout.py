"""Dropout in one pass: the published noise, whoever shares the work, on whatever vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.engines.cpu import dropout
from gatewise.engines.cpu.dropout import can_drop, drop, stays
from gatewise.engines.cpu.host import foreign, host
from gatewise.engines.cpu.jit import assembly
from gatewise.engines.cpu.kernels import lanes

KINDS = ("avx512", "avx2", "plain")


def splitmix(seed: int, count: int) -> np.ndarray:
    """SplitMix64 as published, number by number."""
    state, mask, found = seed & (1 << 64) - 1, (1 << 64) - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        found.append(z ^ z >> 31)
    return np.array(found, np.uint64)


def expected(x: torch.Tensor, seed: int, level: int, scale: float) -> torch.Tensor:
    drawn = splitmix(seed, -(-x.numel() // 4)).astype("<u8").view("<u2")[: x.numel()]
    kept = torch.from_numpy((drawn < level).reshape(tuple(x.shape)))
    return torch.where(kept, x * torch.tensor(scale), 0.0)


def test_the_oracle_gives_the_published_numbers():
    # As the reference implementation prints them for this seed.
    assert splitmix(1234567, 3).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(
    shape=st.lists(st.integers(0, 9), min_size=0, max_size=3),
    seed=st.integers(-(1 << 63), (1 << 64) - 1),
    level=st.integers(1, dropout.LEVELS - 1),
)
@settings(max_examples=60, deadline=None)
def test_what_is_dropped_follows_from_seed_and_place(shape, seed, level):
    x = torch.randn(shape)
    wanted = expected(x, seed, level, 1.25)
    assert torch.equal(drop(x, seed, level, 1.25), wanted)
    as_tensor = torch.tensor((seed + (1 << 63)) % (1 << 64) - (1 << 63))
    assert torch.equal(torch.where(stays(x.shape, as_tensor, level), x * 1.25, 0.0), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_any_vectors_draw_the_same(kind, monkeypatch):
    monkeypatch.setenv("GATEWISE_CPU", kind)
    try:
        host()
    except ValueError:
        pytest.skip(f"this machine has no {kind}")
    x = torch.randn(3, 41)
    found = drop(x, 5, 40_000, 2.0)
    assert torch.equal(found, expected(x, 5, 40_000, 2.0))


@pytest.mark.parametrize("kind", [*KINDS, "neon"])
def test_the_text_is_one_for_any_machine(kind):
    machine = foreign(kind)
    assert "drop" in assembly(dropout._text(lanes(machine, "float")), machine)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_share_the_work(threads, monkeypatch):
    monkeypatch.setattr(dropout, "_SHARE", 100)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        x = torch.randn(1001)
        assert torch.equal(drop(x, -7, 13_107, 5.0), expected(x, -7, 13_107, 5.0))
    finally:
        torch.set_num_threads(before)


def test_places_are_counted_in_the_order_of_the_axes():
    x = torch.randn(6, 5, 4)
    turned = x.transpose(0, 2)
    assert torch.equal(drop(turned, 3, 1 << 15, 2.0), drop(turned.contiguous(), 3, 1 << 15, 2.0))


def test_a_view_with_the_sign_turned_is_read_as_it_is():
    x = torch.complex(torch.ones(9), torch.ones(9)).conj().imag
    assert x.is_neg()
    assert torch.equal(drop(x, 3, dropout.LEVELS - 1, 2.0), torch.full((9,), -2.0))


def test_chances_are_what_the_level_says():
    ones = torch.ones(1 << 20)
    for level in (1 << 15, 52_429, 655):
        kept = drop(ones, 11, level, 1.0).double()
        chance = level / dropout.LEVELS
        assert abs(kept.mean() - chance) < 4 * (chance * (1 - chance) / len(kept)) ** 0.5
    assert not torch.equal(drop(ones, 1, 1 << 15, 1.0), drop(ones, 2, 1 << 15, 1.0))


def test_who_cannot_be_asked():
    assert can_drop(torch.ones(2))
    assert not can_drop(torch.ones(2, dtype=torch.float64))
    assert not can_drop(torch.ones(2, device="meta"))
    seen = []
    torch.func.vmap(lambda x: seen.append(can_drop(x)) or x)(torch.ones(2, 2))
    assert seen == [False]
