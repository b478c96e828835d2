"""What is held out never shares a group with what is fitted on, nor comes before it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.sequences.holdout import Holdout
from gatewise.data.sequences.sequences import Sequences
from gatewise.errors import InputError


def made(n: int, **parts) -> Sequences:
    return Sequences(None, tuple(range(n)), texts=("a",) * n, **parts)


@given(st.integers(8, 60), st.integers(2, 9), st.floats(0.05, 0.6), st.integers(0, 9))
def test_groups_stay_together(n, groups, share, seed):
    names = np.arange(n) % groups
    train, valid = Holdout(share).part(made(n, groups=names.astype(object)), seed)
    assert sorted([*train, *valid]) == list(range(n))
    assert not set(names[train]) & set(names[valid])
    assert len(train)
    assert len(valid)


@given(st.integers(8, 60), st.integers(0, 9))
def test_by_time_the_latest_are_held_out(n, seed):
    starts = np.random.default_rng(seed).permutation(n).astype(float)
    train, valid = Holdout(0.25, by="time").part(made(n, starts=starts), seed)
    assert starts[train].max() < starts[valid].min()
    assert len(valid) == max(1, round(0.25 * n))


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.floats(0.05, 0.5))
def test_every_class_keeps_its_share_and_at_least_one(counts, share):
    strata = np.repeat(np.arange(len(counts)), counts)
    n = len(strata)
    train, valid = Holdout(share).part(made(n), 0, strata)
    kept = np.bincount(strata[train], minlength=len(counts))
    assert (kept >= 1).all()
    if n >= 8:
        out = np.bincount(strata[valid], minlength=len(counts))
        assert (np.abs(out - share * np.array(counts)) <= 1.01).all()


def test_parts_differ_by_seed_and_repeat_with_it():
    one, other, again = (Holdout().part(made(40), seed)[1].tolist() for seed in (0, 1, 0))
    assert one == again
    assert one != other


def test_few_or_none_are_not_parted():
    assert len(Holdout().part(made(7), 0)[1]) == 0
    assert len(Holdout(0.0).part(made(70), 0)[1]) == 0


def test_wrong_input():
    with pytest.raises(InputError, match="no group column"):
        Holdout(by="group").part(made(20), 0)
    with pytest.raises(InputError, match="no time column"):
        Holdout(by="time").part(made(20), 0)
    with pytest.raises(InputError, match="of one group"):
        Holdout().part(made(20, groups=np.array(["a"] * 20, object)), 0)
    with pytest.raises(InputError, match=r"share=1\.5"):
        Holdout(1.5)
