"""Conversations, by topic."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ..data.dialogue.turns import Conversations, read_turns
from ..errors import InputError

_LANGUAGE = "english"


def chatterbot(language: str = _LANGUAGE) -> dict[str, Conversations]:
    """Short conversations that the users of chatterbot wrote, by topic; many are there twice.

    They lie in the package chatterbot-corpus (BSD), of which only the files are needed:
    `pip install --no-deps chatterbot-corpus==1.3.3`. The package itself is not imported.

    Args:
        language: Folder of the corpus, such as "english", "german" or "spanish".

    Returns:
        Topic (the file's name) to its conversations, by name.

    Raises:
        InputError: The package is not installed, or has no such language.
    """
    return {path.stem: read_turns(path) for path in chatterbot_files(language)}


def chatterbot_files(language: str = _LANGUAGE) -> list[Path]:
    """Where the corpus lies, a file for each topic, by name.

    Raises:
        InputError: As in `chatterbot`.
    """
    spec = importlib.util.find_spec("chatterbot_corpus")
    folders = [Path(f) / "data" for f in (spec.submodule_search_locations or ())] if spec else []
    if not folders or not folders[0].is_dir():
        raise InputError(
            "the conversations lie in a package that is not installed: "
            "pip install --no-deps chatterbot-corpus==1.3.3"
        )
    files = sorted((folders[0] / language).glob("*.yml"))
    if not files:
        known = sorted(f.name for f in folders[0].iterdir() if f.is_dir())
        raise InputError(f"language={language!r}: give one of {', '.join(known)}")
    return files
