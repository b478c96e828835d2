"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real data sets; a test that needs one skips where it is missing."""
    root = Path(os.environ.get("GATEWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no data folder at {root}: set GATEWISE_DATA (see README, Data)")
    return root
