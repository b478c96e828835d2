"""Which tag may follow which: BIO and BIOES, by the tags' own names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import torch

from ...nn.heads.crf import Transitions

Scheme = Literal["bio", "bioes"]


def scheme_of(tags: Iterable[str]) -> Scheme | None:
    """Tell the scheme from the tags' names; None where they name no spans.

    Example:
        >>> scheme_of(["O", "B-PER", "I-PER"]), scheme_of(["S-LOC", "O"]), scheme_of(["NOUN"])
        ('bio', 'bioes', None)
    """
    parts = [split(tag) for tag in tags]
    kinds = {prefix for prefix, _ in parts}
    if "O" not in kinds or not kinds <= set("OBIES") or not kinds - {"O"}:
        return None
    if any(prefix != "O" and not kind for prefix, kind in parts) and not {"B", "I"} <= kinds:
        return None
    return "bioes" if kinds & {"E", "S"} else "bio"


def split(tag: str) -> tuple[str, str]:
    """Part a tag into its prefix and what it marks; a tag that marks nothing has "O" or itself.

    Example:
        >>> split("B-PER"), split("O"), split("I")
        (('B', 'PER'), ('O', ''), ('I', ''))
    """
    prefix, _, kind = tag.partition("-")
    return prefix, kind


def links(tags: Sequence[str], scheme: Scheme | None, seen: Iterable[Sequence[int]]) -> Transitions:
    """Which links a chain of tags may have: those of the scheme, and any that were seen.

    Args:
        tags: Names.
        scheme: Their scheme; with None everything is allowed.
        seen: Numbers of tags one after another, below 0 where unknown; what occurs is allowed,
            whatever the scheme says, so that no sequence becomes impossible.

    Example:
        >>> links(["O", "B-X", "I-X"], "bio", []).start.tolist()
        [True, True, False]
    """
    count = len(tags)
    between = torch.ones(count, count, dtype=torch.bool)
    start, end = torch.ones(count, dtype=torch.bool), torch.ones(count, dtype=torch.bool)
    if scheme is not None:
        for i, before in enumerate(tags):
            for j, after in enumerate(tags):
                between[i, j] = _follows(before, after, scheme)
            start[i] = _follows("O", before, scheme)
            end[i] = _follows(before, "O", scheme)
    for path in seen:
        known = [tag if tag >= 0 else None for tag in path]
        for a, b in pairwise(known):
            if a is not None and b is not None:
                between[a, b] = True
        if known and known[0] is not None:
            start[known[0]] = True
        if known and known[-1] is not None:
            end[known[-1]] = True
    if not (start.any() and end.any()):
        return Transitions(torch.ones_like(between), torch.ones_like(start), torch.ones_like(end))
    return Transitions(between, start, end)


def _follows(before: str, after: str, scheme: Scheme) -> bool:
    (first, kind), (second, other) = split(before), split(after)
    inside = second in ("I", "E")
    if scheme == "bio":
        return not inside or (first in ("B", "I") and kind == other)
    opened = first in ("B", "I")
    return (inside and kind == other) if opened else not inside
