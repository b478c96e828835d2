"""What a word looks like: its casing, and the letters that it begins and ends with."""

from __future__ import annotations

import re


def looks(word: str, affixes: int) -> list[str]:
    """Name what a word looks like.

    Args:
        word: As it is written.
        affixes: Letters of the longest beginning and ending.

    Example:
        >>> looks("Talking", 2)
        ['shape:Xx', 'begin:t', 'end:g', 'begin:ta', 'end:ng']
    """
    if not affixes:
        return []
    lower = word.lower()
    named = [f"shape:{shape(word)}"]
    for n in range(1, min(affixes, len(lower)) + 1):
        # A word that is no longer than its affix is told from those that go on.
        whole = "=" if n == len(lower) else ""
        named += [f"begin:{whole}{lower[:n]}", f"end:{whole}{lower[-n:]}"]
    return named


def shape(word: str) -> str:
    """Write upper case as X, lower case as x, digits as 9, each run as one.

    Example:
        >>> shape("iPhone-15"), shape("NASA")
        ('xXx-9', 'X')
    """
    classes = "".join(
        "X" if c.isupper() else "x" if c.isalpha() else "9" if c.isdigit() else c for c in word
    )
    return re.sub(r"(.)\1+", r"\1", classes)[:8]
