"""Sequences of any lengths by principal components: what an autoencoder has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class SequencePCA:
    """Sequences stretched to one length, and their principal components.

    Codes are divided by the root of the number of values, so that a code's length does not grow
    with that of the sequences.

    Args:
        mean: Mean sequence, [grid * channels].
        components: Rows of unit length, or of zeros where there are fewer than asked for,
            [code, grid * channels].
        grid: Steps that all sequences are stretched to.

    Example:
        >>> sizes = [(9, 1), (12, 2), (15, 3)]
        >>> waves = [np.sin(np.linspace(0, 6, n))[:, None] * a for n, a in sizes]
        >>> model = SequencePCA.fit(waves, code_size=1, grid=12)
        >>> back = model.decode(model.encode(waves), [len(w) for w in waves])
        >>> bool(np.abs(back[1] - waves[1]).max() < 0.02)
        True
    """

    mean: np.ndarray
    components: np.ndarray
    grid: int

    @classmethod
    def fit(cls, parts: Sequence[np.ndarray], code_size: int, grid: int) -> SequencePCA:
        """Learn the components of the training sequences.

        Args:
            parts: [steps, channels] each.
            code_size: Components.
            grid: Steps to stretch to.

        Raises:
            InputError: A size is not positive, or there is no sequence.
        """
        if code_size < 1 or grid < 1 or not parts:
            raise InputError(
                f"code_size is {code_size}, grid {grid}, and there are {len(parts)} sequences; "
                "each is 1 or more"
            )
        rows = _rows(parts, grid)
        mean = rows.mean(axis=0)
        _, strength, found = np.linalg.svd(rows - mean, full_matrices=False)
        kept = int(min(code_size, (strength > 1e-9 * max(strength.max(initial=0), 1e-300)).sum()))
        components = np.zeros((code_size, rows.shape[1]))
        components[:kept] = found[:kept]
        return cls(mean, components, grid)

    @property
    def scale(self) -> float:
        """Root of the number of values of a stretched sequence."""
        return float(np.sqrt(self.mean.size))

    def encode(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Codes, [sequences, code]."""
        return (_rows(parts, self.grid) - self.mean) @ self.components.T / self.scale

    def decode(self, codes: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
        """Sequences of given lengths from their codes, [steps, channels] each."""
        rows = codes @ self.components * self.scale + self.mean
        shaped = rows.reshape(len(rows), self.grid, -1)
        return [stretched(row, int(n)) for row, n in zip(shaped, lengths, strict=True)]


def stretched(part: np.ndarray, steps: int) -> np.ndarray:
    """A sequence at other, evenly spaced steps, by straight lines between its own.

    Args:
        part: [old steps, channels], at least one step.
        steps: New steps; the first and the last stay.

    Example:
        >>> stretched(np.array([[0.0], [2.0]]), 3).ravel().tolist()
        [0.0, 1.0, 2.0]
    """
    at = np.linspace(0, len(part) - 1, steps) if steps > 1 else np.zeros(steps)
    old = np.arange(len(part))
    return np.stack([np.interp(at, old, channel) for channel in part.T], axis=1)


def _rows(parts: Sequence[np.ndarray], grid: int) -> np.ndarray:
    return np.stack([stretched(part, grid).ravel() for part in parts]).astype(float)
