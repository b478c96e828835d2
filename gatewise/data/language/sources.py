"""Where text comes from: files, read piece by piece, and strings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files.tables import missing
from ..files.text_files import stream_text

_LONGEST_NAME = 1024

_LONG_LINE = 4096
"""Characters of a line from which on it may be cut in its midst."""

_NEAR = 256
"""Characters after a place within which the end of its line is awaited."""

_SPACE = re.compile(r"\s")

_FILES = (".txt", ".gz")
"""Endings of what is no text, but the name of a file."""


@dataclass(frozen=True)
class Sources:
    """Texts one after another, which are read anew each time they are asked for.

    Args:
        held: Files as paths, texts as strings.

    Example:
        >>> [piece for piece, starts in Sources(("one", "two")).pieces()]
        ['one', 'two']
    """

    held: tuple[str | Path, ...]

    @classmethod
    def of(cls, x: Any) -> Sources:
        """Understand what a caller gives: a file or a text, or several of either.

        A string that names a file that is there stands for the file; one word that ends as
        names of text files do is no text.

        Raises:
            InputError: It is none of these, or a path leads nowhere.
        """
        several = [x] if isinstance(x, str | Path) else x
        if not isinstance(several, Iterable):
            raise InputError(
                f"x is a {type(x).__name__}: give a text, a file's path, or a list of either"
            )
        held = tuple(_source(one) for one in several)
        if not held:
            raise InputError("x holds no text: give a text, a file's path, or a list of either")
        return cls(held)

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Give the text piece by piece, and whether a text begins with the piece.

        Raises:
            InputError: A file is missing or is not UTF-8, once the place is reached.
        """
        for source in self.held:
            starts = True
            for piece in stream_text(source) if isinstance(source, Path) else [source]:
                yield piece, starts
                starts = False

    def measured(self) -> tuple[int, str]:
        """Read everything once: the number of characters, and a hash of them.

        Raises:
            InputError: As in `pieces`.
        """
        count, sink = 0, hashlib.sha256()
        for piece, starts in self.pieces():
            count += len(piece)
            sink.update(b"\x00" if starts else b"")
            sink.update(piece.encode(errors="surrogatepass"))
        return count, sink.hexdigest()

    def parts(self, cut: int, by_line: bool) -> Iterator[tuple[str, bool, bool]]:
        """Give whole pieces before and after a place, and none that lies on both sides.

        Args:
            cut: Characters before the place.
            by_line: Whether a piece ends, and the place lies, where a line ends, or in a long line
                before white space, so that no word is cut in two.

        Returns:
            For each piece its text, whether a text begins with it, whether it lies after the place.
        """
        seen = 0
        for piece, starts in _lines(self.pieces()) if by_line else self.pieces():
            at = min(max(cut - seen, 0), len(piece))
            seen += len(piece)
            if 0 < at < len(piece) and by_line:
                at = _next_end(piece, at)
            if at:
                yield piece[:at], starts, False
            if at < len(piece):
                yield piece[at:], starts and not at, True

    def name(self) -> str:
        """What to call it in a message."""
        first, *others = self.held
        name = str(first) if isinstance(first, Path) else "the text"
        return f"{name} and {len(others)} more" if others else name


def _source(one: Any) -> str | Path:
    if isinstance(one, Path):
        return one
    if not isinstance(one, str):
        raise InputError(f"x holds a {type(one).__name__}: give texts, or paths of files")
    if 0 < len(one) < _LONGEST_NAME and "\n" not in one and "\x00" not in one:
        try:
            if Path(one).is_file():
                return Path(one)
        except OSError:  # no name that a file could have
            return one
        if one.lower().endswith(_FILES) and not _SPACE.search(one):
            raise missing(Path(one))
    return one


def _lines(pieces: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Join and cut pieces so that each ends with a line, before white space, or with its text."""
    held, held_starts = "", False
    for piece, starts in pieces:
        if starts:
            if held:
                yield held, held_starts
            held, held_starts = "", True
        held += piece
        end = _last_end(held)
        if end:
            yield held[:end], held_starts
            held, held_starts = held[end:], False
    if held:
        yield held, held_starts


def _next_end(text: str, at: int) -> int:
    """Where a text may be cut, from a place on: behind a line, before white space, or there."""
    end = text.find("\n", at, at + _NEAR) + 1
    if end:
        return end
    space = _SPACE.search(text, at, at + _NEAR)
    return space.start() if space else at


def _last_end(text: str) -> int:
    """The last place where a text may be cut; 0 where more of it has to be seen."""
    end = text.rfind("\n") + 1
    if end or len(text) <= _LONG_LINE:
        return end
    return max(text.rfind(" "), 0) or len(text)
