"""Texts for language models to learn from, without the sentences that are tested on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gatewise.data.sequences.sequences import Sequences
from gatewise.datasets.texts import imdb, open_trivia
from gatewise.errors import InputError

KNOWN = {"imdb": imdb, "open_trivia": open_trivia}

FEWEST = 4
"""Words of a sentence that gives a text away; shorter ones ("very bad") stand everywhere."""

_WORD = re.compile(r"[^\W_]+")
_APART = re.compile(r"(?<=\w) (n't|'(?:s|re|ve|ll|d|m))(?!\w)", re.IGNORECASE)
_SIGNS = {"-lrb-": "(", "-rrb-": ")", "``": '"', "''": '"'}


def read(names: Sequence[str], root: Path) -> list[str]:
    """Read texts, in a random order that is always the same.

    Args:
        names: Of `KNOWN`, or files with one text a line.
        root: Folder of the data sets.

    Raises:
        InputError: They are not there.
    """
    texts: list[str] = []
    for name in names:
        texts += KNOWN[name](root) if name in KNOWN else _lines(name)
    return [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]


def without(texts: Iterable[str], sentences: Iterable[str]) -> list[str]:
    """Leave out the texts that hold one of the sentences, whatever the case, signs and spaces.

    Args:
        texts: To choose from.
        sentences: Those of fewer than `FEWEST` words do not count.

    Example:
        >>> without(["So it is n't bad, is it?", "Good."], ["It isn't bad. Is it?"])
        ['Good.']
    """
    known: defaultdict[str, list[str]] = defaultdict(list)
    for words in map(_words, sentences):
        if len(words) >= FEWEST:
            # Letters alone, since "is n't" and "isn't" are the same.
            known["".join(words)[:FEWEST]].append("".join(words))
    return [text for text in texts if not _holds(_words(text), known)]


def as_written(sentences: Sequences) -> Sequences:
    """Put together what the sets of sentences have apart: "do n't", "it 's", "-lrb-"."""
    return replace(sentences, texts=tuple(map(_joined, sentences.texts or ())))


def _joined(text: str) -> str:
    for sign, meant in _SIGNS.items():
        text = text.replace(sign, meant)
    return _APART.sub(r"\1", text)


def _holds(words: Sequence[str], known: dict[str, list[str]]) -> bool:
    letters, at = "".join(words), 0
    for word in words:
        found = known.get(letters[at : at + FEWEST], ())
        if any(letters.startswith(sentence, at) for sentence in found):
            return True
        at += len(word)
    return False


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _lines(name: str) -> list[str]:
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--texts {name!r} cannot be read ({error}): give one of {', '.join(KNOWN)}, or a file "
            "in UTF-8 with one text a line"
        ) from error
    return [line for line in lines if line.strip()]
