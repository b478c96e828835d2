"""Fixtures that every test may use."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# More threads than free cores make tiny networks many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_CACHE = "GATEWISE_CACHE"
_made: list[str] = []


def pytest_configure():
    """Keep compiled kernels in one folder for the session, unless the user names another."""
    if _CACHE not in os.environ:
        _made.append(tempfile.mkdtemp(prefix="gatewise-tests-"))
        os.environ[_CACHE] = _made[0]


def pytest_unconfigure():
    """Remove it, and leave the environment as it was."""
    while _made:
        os.environ.pop(_CACHE, None)
        shutil.rmtree(_made.pop(), ignore_errors=True)


@pytest.fixture(autouse=True, scope="module")
def _compilations_are_counted_anew():
    """Forget what `torch.compile` made for another file: it counts how often it compiled a line."""
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()


@pytest.fixture
def threads_as_before(monkeypatch):
    """A command sets the threads of its process; a test must leave them as they were."""
    import torch

    before = torch.get_num_threads()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, str(before))
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real data sets; a test that needs one skips where it is missing."""
    root = Path(os.environ.get("GATEWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no data folder at {root}: set GATEWISE_DATA (see README, Data)")
    return root
