"""Faults that are made up: where they lie, and what they look like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.evaluation.anomaly_injection import APART, KINDS, inject


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 600), st.integers(1, 30), st.integers(1, 3), st.integers(0, 9))
def test_only_what_is_labelled_is_changed(steps, length, channels, seed):
    x = np.random.default_rng(seed).normal(size=(steps, channels))
    kept = x.copy()
    made = inject(x, length, seed)
    np.testing.assert_array_equal(x, kept)
    changed = (made.values != x).any(1)
    assert not (changed & (made.labels == 0)).any()
    assert (made.values != x).sum(1).max(initial=0) <= 1
    assert len(made.kinds) == steps // ((APART + 1) * length)


def test_every_kind_takes_its_turn():
    made = inject(np.zeros((1000, 1)), 20, seed=1)
    assert made.kinds[:4] == KINDS
    edges = np.flatnonzero(np.diff(made.labels, prepend=0, append=0)).reshape(-1, 2)
    lengths = (edges[:, 1] - edges[:, 0]).tolist()
    assert lengths == [2, 20, 20, 20] * 2 + [2, 20]
    spike, shift, noise, still = (made.values[a:b, 0] for a, b in edges[:4])
    assert np.abs(spike) == pytest.approx(6)
    assert np.abs(shift) == pytest.approx(3)
    assert noise.std() > 0.5
    assert not still.any()


def test_what_is_missing_stays_so():
    x = np.full((200, 1), np.nan)
    assert np.isnan(inject(x, 10).values).all()
