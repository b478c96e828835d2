"""Texts without labels, to learn a language from."""

from __future__ import annotations

import re
from pathlib import Path

from .fetch import find
from .known import DATA_SETS

_QUESTION = re.compile(r"^#Q ", re.MULTILINE)
_BREAK = re.compile(r"<br\s*/?>")


def imdb(root: str | Path | None = None) -> list[str]:
    """Read reviews of films that nobody labelled: about 50,000, of 230 words on average.

    They are the part `train/unsup` of the Large Movie Review Dataset; the labelled parts are left
    alone. Line breaks of the web page become spaces, and what occurs twice is kept once.
    Maas et al. 2011, https://aclanthology.org/P11-1015.

    Args:
        root: Folder of the data sets, as in `find`.

    Returns:
        The reviews, by the names of their files.

    Raises:
        InputError: They are not there.
    """
    folder = find("imdb", root) / "aclImdb" / "train" / "unsup"
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt")))
    return list(dict.fromkeys(" ".join(_BREAK.sub(" ", text).split()) for text in texts))


def open_trivia(root: str | Path | None = None) -> list[str]:
    """Read questions of quizzes, each with its answer behind it: about 49,000, of 19 words.

    What occurs twice is kept once, wrong answers are left out, and bytes that are no UTF-8 become
    U+FFFD. https://github.com/uberspot/OpenTriviaQA, CC BY-SA 4.0.

    Args:
        root: Folder of the data sets, as in `find`.

    Raises:
        InputError: They are not there and cannot be downloaded.
    """
    folder = find("open_trivia", root)
    found: dict[str, None] = {}
    for file in sorted(DATA_SETS["open_trivia"].files, key=lambda file: file.path):
        content = (folder / file.path).read_bytes().decode(errors="replace")
        for part in _QUESTION.split(content)[1:]:
            question, _, answers = part.partition("\n^")
            answer = answers.partition("\n")[0]
            found[" ".join(f"{question} {answer}".split())] = None
    return list(found)
