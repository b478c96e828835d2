"""Which columns of a table of sequences mean what, as the caller says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceColumns:
    """Which columns mean what; None and () leave it to what is found by name.

    Args:
        series: Column that names the sequence which a row belongs to.
        time: Column of stamps or step numbers, which order the rows of a sequence.
        label: Column of the answer: one value per sequence.
        text: Column of texts: each row is then a sequence.
        group: Column of what must not be split between two parts, such as a subject.
        channels: Numeric columns to read; all that have no other role when left out.

    Example:
        >>> SequenceColumns(label="speaker").label
        'speaker'
    """

    series: str | None = None
    time: str | None = None
    label: str | None = None
    text: str | None = None
    group: str | None = None
    channels: tuple[str, ...] = ()
