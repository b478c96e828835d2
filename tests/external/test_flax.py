"""Flax's own cells, of linen and of nnx, beside what `from_flax` makes of their weights."""

import re

import pytest

from . import sources
from .running import pytest_with

pytestmark = pytest.mark.external


def test_weights_of_its_cells():
    folder = sources.flax_packages()
    if not (folder / "flax").is_dir():
        pytest.skip(f"Flax is not in {folder}: python -m tests.external.sources flax")
    said = pytest_with(folder, sources.ROOT, "tests/interop/test_flax_cells.py", "-k", "beside",
                       "-o", "addopts=")  # fmt: skip
    assert re.search(r"8 passed(?!.*skipped)", said), said[-2000:]
