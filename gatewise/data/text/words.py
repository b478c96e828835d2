"""How a text is split into words, and how words become text again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_EMOJI = (
    "[\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_MODIFIER = "[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]"

_LEFT = frozenset(".,;:!?%)]}…»”’")
"""What stands without a space after the word before it."""

_RIGHT = frozenset("([{¿¡„«‘$£€#@")
"""What stands without a space before the word after it."""

_MARKS_UP_TO = 0x1F000


def split_words(text: str) -> list[str]:
    r"""Split a text into words, with punctuation apart; white space is dropped but for LF.

    A word is a run of letters, digits and marks of any script, with hyphens inside of it. What
    follows an apostrophe inside a word is a token that keeps the apostrophe; a number keeps its
    points and commas; a run of dots or dashes is one token; an emoji stays whole with its
    modifiers. Everything else is a token by itself, a line feed too. Scripts that do without
    spaces are not cut into words: take characters or subwords for those.

    Example:
        >>> split_words('He said: "I don\'t pay 1,000.50..."\n')
        ['He', 'said', ':', '"', 'I', 'don', "'t", 'pay', '1,000.50', '...', '"', '\n']
    """
    return _pattern().findall(text)


def join_words(words: Iterable[str]) -> str:
    r"""Put words together as they are usually written; what `split_words` took apart, nearly.

    Example:
        >>> join_words(split_words('He said: "I don\'t pay (1,000.50)..."\n'))
        'He said: "I don\'t pay (1,000.50)..."\n'
    """
    text: list[str] = []
    glued, quoted, low = True, False, False
    for word in words:
        opens = word in _RIGHT
        closes = word in _LEFT or word.startswith("..")
        if word == '"':
            opens, closes, quoted = not quoted, quoted, not quoted
        elif word == "“":
            # German closes with what English opens with.
            opens, closes, low = not low, low, False
        low = low or word == "„"
        suffix = len(word) > 1 and word[0] in "'’"
        if not (glued or closes or suffix or word == "\n"):
            text.append(" ")
        text.append(word)
        glued = opens or word == "\n"
        quoted = quoted and word != "\n"
    return "".join(text)


@cache
def _pattern() -> re.Pattern[str]:
    letter = f"[\\w{_marks()}]"
    word = f"{letter}+(?:-{letter}+)*"
    return re.compile(
        "|".join(
            (
                r"\n",
                r"\d+(?:[.,]\d+)+",
                f"(?<={letter})['’]{letter}+",
                "[\U0001f1e6-\U0001f1ff]{2}",
                f"{_EMOJI}{_MODIFIER}*(?:\u200d{_EMOJI}{_MODIFIER}*)*",
                word,
                r"\.{2,}",
                "-{2,}",
                r"\S",
            )
        )
    )


def _marks() -> str:
    """All combining marks as ranges of a character class; regular expressions leave them out."""
    codes = [c for c in range(0x300, _MARKS_UP_TO) if unicodedata.category(chr(c)).startswith("M")]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)
