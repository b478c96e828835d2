"""Conversations as turns: pairs, threads and files of them, in one form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError
from .turn_files import is_readable, read_threads

Thread = tuple[str, ...]
"""What was said, turn by turn; speakers take turns."""


@dataclass(frozen=True)
class Conversations:
    """Threads, and where each comes from.

    Args:
        threads: The turns of each conversation, with no white space around them.
        places: Where each was found, for messages: "chat.yml, conversation 3".
        notes: What was left out, in sentences.
        from_file: Whether they were read from files.
    """

    threads: tuple[Thread, ...]
    places: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    from_file: bool = False

    def __len__(self) -> int:
        """Conversations there are."""
        return len(self.threads)


def read_conversations(x: Any, y: Any = None) -> Conversations:
    """Read conversations to learn from: each has two turns or more, and none is there twice.

    Args:
        x: Pairs or threads as sequences of texts; or prompts, with their replies in `y`; or one
            path or several, of YAML as chatterbot's, JSON lines, TSV, or text with blank lines
            between conversations (`gatewise.data.dialogue.turn_files.read_threads`).
        y: One reply for each text in `x`.

    Raises:
        InputError: There is something else in it, a file cannot be read, or no conversation
            has two turns.

    Example:
        >>> found = read_conversations([("Hello", "Hi"), ("Hello", "Hi"), ["A?", "B.", "C."]])
        >>> found.threads
        (('Hello', 'Hi'), ('A?', 'B.', 'C.'))
        >>> found.notes
        ('1 conversation was there before, word for word, and is left out.',)
    """
    if y is not None:
        x = _paired(x, y)
    elif names := _names(x):
        x = [Path(name) for name in names]
    found = read_turns(x)
    kept: dict[tuple[str, ...], int] = {}
    single = 0
    for index, thread in enumerate(found.threads):
        if len(thread) < 2:
            single += 1
        else:
            kept.setdefault(tuple(_plain(turn) for turn in thread), index)
    if not kept:
        raise InputError(
            "there is no conversation of two turns or more: give pairs or threads, such as "
            '[("Hello", "Hi")]'
        )
    notes = list(found.notes)
    if single:
        notes.append(f"{_counted(single)} of one turn only: nothing is answered there.")
    if again := len(found) - single - len(kept):
        were = "was there before, word for word, and is" if again == 1 else (
            "were there before, word for word, and are"
        )  # fmt: skip
        notes.append(f"{_counted(again)} {were} left out.")
    chosen = list(kept.values())
    return Conversations(
        tuple(found.threads[i] for i in chosen),
        tuple(found.places[i] for i in chosen),
        tuple(notes),
    )


def read_turns(x: Any) -> Conversations:
    """Read conversations so far, to be answered: one text is a conversation of one turn.

    Args:
        x: A text, texts, or threads as sequences of texts; or paths as in `read_conversations`. A
            path is given as a `Path`.

    Raises:
        InputError: There is something else in it, or a file cannot be read.

    Example:
        >>> read_turns(["Hello", ["Hello", "Hi", "How are you?"]]).threads
        (('Hello',), ('Hello', 'Hi', 'How are you?'))
    """
    if isinstance(x, Conversations):
        return x
    if isinstance(x, Path):
        return _from_files([x])
    if isinstance(x, str):
        x = [x]
    if hasattr(x, "tolist"):
        x = x.tolist()
    if not isinstance(x, Iterable):
        raise InputError(f"x is a {type(x).__name__}: give pairs or threads of texts, or a path")
    items = list(x)
    if items and all(isinstance(item, Path) for item in items):
        return _from_files(items)
    threads = tuple(_thread(item, index) for index, item in enumerate(items))
    return Conversations(threads, tuple(f"conversation {i + 1}" for i in range(len(threads))))


def _from_files(paths: Sequence[Path]) -> Conversations:
    threads: list[Thread] = []
    places: list[str] = []
    for path in paths:
        for number, turns in enumerate(read_threads(path), 1):
            threads.append(tuple(t for turn in turns if (t := turn.strip())))
            places.append(f"{path.name}, conversation {number}")
    return Conversations(tuple(threads), tuple(places), from_file=True)


def _thread(item: Any, index: int) -> Thread:
    turns = [item] if isinstance(item, str) else item
    if not isinstance(turns, Iterable):
        raise InputError(
            f"conversation {index + 1} is a {type(item).__name__}: give a text, or a sequence of "
            "texts"
        )
    turns = list(turns)
    for place, turn in enumerate(turns):
        if not isinstance(turn, str):
            raise InputError(
                f"turn {place + 1} of conversation {index + 1} is a {type(turn).__name__}: give "
                "text"
            )
    return tuple(t for turn in turns if (t := turn.strip()))


def _names(x: Any) -> list[str]:
    """Names of files that are given as text: texts by themselves are no conversations."""
    names = [x] if isinstance(x, str) else x if isinstance(x, list) else []
    are_names = all(isinstance(name, str) and is_readable(Path(name)) for name in names)
    return names if are_names else []


def _paired(x: Any, y: Any) -> list[tuple[Any, Any]]:
    if isinstance(x, str | Path) or isinstance(y, str | Path):
        raise InputError("y is given with x: give two equally long lists of texts")
    x, y = list(x), list(y)
    if len(x) != len(y):
        raise InputError(f"x has {len(x)} texts and y has {len(y)}: give one reply for each")
    return list(zip(x, y, strict=True))


def _plain(text: str) -> str:
    """What makes two turns the same: case and white space do not count."""
    return " ".join(text.casefold().split())


def _counted(number: int) -> str:
    return "1 conversation" if number == 1 else f"{number:,} conversations"
