"""What a text is cut into, as the caller says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import InputError, nearest

Unit = Literal["word", "char", "byte", "subword"]

SPECIALS = 4
"""Ids that are no token of the text: padding, unknown, start and end."""

BYTES = 256


@dataclass(frozen=True)
class Tokens:
    """What a text is cut into, and which of it gets a number of its own.

    Args:
        unit: "word" for words with punctuation apart, "char" for characters, "byte" for the bytes
            of UTF-8, "subword" for pieces that are learned by byte-pair encoding (Sennrich et al.
            2016, https://arxiv.org/abs/1508.07909) over bytes, so that nothing is unknown.
        size: Most entries of the vocabulary, the four special ones included; None for all tokens,
            and for 8,000 subwords.
        min_count: How often a token has to occur to get an entry.
        lower: Whether upper case becomes lower case.

    Raises:
        InputError: A field is not as above.

    Example:
        >>> Tokens("char", lower=True).unit
        'char'
        >>> Tokens("words")
        Traceback (most recent call last):
        gatewise.errors.InputError: unit='words': did you mean 'word'?
    """

    unit: Unit = "word"
    size: int | None = None
    min_count: int = 1
    lower: bool = False

    def __post_init__(self) -> None:
        units = get_args(Unit)
        if self.unit not in units:
            raise InputError(f"unit={self.unit!r}: {nearest(str(self.unit), units)}")
        least = SPECIALS + (BYTES if self.unit in ("byte", "subword") else 1)
        if self.size is not None and not _whole(self.size, least):
            raise InputError(
                f"size={self.size!r}: give a whole number of at least {least} for {self.unit!r}, "
                "or None"
            )
        if not _whole(self.min_count, 1):
            raise InputError(f"min_count={self.min_count!r}: give a whole number of at least 1")
        if not isinstance(self.lower, bool):
            raise InputError(f"lower={self.lower!r}: give True or False")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
