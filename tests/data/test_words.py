from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.text.words import join_words, split_words

FAMILY = "\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\r", []),
        ("Gr\u00fc\u00dfe, Welt!", ["Gr\u00fc\u00dfe", ",", "Welt", "!"]),
        (
            "a grey-haired man's T-Shirt - wow",
            ["a", "grey-haired", "man", "'s", "T-Shirt", "-", "wow"],
        ),
        ("'tis 'good'", ["'", "tis", "'", "good", "'"]),
        ("3.14, 1,000 and 5.", ["3.14", ",", "1,000", "and", "5", "."]),
        ("wait... no--yes", ["wait", "...", "no", "--", "yes"]),
        ("cafe\u0301 \u0915\u093f", ["cafe\u0301", "\u0915\u093f"]),
        (
            f"hi{FAMILY}\U0001f44d\U0001f3fd\u2764\ufe0f",
            ["hi", FAMILY, "\U0001f44d\U0001f3fd", "\u2764\ufe0f"],
        ),
        (
            "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
            ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"],
        ),
        ("a\r\nb\n\nc", ["a", "\n", "b", "\n", "\n", "c"]),
        ("a\x00b", ["a", "\x00", "b"]),
        ("\u3053\u3093 \u4e16\u754c", ["\u3053\u3093", "\u4e16\u754c"]),
    ],
)
def test_texts_are_split_as_documented(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Well, I don't know (yet): what's \"it\" for?",
        'He said: "Yes." Then: "No."',
        "\u201eJa\u201c, sagte er. \u201cNo\u201d, she said.",
        "It costs $5.50, or 3.000 \u20ac; 20% off!",
        "a line\nand another...\n\nthe end",
    ],
)
def test_usual_texts_come_back(text):
    assert join_words(split_words(text)) == text


@given(st.text())
def test_no_character_but_white_space_is_lost(text):
    assert "".join(split_words(text)).replace("\n", "") == "".join(text.split())
