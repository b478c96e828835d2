"""Tokens to text, piece by piece, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

REMEMBERED = 16
"""Tokens before the newest ones that decide on how those are written."""

LONGEST = 8
"""Tokens that may wait for others to become a character together."""

_HALF = "\ufffd"


class Decodes(Protocol):
    """A vocabulary."""

    def decode(self, numbers: Iterable[int]) -> str:
        """Give the text of numbers."""
        ...


def written(
    vocabulary: Decodes, tokens: Iterable[int], prompt: Sequence[int] = ()
) -> Iterator[str]:
    """Give the text of each token as soon as it is certain; the pieces together are the text.

    Bytes and subwords wait until they are whole characters. What stands between words depends on
    the words before, of which the last `REMEMBERED` are looked at.

    Args:
        vocabulary: Says what tokens mean.
        tokens: Numbers, without end if you like.
        prompt: Tokens that were there before; they are not given again.

    Example:
        >>> from gatewise.data import Tokens, Vocabulary
        >>> words = Vocabulary(Tokens("word")).fit("well, it is.")
        >>> list(written(words, words.encode("it is well.")))
        ['it', ' is', ' well', '.']
        >>> list(written(words, words.encode("is well."), prompt=words.encode("it")))
        [' is', ' well', '.']
    """
    before = list(prompt[-REMEMBERED:])
    waiting: list[int] = []
    known = vocabulary.decode(before)
    for token in tokens:
        waiting.append(token)
        text = vocabulary.decode([*before, *waiting])
        if text.endswith(_HALF) and len(waiting) < LONGEST:
            continue
        yield text[len(known) :]
        before, waiting = [*before, *waiting][-REMEMBERED:], []
        known = vocabulary.decode(before)
    if waiting:
        yield vocabulary.decode([*before, *waiting])[len(known) :]


def stopped(pieces: Iterable[str], stop: str | Sequence[str]) -> Iterator[str]:
    """Pass pieces on up to the first stop text, which is left out.

    What might become a stop text is held back until that is decided.

    Args:
        pieces: The text.
        stop: Texts to stop at, or one text.

    Example:
        >>> "".join(stopped(iter(["on", "e. t", "wo E", "ND three"]), ["END"]))
        'one. two '
    """
    stop = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
    if not stop:
        yield from pieces
        return
    held = ""
    for piece in pieces:
        held += piece
        ends = [at for text in stop if (at := held.find(text)) >= 0]
        if ends:
            yield held[: min(ends)]
            return
        keep = max(_begun(held, text) for text in stop)
        yield held[: len(held) - keep]
        held = held[len(held) - keep :]
    yield held


def _begun(text: str, stop: str) -> int:
    """How much of `stop` may have begun at the end of a text."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(stop[:size])), 0)
