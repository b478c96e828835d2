"""Text files with a text a line, the label before it: `1 What is an atom ?`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..files.text_files import read_lines
from .sequences import Sequences

MOST_CLASSES = 0.5
"""First words are labels where there are at most so many different ones per line."""


def read_labelled_lines(path: str | Path, known: Collection[str] | None = None) -> Sequences:
    """Read a text per line; the first word is its label where it reads like one.

    It does where first words are few (fastText's `__label__` is taken off), or where all are
    among the `known` ones. Blank lines are left out.

    Args:
        path: The file, UTF-8, or packed as `.gz`.
        known: Labels of a fitted model, for a file that may or may not have them.

    Raises:
        InputError: It has no line with text.
    """
    path = Path(path)
    lines, notes = _lines(path)
    pairs = [(n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()]
    if not pairs:
        raise InputError(f"{path} has no text; give one a line, its label first: 1 Some text")
    firsts = [line.split(None, 1)[0].removeprefix("__label__") for _, line in pairs]
    rests = [[*line.split(None, 1), ""][1] for _, line in pairs]
    if known is not None:
        labelled = all(first in known for first in firsts) and all(rests)
    else:
        labelled = len(set(firsts)) <= max(1, MOST_CLASSES * len(firsts)) and all(rests)
    texts = rests if labelled else [line for _, line in pairs]
    labels = np.array([*firsts, None], dtype=object)[:-1] if labelled else None
    return Sequences(
        None,
        tuple(n for n, _ in pairs),
        texts=tuple(texts),
        labels=labels,
        kind="lines",
        notes=(*notes, *(("the first word of each line was taken as its label",) * labelled)),
    )


def _lines(path: Path) -> tuple[list[str], tuple[str, ...]]:
    """Read UTF-8, or the Latin-1 of older collections where it cannot be anything else."""
    try:
        return read_lines(path), ()
    except InputError:
        data = path.read_bytes() if path.is_file() else b""
        # Single letters with an accent in a text that is ASCII apart from them.
        if not _LATIN.fullmatch(data):
            raise
    said = f"{path} is not UTF-8 and was read as Latin-1; save it as UTF-8 if a letter is wrong"
    return data.decode("latin-1").replace("\r\n", "\n").split("\n"), (said,)


_LATIN = re.compile(rb"([\t\n\r -~]+[\xa0-\xfd])*[\t\n\r -~]+")
