"""What the library says when the caller's input is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The input, not the program, is wrong: one sentence that names it and the next step.

    The command line prints the sentence and exits with status 2; nothing has been written.

    Example:
        >>> from gatewise.nn import Encoder
        >>> Encoder(num_layers=0)
        Traceback (most recent call last):
        gatewise.errors.InputError: num_layers=0: give a whole number of at least 1
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """Offer the closest known name, as the end of a sentence, or list what there is.

    Example:
        >>> nearest("serie", ["series", "time"])
        "did you mean 'series'?"
        >>> nearest("price", ["series", "time"])
        'there are: series, time'
    """
    known = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.7)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"there are: {shown or 'none'}"
