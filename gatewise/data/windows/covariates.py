"""Covariate columns to channels of numbers: what is learned is each column's scale or levels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LEVELS = 64
"""Levels of a category that get a channel each; rarer ones share the last."""


@dataclass(frozen=True)
class Column:
    """One covariate column.

    Args:
        name: As the user calls it.
        levels: Values of a category, most frequent first; None for a numeric column.
        mean: Of a numeric column, over what was fitted on.
        spread: Standard deviation of a numeric column.
    """

    name: str
    levels: tuple[str, ...] | None = None
    mean: float = 0.0
    spread: float = 1.0

    @classmethod
    def learn(cls, name: str, parts: Sequence[np.ndarray]) -> Column:
        """Learn a column from its values in the training part, one array per series.

        Example:
            >>> Column.learn("promo", [np.array(["no", "yes", "no"], dtype=object)]).levels
            ('no', 'yes')
            >>> Column.learn("price", [np.array([1.0, 3.0])]).mean
            2.0
        """
        values = np.concatenate([np.asarray(p).reshape(-1) for p in parts]) if len(parts) else []
        values = np.asarray(values)
        if values.dtype == object:
            seen = [str(v) for v in values if v is not None]
            levels, counts = np.unique(np.array(seen, dtype=str), return_counts=True)
            order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
            return cls(name, tuple(str(levels[i]) for i in order))
        known = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
        if not len(known):
            return cls(name)
        return cls(name, None, float(known.mean()), float(known.std()) or 1.0)

    @property
    def width(self) -> int:
        """Channels that this column takes: one, or one per level and one for the rest."""
        return 1 if self.levels is None else len(self.levels) + 1

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Channels of a column, float32 [steps, width]; a missing value is its mean, or no level.

        Example:
            >>> Column("promo", ("no", "yes")).encode(np.array(["yes", None, "?"], dtype=object))
            array([[0., 1., 0.],
                   [0., 0., 0.],
                   [0., 0., 1.]], dtype=float32)
        """
        values = np.asarray(values).reshape(-1)
        if self.levels is None:
            z = (values.astype(np.float64) - self.mean) / self.spread
            return np.where(np.isfinite(z), z, 0.0).astype(np.float32)[:, None]
        place = {level: i for i, level in enumerate(self.levels)}
        out = np.zeros((len(values), self.width), np.float32)
        for row, value in enumerate(values):
            if value is not None and value == value:
                out[row, place.get(str(value), len(self.levels))] = 1.0
        return out


def learn(columns: Mapping[str, Sequence[np.ndarray]]) -> tuple[Column, ...]:
    """Learn every column, in order."""
    return tuple(Column.learn(name, parts) for name, parts in columns.items())


def encode(columns: Sequence[Column], values: Mapping[str, np.ndarray], steps: int) -> np.ndarray:
    """Channels of all columns side by side, float32 [steps, channels]; short columns are padded.

    Example:
        >>> encode([Column("price", None, 2.0, 1.0)], {"price": np.array([3.0])}, steps=2)
        array([[1.],
               [0.]], dtype=float32)
    """
    blocks = []
    for column in columns:
        block = column.encode(values[column.name][:steps])
        blocks.append(np.pad(block, ((0, steps - len(block)), (0, 0))))
    return np.concatenate(blocks, axis=1) if blocks else np.zeros((steps, 0), np.float32)


def width(columns: Sequence[Column]) -> int:
    """Channels of all columns."""
    return sum(c.width for c in columns)


def state(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """As JSON can hold it."""
    return [asdict(c) for c in columns]


def restore(saved: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Take back what `state` gave."""
    return tuple(
        Column(
            s["name"], None if s["levels"] is None else tuple(s["levels"]), s["mean"], s["spread"]
        )
        for s in saved
    )
