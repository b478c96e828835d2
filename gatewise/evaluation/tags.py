"""How right sequences of tags are: token by token, tag by tag, span by span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Tags = Sequence[str]


class Span(NamedTuple):
    """Tokens that belong together.

    Attributes:
        kind: What they are, "PER" for instance.
        start: The first token's place, from 0.
        end: The place after the last token.
    """

    kind: str
    start: int
    end: int


def token_accuracy(true: Sequence[Sequence[str | None]], found: Sequence[Tags]) -> float:
    """Share of tokens whose tag is right; tokens without a known tag are left out.

    Args:
        true: Tags of each sequence, None where not known.
        found: Tags that were given, as many.

    Example:
        >>> token_accuracy([["A", "B", None]], [["A", "A", "A"]])
        0.5
    """
    pairs = list(_pairs(true, found))
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else float("nan")


def confusion(
    true: Sequence[Sequence[str | None]], found: Sequence[Tags], tags: Sequence[str]
) -> np.ndarray:
    """How often each tag (rows) was given as each other (columns), int64 [tags, tags].

    A tag that is not among `tags` is left out.

    Example:
        >>> confusion([["A", "B", "B"]], [["A", "A", "B"]], ["A", "B"]).tolist()
        [[1, 0], [1, 1]]
    """
    number = {tag: k for k, tag in enumerate(tags)}
    counts = np.zeros((len(tags), len(tags)), dtype=np.int64)
    for a, b in _pairs(true, found):
        if a in number and b in number:
            counts[number[a], number[b]] += 1
    return counts


def per_tag(
    true: Sequence[Sequence[str | None]], found: Sequence[Tags]
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of each tag, by name.

    Example:
        >>> per_tag([["A", "B", "B"]], [["A", "A", "B"]])["B"]
        {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666, 'tokens': 2}
    """
    pairs = list(_pairs(true, found))
    tags = sorted({tag for pair in pairs for tag in pair})
    table = {}
    for tag in tags:
        there = sum(a == tag for a, _ in pairs)
        given = sum(b == tag for _, b in pairs)
        right = sum(a == b == tag for a, b in pairs)
        table[tag] = {**_rates(right, given, there), "tokens": there}
    return table


def spans(tags: Sequence[str | None]) -> list[Span]:
    """Spans that tags mark, as conlleval reads them, in IOB1, IOB2, IOE and IOBES.

    A span begins where a tag says so, where its kind changes, or where none was open; it is
    closed by what cannot go on with it. Tjong Kim Sang & Buchholz 2000
    (https://aclanthology.org/W00-0726), whose script others follow.

    Args:
        tags: Of one sequence; None counts as outside.

    Example:
        >>> spans(["B-PER", "I-PER", "O", "I-LOC"])
        [Span(kind='PER', start=0, end=2), Span(kind='LOC', start=3, end=4)]
    """
    found: list[Span] = []
    before, kind_before, start = "O", "", 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, kind = _split(tag)
        if _ends(before, prefix, kind_before, kind):
            found.append(Span(kind_before, start, place))
        if _begins(before, prefix, kind_before, kind):
            start = place
        before, kind_before = prefix, kind
    return found


def span_scores(
    true: Sequence[Sequence[str | None]], found: Sequence[Tags]
) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of whole spans: the same kind, the same first and last token.

    Args:
        true: Tags of each sequence.
        found: Tags that were given.

    Returns:
        "all" for all kinds together, counted span by span, then each kind.

    Example:
        >>> span_scores([["B-PER", "I-PER", "O"]], [["B-PER", "O", "O"]])["all"]["f1"]
        0.0
    """
    held = [(i, span) for i, tags in enumerate(true) for span in spans(tags)]
    given = [(i, span) for i, tags in enumerate(found) for span in spans(tags)]
    right = set(held) & set(given)
    table = {"all": {**_rates(len(right), len(given), len(held)), "spans": len(held)}}
    for kind in sorted({span.kind for _, span in [*held, *given]}):
        of = [sum(span.kind == kind for _, span in part) for part in (right, given, held)]
        table[kind] = {**_rates(*of), "spans": of[2]}
    return table


def segment_overlap(true: Tags, found: Tags, tags: Sequence[str] | None = None) -> float:
    """SOV'99 of two sequences of states: how well segments overlap, from 0 to 1.

    Zemla, Venclovas, Fidelis & Rost 1999, A modified definition of Sov
    (https://doi.org/10.1002/(SICI)1097-0134(19990201)34:2%3C220::AID-PROT7%3E3.0.CO;2-K).

    Args:
        true: Observed states of a chain.
        found: Predicted states.
        tags: The states to judge; all that are observed when left out.

    Example:
        >>> round(segment_overlap("CHHHHHHHHHHC", "CCCHHHHHCCCC"), 3)
        0.632
    """
    total, weight = 0.0, 0
    for state in sorted(set(true)) if tags is None else tags:
        observed, predicted = _segments(true, state), _segments(found, state)
        for start, end in observed:
            overlapping = [(s, e) for s, e in predicted if s < end and e > start]
            length = end - start
            weight += length * max(1, len(overlapping))
            for s, e in overlapping:
                common = min(end, e) - max(start, s)
                extent = max(end, e) - min(start, s)
                delta = min(extent - common, common, length // 2, (e - s) // 2)
                total += (common + delta) / extent * length
    return total / weight if weight else float("nan")


def unseen_accuracy(
    true: Sequence[Sequence[str | None]],
    found: Sequence[Tags],
    tokens: Sequence[Sequence[str]],
    seen: Mapping[str, object],
) -> float:
    """Share of tokens that are not among `seen` whose tag is right; NaN where there are none."""
    new = [
        a == b
        for of_true, of_found, words in zip(true, found, tokens, strict=True)
        for a, b, word in zip(of_true, of_found, words, strict=True)
        if a is not None and word not in seen
    ]
    return sum(new) / len(new) if new else float("nan")


def _pairs(
    true: Sequence[Sequence[str | None]], found: Sequence[Tags]
) -> Iterator[tuple[str, str]]:
    for of_true, of_found in zip(true, found, strict=True):
        for a, b in zip(of_true, of_found, strict=True):
            if a is not None:
                yield a, b


def _rates(right: int, given: int, there: int) -> dict[str, float]:
    precision = right / given if given else 0.0
    recall = right / there if there else 0.0
    both = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
    }


def _split(tag: str | None) -> tuple[str, str]:
    if tag is None or tag in ("O", "."):
        return "O", ""
    prefix, _, kind = tag.partition("-")
    return prefix, kind


def _ends(before: str, prefix: str, kind_before: str, kind: str) -> bool:
    """Whether a span that was open ends before this tag."""
    if before == "O":
        return False
    return before in "ES" or prefix in "BSO" or kind_before != kind


def _begins(before: str, prefix: str, kind_before: str, kind: str) -> bool:
    """Whether a span begins with this tag."""
    if prefix == "O":
        return False
    return prefix in "BS" or before in "ESO" or kind_before != kind


def _segments(states: Tags, state: str) -> list[tuple[int, int]]:
    here = np.array([False, *(s == state for s in states), False])
    edges = np.flatnonzero(here[1:] != here[:-1]).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
