"""How readings come: how far apart, on what calendar, and what repeats among them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ..time import calendar
from ..time.season import find_rhythm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IRREGULAR = 0.05
"""Share of gaps unlike the usual one from which on the gap is told to the network."""

ALIKE = 0.01
"""Share of the usual gap that another may differ by."""

FARTHEST = 5.0
"""Logarithm of a gap in usual ones, at most, on both sides."""

DAY = 86_400_000_000_000
WEEK, YEAR = 7 * DAY, 8766 * DAY // 24
"""Nanoseconds."""


@dataclass(frozen=True)
class Beat:
    """The clock that series of readings share; a reading is a step, however far from the last.

    Args:
        gap: Usual distance of two readings, in nanoseconds where they have stamps.
        dated: Whether they have stamps.
        irregular: Whether gaps differ.
        cycles: Cycles of the calendar that were seen often enough to be learned.
        season: Readings after which they repeat; 1 for never.
    """

    gap: int = 1
    dated: bool = False
    irregular: bool = False
    cycles: tuple[str, ...] = ()
    season: int = 1

    @property
    def features(self) -> int:
        """Numbers that say where in time a reading stands."""
        return 2 * sum(calendar.HARMONICS[c] for c in self.cycles) + self.irregular

    @property
    def per_day(self) -> float:
        """Readings in a day; 0 without stamps."""
        return DAY / self.gap if self.dated else 0.0

    def tell(self, times: np.ndarray | None, steps: int) -> np.ndarray:
        """Say where in time each reading stands, float32 [steps, features].

        Args:
            times: Stamps or step numbers; None for regular steps.
            steps: How many.
        """
        parts = [np.zeros((steps, 0), np.float32)]
        if times is not None and self.cycles:
            parts.append(calendar.features(times, self.cycles))
        if self.irregular:
            apart = np.full(steps, self.gap, np.int64)
            if times is not None:
                apart[1:] = np.diff(times).astype(np.int64)
            gap = np.log(np.maximum(apart, 0.01 * self.gap) / self.gap)
            parts.append(np.clip(gap, -FARTHEST, FARTHEST)[:, None].astype(np.float32))
        return np.concatenate(parts, 1)

    def state(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**asdict(self), "cycles": list(self.cycles)}

    @staticmethod
    def restored(held: Mapping[str, Any]) -> Beat:
        """Take back what `state` gave."""
        return Beat(**{**held, "cycles": tuple(held["cycles"])})


def find_beat(
    values: Sequence[np.ndarray], times: Sequence[np.ndarray] | None, horizon: int
) -> Beat:
    """Find how readings come.

    Readings of less than a day apart repeat after a day, even where they are too few to show it;
    others after a week or a year, where they do; without stamps, where they look like
    themselves.

    Args:
        values: [readings, channels] per series.
        times: Stamps or step numbers per series, None for none.
        horizon: Steps to be forecast.

    Raises:
        InputError: All stamps are the same.

    Example:
        >>> hours = np.datetime64("2024-01-01", "ns") + np.arange(100) * np.timedelta64(1, "h")
        >>> find_beat([np.zeros((100, 1))], [hours], 1)
        Beat(gap=3600000000000, dated=True, irregular=False, cycles=('hour of day',), season=24)
    """
    if times is None:
        return Beat(season=_season(values, None, horizon))
    dated = times[0].dtype.kind == "M"
    gaps = np.concatenate([np.diff(t).astype(np.int64) for t in times])
    gaps = gaps[gaps > 0]
    if not len(gaps):
        raise InputError("all stamps are the same: check the time column, or leave it out")
    gap = int(np.median(gaps))
    irregular = bool(np.mean(np.abs(gaps / gap - 1) > ALIKE) > IRREGULAR)
    if not dated:
        return Beat(gap, dated, irregular, season=_season(values, None, horizon))
    span = max(t[-1] - t[0] for t in times)
    cycles = calendar.cycles_worth_learning(np.timedelta64(gap, "ns"), span)
    season = DAY // gap
    if season <= 1:
        season = _season(values, [round(WEEK / gap), round(YEAR / gap)], horizon)
    return Beat(gap, dated, irregular, cycles, int(season))


def _season(values: Sequence[np.ndarray], candidates: list[int] | None, horizon: int) -> int:
    columns = [block[:, k] for block in values for k in range(block.shape[1])]
    seen = [c for c in columns if np.isfinite(c).any()]
    return find_rhythm(seen, candidates, horizon).period
