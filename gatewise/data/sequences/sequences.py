"""Many sequences of uneven lengths, numbers or text, each with a name and perhaps a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import InputError
from ..digest import digest

_MOST = 1e18
"""Values are float32 here, and their squares have to stay finite."""

_SAME = 1e-3
"""Gaps that differ by less than this share of the usual one are the same gap."""


@dataclass(frozen=True)
class Sequences:
    """What every reader gives and every task on whole sequences takes.

    A sequence is either numbers at steps (`values`) or a text (`texts`).

    Args:
        values: float32 [steps, channels] each, NaN where a value is missing; None for texts.
        names: What each sequence is called in messages and answers.
        channels: Names of the channels; empty for texts.
        texts: One text each; None for numbers.
        labels: Object or float64 [sequences]: a class or a number each; None where none are known.
        groups: Object [sequences]: what must not be split between two parts, such as a subject.
        starts: float64 [sequences]: when each begins, for splits by time.
        gaps: float32 [steps] each: time since the step before (seconds of stamps, or steps), 0 at
            the first; None where no time is known.
        kind: What it came as: "array", "list", "pandas", "polars", "pyarrow", "csv", "parquet",
            "ts", "lines", "fasta".
        columns: Role ("series", "label", "text", ...) to the column's name in a table.
        notes: What was guessed in reading.

    Raises:
        InputError: There is no sequence, the parts are not equally many, a channel is infinite,
            or two sequences have different channels.

    Example:
        >>> made = Sequences.of([[1.0, 2.0], [3.0]], labels=["up", "down"])
        >>> len(made), made.lengths.tolist(), made.channels
        (2, [2, 1], ('value',))
    """

    values: tuple[np.ndarray, ...] | None
    names: tuple[Any, ...]
    channels: tuple[str, ...] = ()
    texts: tuple[str, ...] | None = None
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    starts: np.ndarray | None = None
    gaps: tuple[np.ndarray, ...] | None = None
    kind: str = "list"
    columns: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.values is None) == (self.texts is None):
            raise InputError("sequences are numbers or texts: give one of values and texts")
        if not self.names:
            raise InputError("there is no sequence in the data; hand over at least one")
        parts = ("values", "texts", "labels", "groups", "starts", "gaps")
        for name in parts:
            part = getattr(self, name)
            if part is not None and len(part) != len(self.names):
                raise InputError(
                    f"there are {len(self.names)} sequences and {len(part)} {name}; give one each"
                )
        if self.values is not None:
            _check_values(self)

    @classmethod
    def of(
        cls, values: Sequence[Any], *, labels: Any = None, groups: np.ndarray | None = None
    ) -> Sequences:
        """Make them of arrays [steps, channels] or [steps], or of texts, numbered from 0."""
        from .arrays import from_arrays

        return replace(from_arrays(values), groups=groups).with_labels(labels)

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.names)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each sequence, int64 [sequences]; characters of texts."""
        parts = self.values if self.values is not None else self.texts or ()
        return np.fromiter(map(len, parts), np.int64, len(self))

    @property
    def is_text(self) -> bool:
        """Whether they are texts."""
        return self.texts is not None

    @property
    def usual_gap(self) -> float | None:
        """The middle one of the times between steps; None where no time is known."""
        within = [g[1:] for g in self.gaps or () if len(g) > 1]
        return float(np.median(np.concatenate(within))) if within else None

    @property
    def is_irregular(self) -> bool:
        """Whether steps are not all equally far apart in time."""
        usual = self.usual_gap
        return usual is not None and any(
            bool((np.abs(g[1:] - usual) > _SAME * usual).any()) for g in self.gaps or ()
        )

    def take(self, indices: Sequence[int] | np.ndarray) -> Sequences:
        """Give some of the sequences, in this order."""
        chosen = [int(i) for i in indices]

        def tuples(part: tuple[Any, ...] | None) -> Any:
            return None if part is None else tuple(part[i] for i in chosen)

        def arrays(part: np.ndarray | None) -> Any:
            return None if part is None else part[chosen]

        return replace(
            self,
            values=tuples(self.values),
            names=tuples(self.names),
            texts=tuples(self.texts),
            labels=arrays(self.labels),
            groups=arrays(self.groups),
            starts=arrays(self.starts),
            gaps=tuples(self.gaps),
        )

    def with_labels(self, labels: Any) -> Sequences:
        """Give each sequence its label.

        Args:
            labels: One per sequence, in order; a mapping or a table from name to label; None to
                leave them as they are.

        Raises:
            InputError: They are not one for each.
        """
        if labels is None:
            return self
        from .labels import labels_of

        return replace(self, labels=labels_of(labels, self.names))

    def said(self, index: int) -> str:
        """Name a sequence for a message."""
        name = self.names[index]
        named = {"lines": "line", "array": "sequence", "list": "sequence"}.get(self.kind)
        if named is None and "text" in self.columns:
            named = "row"
        return f"{named} {name}" if named else f"sequence {name!r}"

    def digest(self) -> str:
        """Hash what is in them (`gatewise.data.digest`)."""
        parts = list(self.values if self.values is not None else self.texts or ())
        labels = None if self.labels is None else self.labels.tolist()
        return digest(list(self.channels), parts, labels, list(self.gaps or ()))


def _check_values(sequences: Sequences) -> None:
    values, channels = sequences.values or (), sequences.channels
    for index, array in enumerate(values):
        if array.ndim != 2 or array.shape[1] != len(channels):
            found = array.shape[1] if array.ndim == 2 else f"shape {array.shape}"
            raise InputError(
                f"{sequences.said(index)} has {found} channels and {sequences.said(0)} has "
                f"{len(channels)}; give all the same channels, as [steps, channels]"
            )
        absurd = np.abs(array) > _MOST
        if absurd.any():
            step, channel = np.argwhere(absurd)[0].tolist()
            raise InputError(
                f"{sequences.said(index)}, channel {channels[channel]!r}, step {step}: the value "
                f"is infinite or beyond {_MOST:g}; correct it or leave it empty"
            )
    if sequences.gaps is None:
        return
    for index, (gaps, array) in enumerate(zip(sequences.gaps, values, strict=True)):
        if gaps.shape != array.shape[:1] or not (gaps >= 0).all() or np.isinf(gaps).any():
            raise InputError(
                f"{sequences.said(index)} has gaps that are not one number of at least 0 for each "
                "of its steps; give the time since the step before, 0 at the first"
            )
