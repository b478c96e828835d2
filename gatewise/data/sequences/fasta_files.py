"""FASTA files: sequences of letters under headers that begin with `>`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import InputError
from ..files.text_files import read_lines
from .sequences import Sequences

SUFFIXES = (".fasta", ".fa", ".faa", ".fna", ".fas")


def read_fasta(path: str | Path) -> Sequences:
    """Read letters and, where every header has one, the label after its last `|`.

    `>P1|membrane` is sequence P1 with label membrane. What follows a blank is a comment.

    Args:
        path: The file, UTF-8, or packed as `.gz`.

    Raises:
        InputError: It is no FASTA file, or a sequence holds no letters.
    """
    path = Path(path)
    heads: list[str] = []
    bodies: list[list[str]] = []
    for number, line in enumerate(read_lines(path), 1):
        line = line.strip()
        if line.startswith(">"):
            heads.append((line[1:].split() or [""])[0])
            bodies.append([])
        elif line and not line.startswith(";"):
            if not heads:
                raise InputError(f"{path}, line {number}: letters before the first header (>name)")
            bodies[-1].append(line.rstrip("*").upper())
    if not heads:
        raise InputError(f"{path} has no header (>name); it is no FASTA file")
    texts = tuple("".join(body) for body in bodies)
    for head, text in zip(heads, texts, strict=True):
        if not text:
            raise InputError(f"{path}: sequence {head!r} has no letters; drop it")
    labelled = all("|" in head.strip("|") for head in heads)
    names = tuple(h.rpartition("|")[0] for h in heads) if labelled else tuple(heads)
    labels = [h.rpartition("|")[2] or None for h in heads] if labelled else None
    return Sequences(
        None,
        names,
        texts=texts,
        labels=None if labels is None else np.array([*labels, None], dtype=object)[:-1],
        kind="fasta",
    )
