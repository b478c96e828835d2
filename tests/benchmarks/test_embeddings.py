"""Dynamic time warping by its definition, and the archive's figures of it."""

import functools
import importlib.util

import numpy as np
import pytest

from benchmarks import dtw, embeddings


def plain(a, b):
    """The recursion as it is written."""

    @functools.cache
    def least(i, j):
        if i < 0 or j < 0:
            return 0.0 if i == j == -1 else np.inf
        step = float(((a[i] - b[j]) ** 2).sum())
        return step + min(least(i - 1, j), least(i, j - 1), least(i - 1, j - 1))

    return least(len(a) - 1, len(b) - 1)


def test_warping_by_its_definition():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(6, 2))
    others = [rng.normal(size=(n, 2)) for n in (1, 3, 9, 6)]
    np.testing.assert_allclose(dtw.distances(one, others), [plain(one, b) for b in others])


def test_nearest_is_the_one_that_was_only_slowed_down():
    wave = np.sin(np.linspace(0, 6, 20))[:, None]
    slowed = np.repeat(wave, 2, axis=0)
    assert dtw.nearest([wave, -wave], [slowed, -slowed]).tolist() == [0, 1]


def test_the_archives_figure():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("no aeon: pip install --no-deps aeon==1.6.0")
    train, test = embeddings.load("GunPoint")
    known, asked = (embeddings.scaled(part, train) for part in (train, test.take(range(40))))
    found = dtw.nearest(known, asked)
    right = embeddings._labels(train)[found] == embeddings._labels(test.take(range(40)))
    assert right.mean() > 0.85


def test_gate():
    from benchmarks.harness import Result

    assert embeddings.gate(Result({"GunPoint_dtw_retrieval": 0.9067})) is None
    assert "published" in (embeddings.gate(Result({"GunPoint_dtw_retrieval": 0.5})) or "")
