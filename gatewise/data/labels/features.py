"""What a network reads of a sequence: scaled numbers, or tokens; learned on what is fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ..text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..sequences.sequences import Sequences
    from ..text.tokens_spec import Tokens


class Numbers:
    """Channels in units of their deviation; what is missing is zero, and a channel says so.

    Where steps are not equally far apart, the logarithm of the gap is a channel, too.

    Attributes:
        columns: Names of the features.
    """

    def __init__(self) -> None:
        self.channels: tuple[str, ...] = ()
        self.mean = self.std = np.empty(0)
        self.masked: tuple[int, ...] = ()
        self.gap: float | None = None
        self.gap_channel = False

    def fit(self, sequences: Sequences, *, gap_channel: bool = True) -> Numbers:
        """Learn the scale from all steps, and which channels miss values.

        Args:
            sequences: What is fitted on, and nothing else.
            gap_channel: Whether an irregular gap becomes a channel.
        """
        assert sequences.values is not None
        steps = np.concatenate(sequences.values).astype(np.float64)
        seen = ~np.isnan(steps)
        count = np.maximum(seen.sum(0), 1)
        self.channels = sequences.channels
        self.mean = np.where(seen, steps, 0).sum(0) / count
        spread = np.where(seen, (steps - self.mean) ** 2, 0).sum(0) / count
        self.std = np.sqrt(spread)
        # What never changes says nothing, and keeps its unit.
        self.std[self.std <= 1e-8 * np.maximum(1, np.abs(self.mean))] = 1.0
        self.masked = tuple(np.flatnonzero(~seen.all(0)).tolist())
        self.gap = (sequences.usual_gap or 1.0) if sequences.is_irregular else None
        self.gap_channel = gap_channel and self.gap is not None
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""
        masks = tuple(f"{self.channels[i]} is there" for i in self.masked)
        return (*self.channels, *masks, *(("gap",) if self.gap_channel else ()))

    def parts(self, sequences: Sequences) -> list[np.ndarray]:
        """Give each sequence's features, float32 [steps, features].

        Raises:
            InputError: It is text, or has other channels than what was learned from.
        """
        values = self._ordered(sequences)
        gaps = self.gaps(sequences) if self.gap_channel else None
        masked = list(self.masked)
        found = []
        for index, array in enumerate(values):
            seen = ~np.isnan(array)
            scaled = np.where(seen, (array - self.mean) / self.std, 0)
            parts = [scaled, seen[:, masked]]
            if gaps is not None:
                parts.append(np.log1p(gaps[index])[:, None])
            found.append(np.concatenate(parts, 1).astype(np.float32))
        return found

    def gaps(self, sequences: Sequences) -> list[np.ndarray] | None:
        """Give the gaps in units of the usual one, float32 [steps]; None where time is regular."""
        if self.gap is None:
            return None
        if sequences.gaps is not None:
            return [(g / self.gap).astype(np.float32) for g in sequences.gaps]
        return [_regular(int(n)) for n in sequences.lengths]

    def _ordered(self, sequences: Sequences) -> tuple[np.ndarray, ...]:
        if sequences.values is None:
            raise InputError("it was fitted on numbers, and this is text; hand over numbers")
        given = sequences.channels
        if given == self.channels:
            return sequences.values
        missing = [c for c in self.channels if c not in given]
        if missing or len(given) < len(self.channels):
            raise InputError(
                f"channel {missing[0]!r} is missing: it was fitted on {len(self.channels)} "
                f"channels ({', '.join(self.channels[:8])}), and there are {len(given)} "
                f"({', '.join(given[:8])})"
            )
        if not sequences.columns:
            raise InputError(
                f"there are {len(given)} channels, and it was fitted on {len(self.channels)}; give "
                "the same ones"
            )
        places = [given.index(c) for c in self.channels]
        return tuple(array[:, places] for array in sequences.values)

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {
            "channels": list(self.channels),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "masked": list(self.masked),
            "gap": self.gap,
            "gap_channel": self.gap_channel,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Numbers:
        """Take back what `state` gave."""
        made = cls()
        made.channels, made.masked = tuple(state["channels"]), tuple(state["masked"])
        made.mean, made.std = np.array(state["mean"]), np.array(state["std"])
        made.gap, made.gap_channel = state["gap"], state["gap_channel"]
        return made


class Texts:
    """Numbers of a text's tokens, after a vocabulary.

    Args:
        tokens: What a text is cut into.
        vocabulary: One that was learned elsewhere; None to learn it.
    """

    def __init__(self, tokens: Tokens, vocabulary: Vocabulary | None = None) -> None:
        self._given = vocabulary is not None
        self.vocabulary = vocabulary or Vocabulary(tokens)

    columns = ("token",)

    def fit(self, sequences: Sequences) -> Texts:
        """Learn the vocabulary, unless it was given."""
        if not self._given:
            self.vocabulary.fit(sequences.texts or ())
        return self

    def parts(self, sequences: Sequences) -> list[np.ndarray]:
        """Give each text's numbers, int64 [tokens].

        Raises:
            InputError: It is no text, or a text has no tokens.
        """
        if sequences.texts is None:
            raise InputError("it was fitted on texts, and these are numbers; hand over texts")
        return [np.array(self.vocabulary.encode(t), dtype=np.int64) for t in sequences.texts]

    def gaps(self, sequences: Sequences) -> None:
        """Texts have no time."""

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        return {"vocabulary": self.vocabulary.state()}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Texts:
        """Take back what `state` gave."""
        vocabulary = Vocabulary.restored(state["vocabulary"])
        made = cls(vocabulary.tokens)
        made.vocabulary = vocabulary
        return made


def _regular(steps: int) -> np.ndarray:
    gaps = np.ones(steps, np.float32)
    gaps[:1] = 0
    return gaps
