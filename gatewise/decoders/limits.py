"""What a score is compared with: of a whole series at once, or of one reading after another.

A limit says both alike, and knows nothing of what comes after a reading.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..evaluation.anomaly_surprise import MEMORY, Surprises, surprise
from .telemanom import dynamic_threshold

HISTORY, HOP = 2100, 70
"""Scores that the dynamic threshold looks back on, and after how many it is made anew."""


class Limit(Protocol):
    """Turns a score into what is told of it, and says above what that is an alarm."""

    def of(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is told of a series' scores and its thresholds, [steps] each; changes nothing."""
        ...

    def take(self, score: float) -> tuple[float, float]:
        """The same of the next score."""
        ...

    def snapshot(self) -> Any:
        """A copy of all that `take` has changed."""
        ...

    def restore(self, snapshot: Any) -> None:
        """Go back to a snapshot."""
        ...


class Fixed:
    """The score itself, and a threshold that stays.

    Args:
        threshold: In usual errors.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def of(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Limit`."""
        return score, np.full(len(score), self._threshold)

    def take(self, score: float) -> tuple[float, float]:
        """See `Limit`."""
        return score, self._threshold

    def snapshot(self) -> Any:
        """See `Limit`."""

    def restore(self, snapshot: Any) -> None:
        """See `Limit`."""


class Followed:
    """The score itself, and Telemanom's threshold, made anew every few steps.

    Args:
        history: Scores before the first one, [steps].
        buffer: Steps around a run of high scores that belong to it.
    """

    def __init__(self, history: np.ndarray, buffer: int) -> None:
        self._before, self._buffer = history[-HISTORY:], buffer
        self._known: list[float] = self._before.tolist()
        self._threshold, self._steps = float("inf"), 0

    def of(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Limit`."""
        known = np.concatenate([self._before, score])
        out = np.empty(len(score))
        for first in range(0, len(score), HOP):
            end = len(self._before) + first
            recent = known[max(0, end - HISTORY) : end]
            out[first : first + HOP] = dynamic_threshold(recent, self._buffer)
        return score, out

    def take(self, score: float) -> tuple[float, float]:
        """See `Limit`."""
        if self._steps % HOP == 0:
            self._known = self._known[-HISTORY:]
            self._threshold = dynamic_threshold(np.array(self._known), self._buffer)
        self._known.append(score)
        self._steps += 1
        return score, self._threshold

    def snapshot(self) -> Any:
        """See `Limit`."""
        return list(self._known), self._threshold, self._steps

    def restore(self, snapshot: Any) -> None:
        """See `Limit`."""
        known, self._threshold, self._steps = snapshot
        self._known = list(known)


class Surprised:
    """How improbable the score is after those before it, and a threshold that stays.

    Args:
        threshold: In decimal logarithms of a probability.
        history: Scores before the first one, [steps].
        quiet: Steps in which only a higher surprise is told again.
    """

    def __init__(self, threshold: float, history: np.ndarray, quiet: int) -> None:
        self._threshold, self._before, self._quiet = threshold, history[-MEMORY:], quiet
        self._running: Surprises | None = None

    def of(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Limit`."""
        told = surprise(np.concatenate([self._before, score]), self._quiet)
        return told[len(self._before) :], np.full(len(score), self._threshold)

    def take(self, score: float) -> tuple[float, float]:
        """See `Limit`."""
        return self._begun.take(score), self._threshold

    @property
    def _begun(self) -> Surprises:
        """Made when it is needed: a table needs none."""
        if self._running is None:
            self._running = Surprises(self._quiet, before=self._before.tolist())
        return self._running

    def snapshot(self) -> Any:
        """See `Limit`."""
        return self._begun.snapshot()

    def restore(self, snapshot: Any) -> None:
        """See `Limit`."""
        self._begun.restore(snapshot)
