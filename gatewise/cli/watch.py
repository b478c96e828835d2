"""`gatewise watch`: alarms as readings come."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .lines import Lines, decoded, followed
from .output import tell

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CHANNELS = 5
"""Channels that an alarm names."""


def watch(
    model: Path,
    data: Path | None = None,
    *,
    follow: bool = False,
    after: Path | None = None,
    all: bool = False,
    strict: bool = False,
) -> None:
    """Score readings as they come, and write alarms as lines of JSON.

    Args:
        model: Folder of a detector that `gatewise fit anomaly` saved.
        data: File of readings, CSV with a header or lines of JSON; standard input where it is
            left out.
        follow: Wait for what is added to the file, until it is stopped.
        after: Table of readings to begin after, which are scored but not told of.
        all: Write a line for every reading, not only for alarms.
        strict: Stop at a line that cannot be read; it is skipped with a note otherwise.

    Example:
        $ tail -f sensors.csv | gatewise watch pump.model
    """
    if data is not None and not data.is_file():
        raise InputError(f"there is no file {data}; check the path")
    if follow and data is None:
        raise InputError("--follow needs a file to follow; standard input is followed anyway")
    from ..tasks import load

    detector = load(model)
    if not hasattr(detector, "score_points"):
        raise InputError(f"{model} holds a {type(detector).__name__}, which raises no alarms")
    watcher = Watcher(detector, after, every=all)
    try:
        if data is None:
            _run(watcher, sys.stdin.buffer, strict=strict)
        elif follow:
            _run(watcher, followed(data), strict=strict)
        else:
            with data.open("rb") as file:
                _run(watcher, file, strict=strict)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped after {watcher}") from None
    tell(str(watcher))


class Watcher:
    """One stream for each series, and what has been seen so far.

    Args:
        detector: A fitted detector.
        after: Readings to begin after.
        every: Whether readings without an alarm are written, too.
    """

    def __init__(self, detector: Any, after: Path | None = None, *, every: bool = False) -> None:
        self.detector, self.every = detector, every
        columns = detector.data_.read_as_
        self._series, self._time = columns.series, columns.time
        channels = list(detector.data_.channels_)
        timed = [[self._time, *channels]] if self._time else []
        self.lines = Lines([channels, *timed])
        self._streams: dict[Any, Any] = {}
        self._events: dict[Any, int] = {}
        self._raised: set[Any] = set()
        self.readings = self.alarms = self.skipped = 0
        if after is not None:
            self._begin_after(after)

    def __str__(self) -> str:
        """Say what has been seen."""
        events = sum(self._events.values())
        return (
            f"{_many(self.readings, 'reading')}, {_many(self.alarms, 'alarm')} in "
            f"{_many(events, 'event')}, {_many(self.skipped, 'line')} skipped"
        )

    def take(self, number: int, line: str) -> dict[str, Any] | None:
        """Score a line, and give what is to be written of it.

        Raises:
            InputError: It holds no reading of this model's.
        """
        reading = self.lines.read(line)
        if reading is None:
            return None
        named = reading if isinstance(reading, dict) else {}
        series = named.get(self._series) if self._series else None
        if self._series and series is None:
            raise InputError(f"there is no {self._series!r} in it, which names the series")
        series = int(series) if isinstance(series, float) and series.is_integer() else series
        stream = self._stream(series)
        told = stream.update(reading)
        self.readings += 1
        self.alarms += told.alarm
        if told.alarm and series not in self._raised:
            self._events[series] = self._events.get(series, 0) + 1
        (self._raised.add if told.alarm else self._raised.discard)(series)
        if not (told.alarm or self.every):
            return None
        return self._said(number, series, named.get(self._time), stream, told)

    def _said(self, number: int, series: Any, time: Any, stream: Any, told: Any) -> dict[str, Any]:
        ranked = sorted(
            zip(stream.channels, told.contributions.tolist(), strict=True), key=lambda c: -c[1]
        )
        said: dict[str, Any] = {"line": number}
        if series is not None:
            said["series"] = series
        if time is not None:
            said["time"] = time
        said |= {
            "score": round(told.score, 4),
            "threshold": round(told.threshold, 4),
            "alarm": bool(told.alarm),
        }
        if told.alarm:
            said["event"] = self._events[series]
        said["channels"] = {name: round(share, 3) for name, share in ranked[:MOST_CHANNELS]}
        if self.detector.adapt:
            said["adapted"] = {name: round(f, 3) for name, f in stream.adapted.items()}
        return said

    def _stream(self, series: Any) -> Any:
        if series not in self._streams:
            self._streams[series] = self.detector.stream(series=series)
        return self._streams[series]

    def _begin_after(self, path: Path) -> None:
        readings = self.detector.data_.read(path)
        for i, name in enumerate(readings.names):
            stream = self._stream(name if self._series else None)
            for k, row in enumerate(readings.values[i]):
                stream.update(row, None if readings.times is None else readings.times[i][k])


def _run(watcher: Watcher, lines: Iterable[bytes], *, strict: bool) -> None:
    """Take line by line, and write what is said at once."""
    for number, text in decoded(lines):
        try:
            if isinstance(text, InputError):
                raise text
            said = watcher.take(number, text)
        except InputError as wrong:
            if strict:
                raise InputError(f"line {number}: {wrong}") from None
            watcher.skipped += 1
            tell(f"note: line {number} was skipped: {wrong}")
            continue
        if said is not None:
            sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
            sys.stdout.flush()


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
