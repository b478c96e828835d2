"""The split of the tagging benchmark: fixed, by groups, and with nothing in common."""

from __future__ import annotations

from benchmarks.harness import Options
from benchmarks.tagging import parted, structure_parts
from gatewise.data import Tagged
from gatewise.datasets.tagged import SHARED


def test_groups_stay_together():
    tagged = Tagged.of([["a"]] * 10, {"label": [["X"]] * 10}, groups=tuple("aabbccddee"))
    first, second = parted(tagged, 0.4, 0)
    assert (len(first), len(second)) == (6, 4)
    assert not set(first.groups) & set(second.groups)
    assert parted(tagged, 0.4, 0)[1] == second


def test_no_chain_of_the_test_part_is_in_the_training_part(data_dir):
    train, test = structure_parts(Options(data_dir, 1, (0,)))
    assert len(train) + len(test) == 432
    known = {
        chain[i : i + SHARED] for chain in train.tokens for i in range(len(chain) - SHARED + 1)
    }
    for chain in test.tokens:
        assert not any(chain[i : i + SHARED] in known for i in range(len(chain) - SHARED + 1))
    counted = sum(t is not None for tags in test.labels["dssp3"] for t in tags)
    assert counted < sum(map(len, test.tokens))
