"""The page that says which engine takes what is what the engines say."""

from pathlib import Path

import pytest

from gatewise.nn.__main__ import text

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


@pytest.fixture(scope="module")
def written():
    return text()


def test_page_is_current(written):
    assert PAGE.read_text(encoding="utf-8") == written, "python -m gatewise.nn docs/engines.md"


def test_the_cpu_engine_takes_every_cell_with_every_option(written):
    _, _, after = written.partition("## Every cell with")
    head, _, *rows = after.partition("\n\n## ")[0].strip().splitlines()[2:]
    cpu = [part.strip() for part in head.split("|")].index("cpu")
    assert len(rows) > 15
    for row in rows:
        assert row.split("|")[cpu].strip() == "yes", row
