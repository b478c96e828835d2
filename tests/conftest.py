"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# More threads than free cores make tiny networks many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real data sets; a test that needs one skips where it is missing."""
    root = Path(os.environ.get("GATEWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no data folder at {root}: set GATEWISE_DATA (see README, Data)")
    return root
