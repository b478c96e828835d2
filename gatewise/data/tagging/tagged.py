"""Sequences of tokens with a tag for each token: what every reader gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import InputError
from ..digest import digest

Tags = tuple[str | None, ...]
"""The tags of one sequence; None where one is not known or does not count."""


@dataclass(frozen=True)
class Tagged:
    """Sequences of tokens, of numbers, or of both, and the tags that are known of them.

    Args:
        names: What each sequence is called in messages and answers.
        tokens: Tokens of each sequence; None where there are numbers only.
        labels: Name of a set of tags to the tags of each sequence; empty where none are known.
        values: float32 [tokens, channels] of each sequence; None without channels.
        channels: Names of the channels.
        groups: What must not be split between two parts, one for each sequence.
        kind: What it came as: "list", "file", "pandas", "polars", "pyarrow".
        columns: Role ("series", "token", "label") to the column's name in a table.
        notes: What was guessed in reading.

    Raises:
        InputError: There is no sequence, one is empty, or parts of one have different lengths.

    Example:
        >>> made = Tagged.of([["Sepp", "writes"]], {"label": [["NOUN", "VERB"]]})
        >>> made.lengths.tolist(), made.labels["label"][0]
        ([2], ('NOUN', 'VERB'))
    """

    names: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...] | None
    labels: Mapping[str, tuple[Tags, ...]] = field(default_factory=dict)
    values: tuple[np.ndarray, ...] | None = None
    channels: tuple[str, ...] = ()
    groups: tuple[Any, ...] | None = None
    kind: str = "list"
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            raise InputError("there is no sequence in the data; hand over at least one")
        parts = {"tokens": self.tokens, "values": self.values, **self.labels}
        given = {name: part for name, part in parts.items() if part is not None}
        first = next(iter(given), None)
        if first is None:
            raise InputError("the data hold neither tokens nor numbers; hand over one of them")
        for name, part in given.items():
            if len(part) != len(self.names):
                raise InputError(
                    f"there are {len(self.names)} sequences and {len(part)} of {name}: give one "
                    "for each"
                )
            for i, (one, reference) in enumerate(zip(part, given[first], strict=True)):
                if len(one) != len(reference):
                    raise InputError(
                        f"sequence {self.names[i]!r} has {len(reference)} {first} and {len(one)} "
                        f"{name}: give one for each"
                    )
                if not len(one):
                    raise InputError(f"sequence {self.names[i]!r} is empty; drop it")

    @classmethod
    def of(
        cls,
        tokens: Sequence[Sequence[str]],
        labels: Mapping[str, Sequence[Sequence[str | None]]] | None = None,
        *,
        names: Sequence[str] | None = None,
        groups: tuple[Any, ...] | None = None,
        kind: str = "list",
        columns: Mapping[str, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Tagged:
        """Make them of lists; numbered from 0 where they have no names."""
        called = tuple(map(str, range(len(tokens)))) if names is None else tuple(names)
        held = {name: tuple(map(tuple, of)) for name, of in (labels or {}).items()}
        cut = tuple(map(tuple, tokens))
        return cls(called, cut, held, groups=groups, kind=kind, columns=columns or {}, notes=notes)

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.names)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sequence, int64."""
        parts = self.tokens if self.tokens is not None else self.values
        assert parts is not None
        return np.array([len(part) for part in parts], dtype=np.int64)

    def take(self, indices: Sequence[int]) -> Tagged:
        """Give some of the sequences, in this order."""

        def of(part: tuple | None) -> Any:
            return None if part is None else tuple(part[i] for i in indices)

        return replace(
            self,
            names=of(self.names),
            tokens=of(self.tokens),
            labels={name: of(part) for name, part in self.labels.items()},
            values=of(self.values),
            groups=of(self.groups),
        )

    def digest(self) -> str:
        """Hash what is learned from: tokens, numbers and tags, whatever they came as."""
        tokens = [list(t) for t in self.tokens] if self.tokens is not None else None
        values = list(self.values) if self.values is not None else None
        labels = {name: [list(t) for t in part] for name, part in sorted(self.labels.items())}
        return digest(tokens, values, labels)
