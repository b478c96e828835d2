"""`gatewise translate`: lines in, translations out, one at a time."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import InputError


def translate(model: Path, *, beam: int | None = None, n_best: int = 1) -> None:
    """Translate standard input, a line at a time, to standard output.

    Args:
        model: Folder of a model that `gatewise fit translator` saved.
        beam: Hypotheses kept of each line; the model's own where it is left out.
        n_best: Translations of each line; of more than one, each has its line number and score in
            front, parted by tabs.

    Example:
        $ echo "Ein Hund läuft." | gatewise translate captions.model
    """
    from ..tasks import load

    loaded = load(model)
    if not hasattr(loaded, "translate"):
        raise InputError(
            f"{model} holds a {type(loaded).__name__}, which does not translate: give a model of "
            "`gatewise fit translator`"
        )
    for number, raw in enumerate(sys.stdin.buffer, 1):
        (found,) = loaded.translate(_text(raw, number), n_best=n_best, beam=beam)
        for one in found:
            text = one.text.replace("\n", " ")
            print(text if n_best == 1 else f"{number}\t{one.score:.4f}\t{text}")
        sys.stdout.flush()


def _text(raw: bytes, number: int) -> str:
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"line {number} of standard input is not UTF-8: byte 0x{raw[error.start]:02x} at place "
            f"{error.start} does not fit; convert it to UTF-8"
        ) from None
