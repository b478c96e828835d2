"""The page that says which engine takes what is what the engines say."""

from pathlib import Path

from gatewise.nn.__main__ import text

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


def test_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == text(), "python -m gatewise.nn docs/engines.md"
