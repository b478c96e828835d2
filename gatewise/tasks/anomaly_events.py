"""Alarms that belong together, as events: when, how bad, and through which channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..data.readings.readings import Readings
    from ..decoders.alarms import Scored


@dataclass(frozen=True)
class Event:
    """One stretch in which something was not usual.

    Args:
        series: Its name.
        start: Stamp of the first alarm, `datetime64` or step number; the reading's number from 0
            on where there are no stamps.
        end: Of the last one.
        peak: Of the highest score.
        score: That score.
        severity: That score over the threshold; above 1.
        channels: Each channel's share of the score over the event, the largest first; they sum
            to 1.
        first: Number of the reading at `start`, from 0 on.
        last: Of that at `end`.
    """

    series: Any
    start: Any
    end: Any
    peak: Any
    score: float
    severity: float
    channels: Mapping[str, float]
    first: int
    last: int

    def __str__(self) -> str:
        """Say it in a sentence."""
        shares = ", ".join(f"{n} {share:.0%}" for n, share in list(self.channels.items())[:3])
        until = "" if self.start == self.end else f" to {_text(self.end)}"
        return (
            f"{self.series}: {_text(self.start)}{until}, {self.severity:.1f} times the threshold "
            f"at {_text(self.peak)} ({shares})"
        )


def events_of(readings: Readings, scored: Sequence[Scored], run: int) -> list[Event]:
    """Join the alarms of each series that have fewer than `run` readings between them.

    Args:
        readings: What was scored.
        scored: What was said of each series.
        run: Readings without an alarm that part one event from the next.
    """
    found = []
    for i, one in enumerate(scored):
        raised = np.flatnonzero(one.alarm)
        if len(raised):
            apart = np.flatnonzero(np.diff(raised) > run) + 1
            found += [_event(readings, i, one, part) for part in np.split(raised, apart)]
    return found


def _event(readings: Readings, i: int, scored: Scored, raised: np.ndarray) -> Event:
    first, last = int(raised[0]), int(raised[-1])
    ratio = scored.score[raised] / scored.threshold[raised]
    peak = int(raised[ratio.argmax()])
    square = np.square(scored.channels[raised]).sum(0)
    share = square / square.sum()
    ranked = np.argsort(-share, kind="stable")
    time = np.arange(len(scored.score)) if readings.times is None else readings.times[i]
    return Event(
        series=readings.names[i],
        start=time[first],
        end=time[last],
        peak=time[peak],
        score=float(scored.score[peak]),
        severity=float(ratio.max()),
        channels={readings.channels[k]: float(share[k]) for k in ranked},
        first=first,
        last=last,
    )


def _text(stamp: Any) -> str:
    if isinstance(stamp, np.datetime64):
        return str(stamp.astype("M8[s]")).replace("T", " ")
    return f"step {stamp}"
