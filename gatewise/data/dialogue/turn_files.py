"""Files of conversations: chatterbot's YAML, JSON lines, tab-separated and plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..._optional import need
from ...errors import InputError
from ..files.tables import missing
from ..files.text_files import read_lines, read_text

PROMPTS = ("prompt", "question", "input", "context")
REPLIES = ("reply", "response", "answer", "output")
THREADS = ("turns", "messages", "conversation", "thread", "dialog")


def read_threads(path: Path) -> list[list[str]]:
    """Read a file of conversations, each also packed by gzip with `.gz` after its name.

    - `.yml`, `.yaml`: as chatterbot's corpus, a list of lists of turns under "conversations".
    - `.jsonl`: a line each: a list of turns; or an object that holds such a list as "turns",
      "messages" (whose items may be objects with "content"), "conversation", "thread" or "dialog";
      or an object of a prompt and its reply ("prompt", "question", "input", "context" with "reply",
      "response", "answer", "output").
    - `.tsv`: a line each, its turns separated by tabs.
    - `.txt`: a turn a line, conversations separated by blank lines.

    Raises:
        InputError: The file is missing, has another ending, or is not as above; the sentence
            names the line.
    """
    if not is_readable(path):
        if not path.exists():
            raise missing(path)
        raise InputError(
            f"{path} is no file of conversations by its ending; give one of {', '.join(_READERS)}"
        )
    return list(_READERS[_kind(path)](path))


def is_readable(path: Path) -> bool:
    """Whether a file's ending is one of those that are read."""
    return _kind(path) in _READERS


def _kind(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    if len(suffixes) > 1 and suffixes[1] == ".gz":
        return suffixes[0]
    return suffixes[-1] if suffixes else ""


def _yaml(path: Path) -> Iterator[list[str]]:
    yaml = need("yaml", "text")
    try:
        # The base loader makes nothing but texts, lists and mappings: "No" stays a text.
        held = yaml.load(read_text(path), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}{where} is no YAML ({problem}); correct it") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; give lists of turns") from None
    found = held.get("conversations") if isinstance(held, dict) else None
    if not isinstance(found, list):
        raise InputError(f"{path} has no list under 'conversations'; give lists of turns there")
    for number, thread in enumerate(found, 1):
        where = f"{path}, conversation {number}"
        yield _turns(thread, where)


def _jsonl(path: Path) -> Iterator[list[str]]:
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            held = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            raise InputError(f"{where} is no JSON; give one list or object a line") from None
        yield _turns(_of_object(held, where) if isinstance(held, dict) else held, where)


def _of_object(held: dict[str, Any], where: str) -> list[Any]:
    if threads := [held[name] for name in THREADS if isinstance(held.get(name), list)]:
        return [t.get("content") if isinstance(t, dict) else t for t in threads[0]]
    prompt = next((held[name] for name in PROMPTS if name in held), None)
    reply = next((held[name] for name in REPLIES if name in held), None)
    if prompt is None or reply is None:
        raise InputError(
            f"{where} has the fields {', '.join(map(str, held)) or 'none'}; give 'turns', or "
            "'prompt' and 'reply'"
        )
    return [*prompt, reply] if isinstance(prompt, list) else [prompt, reply]


def _tsv(path: Path) -> Iterator[list[str]]:
    for line in read_lines(path):
        if line.strip():
            yield line.split("\t")


def _txt(path: Path) -> Iterator[list[str]]:
    turns: list[str] = []
    for line in [*read_lines(path), ""]:
        if line.strip():
            turns.append(line)
        elif turns:
            yield turns
            turns = []


def _turns(thread: Any, where: str) -> list[str]:
    if isinstance(thread, str):
        return [thread]
    if not isinstance(thread, list) or not all(isinstance(turn, str) for turn in thread):
        raise InputError(f"{where} is no list of texts; give the turns of a conversation")
    return thread


_READERS: dict[str, Callable[[Path], Iterator[list[str]]]] = {
    ".yml": _yaml,
    ".yaml": _yaml,
    ".jsonl": _jsonl,
    ".tsv": _tsv,
    ".txt": _txt,
}
