"""Other people's packages on the path, for as long as a test needs them."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from . import sources


@contextmanager
def package(name: str) -> Iterator[ModuleType]:
    """Import one of `sources.PACKAGES`, or skip; what is installed here goes first."""
    folder = str(sources.packages())
    sys.path.append(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Theirs are not ours to mend.
            yield importlib.import_module(name)
    except ImportError as missing:
        pytest.skip(f"{missing}: python -m tests.external.sources packages")
    finally:
        sys.path.remove(folder)
