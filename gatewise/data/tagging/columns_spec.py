"""Which columns of a file or a frame of tagged sequences mean what, as the caller says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TagColumns:
    """Which columns mean what; None and () leave it to what is found by name.

    Args:
        series: Column that names the sequence which a row belongs to.
        token: Column of the tokens: words, residues.
        label: Columns of the tags; several are learned side by side by one network.
        mask: Column that is 0 where a tag does not count, neither in learning nor in judging.
        group: Column of what must not be split between two parts, such as a document.
        channels: Numeric columns to read beside the tokens or in their place; where there is no
            column of tokens, all that have no other role.

    Example:
        >>> TagColumns(token="input", label=("dssp3", "dssp8")).label
        ('dssp3', 'dssp8')
    """

    series: str | None = None
    token: str | None = None
    label: tuple[str, ...] = ()
    mask: str | None = None
    group: str | None = None
    channels: tuple[str, ...] = ()
