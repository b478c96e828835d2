"""Contracts are kept in memory that is full of NaN."""

import pytest

from ..engines.cpu.spoiled import spoiled


@pytest.fixture(autouse=True, scope="package")
def _memory_is_spoiled():
    with spoiled():
        yield
