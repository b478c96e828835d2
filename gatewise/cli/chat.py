"""`gatewise chat`: a conversation in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from .output import tell

_COMMANDS = "/reset begins anew, /why says what the last reply follows from, Ctrl-D ends"


def chat(model: Path, *, reply: Literal["auto", "beam", "sample", "choose"] | None = None) -> None:
    """Talk with a saved dialogue model: a line in, a line out, at once.

    The model answers as people answered in the conversations that it learned from. It knows
    nothing else: it cannot look anything up, does not know what is true, and says so little of
    what is new to it that it often says its fallback line instead. Do not take its replies for
    advice. `/reset` begins anew, `/why` says what the last reply follows from, Ctrl-D ends.

    Args:
        model: Folder of a model that `gatewise fit dialogue` saved.
        reply: "beam" and "sample" write replies, "choose" takes one that was learned, "auto" what
            was right most often when it was fitted; the model's own way where it is left out.

    Example:
        $ echo "Hello" | gatewise chat chat.model
    """
    from ..tasks import load

    loaded: Any = load(model)
    if not hasattr(loaded, "rank"):
        raise InputError(
            f"{model} holds a {type(loaded).__name__}, which does not talk: give a model of "
            "`gatewise fit dialogue`"
        )
    conversation = loaded.stream(reply)
    asks = sys.stdin.isatty()
    if asks:
        tell(_COMMANDS)
    for line in _lines(asks):
        said = _answer(conversation, line)
        if said is not None:
            print(said, flush=True)
    if asks:
        print()


def _answer(conversation: Any, line: str) -> str | None:
    """What is said to a line; None where nothing is."""
    if not line:
        return None
    if line == "/reset":
        conversation.reset()
        return None
    if line == "/why":
        return conversation.why()
    if line == "/help":
        return _COMMANDS
    # One line for a line, so that a program can read along.
    return " ".join(conversation.say(line).split("\n"))


def _lines(asks: bool) -> Iterator[str]:
    """Lines of standard input as they come; what is not UTF-8 in one is replaced."""
    while True:
        if asks:
            sys.stdout.write("> ")
            sys.stdout.flush()
        raw = sys.stdin.buffer.readline()
        if not raw:
            return
        yield raw.decode("utf-8", errors="replace").strip()
