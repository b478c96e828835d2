"""Statistics, against scipy where it has them; and the examples of the package."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import experiments
from experiments.statistics import decay, holm, median, welch, wilson


def test_wilson_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    for successes, runs in ((0, 5), (3, 5), (27, 30), (30, 30)):
        want = stats.binomtest(successes, runs).proportion_ci(0.95, method="wilson")
        np.testing.assert_allclose(wilson(successes, runs), want, atol=1e-4)
    assert wilson(0, 0) == (0, 1)


def test_holm_and_welch():
    assert holm([0.001, 0.5, 0.02]) == pytest.approx([0.003, 0.5, 0.04])
    assert holm([]) == []
    pytest.importorskip("scipy.stats")
    assert welch([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]) == pytest.approx(1)


def test_medians_count_failures_as_never():
    assert median([1, 2, None]) == 2
    assert median([1, None]) is None
    assert median([]) is None


def test_decay_of_nothing_is_no_decay():
    assert decay([1, 1, 1]) == (0, 0)
    assert decay([1, 0]) == (0, 0)


def modules():
    found = pkgutil.walk_packages(experiments.__path__, "experiments.")
    return [module.name for module in found if not module.name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_examples(name):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0
