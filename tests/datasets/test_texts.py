"""Texts without labels: what is left of their files."""

from __future__ import annotations

import pytest

from gatewise.datasets import DATA_SETS
from gatewise.datasets.texts import imdb, open_trivia
from gatewise.errors import InputError


def test_reviews_lose_the_marks_of_the_page_and_their_doubles(tmp_path):
    folder = tmp_path / "imdb" / "aclImdb" / "train" / "unsup"
    folder.mkdir(parents=True)
    for name, text in {"0_0": "Good.<br /><br />Very  good.", "1_0": "Bad.", "2_0": "Bad."}.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    assert imdb(tmp_path) == ["Good. Very good.", "Bad."]


def test_questions_come_with_their_right_answer(tmp_path):
    folder = tmp_path / "open_trivia"
    folder.mkdir()
    for file in DATA_SETS["open_trivia"].files:
        (folder / file.path).write_bytes(b"")
    first = b"#Q Who wrote\nEmma?\n^ Jane Austen\nA Jane Austen\nB Bront\xeb\n"
    (folder / "literature").write_bytes(first + b"\n#Q #Q is what?\n^ A mark\nA")
    assert open_trivia(tmp_path) == ["Who wrote Emma? Jane Austen", "#Q is what? A mark"]


def test_reviews_that_are_not_there_are_placed_by_hand(tmp_path):
    with pytest.raises(InputError, match=r"ai\.stanford\.edu/~amaas/data/sentiment/ and place it"):
        imdb(tmp_path)
