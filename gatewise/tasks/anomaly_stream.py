"""A detector that keeps up: one reading at a time, with the state kept between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ..data.readings.beat import FARTHEST
from ..data.readings.tracks import CLIP
from ..data.time.calendar import CYCLES, HARMONICS
from ..data.time.stamps import from_numbers, from_text
from ..decoders.alarms import CAP, FAR
from ..decoders.smoothing import share_of
from ..errors import InputError, nearest
from ..nn.networks.monitor_stream import stepped

if TYPE_CHECKING:
    from ..data.readings.monitored import Monitored
    from ..decoders.alarms import Alarms
    from .anomaly import AnomalyDetector

HOUR = 3_600_000_000_000
MONDAY = 4 * 24 * HOUR
"""Nanoseconds; a week begins at the latter, as in `calendar.features`."""


class Scoring(NamedTuple):
    """What is said of one reading.

    Args:
        score: In usual errors, smoothed; 1 is usual. Where the threshold is "surprise", minus the
            decimal logarithm of the chance of such an error.
        alarm: Whether it is above the threshold.
        threshold: What it was compared with.
        contributions: Each channel's share of the score, which sum to 1, [channels].
    """

    score: float
    alarm: bool
    threshold: float
    contributions: np.ndarray


class DetectorStream:
    """A fitted detector that scores readings as they come, each like `predict` would.

    Args:
        model: A fitted detector.
        x: Readings of one series to begin after.
        series: Name of the series.

    Attributes:
        channels: Their names, in the order that `update` takes them.
        steps: Readings so far.

    Raises:
        InputError: `x` holds several series, or cannot be read.
    """

    def __init__(self, model: AnomalyDetector, x: Any = None, series: Any = None) -> None:
        self._data: Monitored = cast("Any", model.data_)
        self._decode: Alarms = cast("Any", model.task_.decode)
        model.network_.eval()
        self._network = stepped(model.network_)
        self.channels = self._data.channels_
        readings = None if x is None else self._data.read(x)
        if readings is not None and len(readings) != 1:
            raise InputError(f"x holds {len(readings)} series, and a stream follows one: pick it")
        if series is None and readings is not None:
            series = readings.names[0]
        self._lead = getattr(model.network_, "lead", 0)
        self._center, self._unit = (a.copy() for a in self._data.scale_of(series))
        self._time_column = self._data.read_as_.time
        self._lay_out()
        self._start = self.snapshot()
        if readings is not None:
            for k, row in enumerate(readings.values[0]):
                self.update(row, None if readings.times is None else readings.times[0][k])

    def _lay_out(self) -> None:
        """All memory that a step writes to."""
        c, data, decode = len(self.channels), self._data, self._decode
        self._inputs = np.zeros(data.input_size, np.float32)
        self._seen, self._gone = self._inputs[:c], self._inputs[c : 2 * c]
        self._clock = self._inputs[2 * c :]
        self._z, self._last, self._ratio = np.zeros(c), np.zeros(c), np.zeros(c)
        self._smooth, self._levels = np.ones(c), decode.levels_.copy()
        self._share, self._any_gone = share_of(decode.span), False
        cycles = [(c, k) for c in data.beat_.cycles for k in range(1, HARMONICS[c] + 1)]
        turns = [2 * np.pi * k / CYCLES[c] for c, k in cycles]
        self._turns = np.repeat(np.array(turns), 2)
        # A cosine is a sine a quarter turn ahead.
        self._ahead = np.tile([0.0, np.pi / 2], len(turns))
        self._adapting, self._limit = decode.memory is not None, decode.limit()
        self._time: int | None = None
        self.steps = 0

    def update(self, reading: Any, time: Any = None) -> Scoring:
        """Score one reading and take it in.

        Args:
            reading: One value per channel: an array or a list in the order of `channels`, a
                number where there is one, or a dict of channel (and time) to value. NaN, or None
                in a dict, where missing.
            time: Its stamp, as text, `datetime64` or step number; a usual gap after the last one
                when left out.

        Raises:
            InputError: It has other channels, or its stamp cannot be read or lies before the last
                one; nothing is taken in.
        """
        z = self._z
        is_array = type(reading) is np.ndarray and reading.dtype is z.dtype
        if not is_array or reading.shape != z.shape:
            reading, time = self._checked(reading, time)
        elif time is not None:
            time = self._stamp(time)
        np.subtract(reading, self._center, out=z)
        np.divide(z, self._unit, out=z)
        last, whole = self._last, math.isfinite(z.dot(z))
        if not whole and np.isinf(z).any():
            raise _infinite()
        if len(self._clock):
            self._tell_time(time)
        if whole and self.steps >= self._lead:
            np.minimum(z, CLIP, out=last)
            np.maximum(last, -CLIP, out=last)
            if self._any_gone:
                self._gone.fill(0)
                self._any_gone = False
            self._seen[...] = last
            ratio = self._ratio
            np.divide(self._network.step(self._inputs, z), self._levels, out=ratio)
            self._take(ratio)
        else:
            self._step_with_care(z)
        self.steps += 1
        return self._judged()

    def _take(self, ratio: np.ndarray) -> None:
        """Move the smoothed errors on."""
        np.minimum(ratio, CAP, out=ratio)
        if self._adapting:
            decode = self._decode
            self._levels *= np.exp(decode.rate * (np.minimum(ratio, FAR) - decode.usual_))
        np.subtract(ratio, self._smooth, out=ratio)
        np.multiply(ratio, self._share, out=ratio)
        np.add(self._smooth, ratio, out=self._smooth)

    def _step_with_care(self, z: np.ndarray) -> None:
        """As any other step, for the first ones and where something is missing."""
        gone = np.isnan(z)
        self._last[~gone] = np.clip(z[~gone], -CLIP, CLIP)
        self._gone[...], self._any_gone = gone, True
        self._seen[...] = self._last
        ratio = self._network.step(self._inputs, z) / self._levels
        decode = self._decode
        known = ~np.isnan(ratio)
        ratio = np.minimum(ratio[known], CAP)
        if self._adapting:
            self._levels[known] *= np.exp(decode.rate * (np.minimum(ratio, FAR) - decode.usual_))
        self._smooth[known] += self._share * (ratio - self._smooth[known])

    def _judged(self) -> Scoring:
        smooth = self._smooth
        square = smooth * smooth
        total = float(square.sum())
        score, threshold = self._limit.take((total / len(square)) ** 0.5)
        np.divide(square, total or 1.0, out=square)
        return Scoring(score, score > threshold, threshold, square)

    def _tell_time(self, time: Any) -> None:
        """Write what the network is told of the time."""
        beat, before = self._data.beat_, self._time
        now = self._next(before) if time is None else int(time.astype(np.int64))
        if len(self._turns):
            turned = np.multiply(self._turns, (now - MONDAY) / HOUR)
            self._clock[: len(turned)] = np.sin(turned + self._ahead)
        if beat.irregular:
            gap = 1.0 if before is None else (now - before) / beat.gap
            self._clock[-1] = min(max(math.log(max(gap, 0.01)), -FARTHEST), FARTHEST)
        self._time = now

    def _next(self, before: int | None) -> int:
        """A usual gap after the last stamp."""
        if before is not None:
            return before + self._data.beat_.gap
        if self._data.beat_.cycles:
            raise InputError(
                "the model knows the time of day: give the first reading with its time"
            )
        return 0

    def _checked(self, reading: Any, time: Any) -> tuple[np.ndarray, Any]:
        """Values in the order of the channels, and the stamp."""
        if isinstance(reading, Mapping):
            if time is None and self._time_column in reading:
                time = reading[self._time_column]
            absent = [c for c in self.channels if c not in reading]
            if absent:
                offer = nearest(absent[0], [str(n) for n in reading])
                raise InputError(f"the reading has no {absent[0]!r}: {offer}")
            reading = [reading[c] for c in self.channels]
            reading = [np.nan if v is None or v == "" else v for v in reading]
        try:
            values = np.asarray(reading, np.float64).reshape(-1)
        except (TypeError, ValueError):
            raise InputError(f"the reading {reading!r} does not hold numbers only") from None
        if values.shape != self._z.shape:
            raise InputError(
                f"the reading has {len(values)} values, and there are {len(self.channels)} "
                f"channels: {', '.join(self.channels[:8])}"
            )
        if np.isinf(values).any():
            raise _infinite()
        return values, self._stamp(time)

    def _stamp(self, time: Any) -> Any:
        """A stamp as the data has them, checked to come after the last one."""
        if time is None or (isinstance(time, float) and np.isnan(time)):
            return None
        if isinstance(time, np.datetime64):
            time = time.astype("M8[ns]")
        elif isinstance(time, str):
            column = self._time_column or "time"
            time = from_text(np.array([time], dtype=object), column).time[0]
        elif isinstance(time, datetime):
            time = np.datetime64(time.replace(tzinfo=None), "ns")
        elif isinstance(time, int | float | np.number):
            time = from_numbers(np.array([time]), self._time_column or "time").time[0]
        if self._data.beat_.dated != isinstance(time, np.datetime64):
            held = "dates" if self._data.beat_.dated else "step numbers"
            raise InputError(f"the time {time!r} does not fit the {held} that were fitted on")
        if self._time is not None and int(time.astype(np.int64)) < self._time:
            last = np.int64(self._time).astype(time.dtype)
            raise InputError(f"the time {time} lies before the last one, {last}")
        return time

    # Going back

    def snapshot(self) -> Any:
        """A copy of all that readings have changed; `restore` goes back to it."""
        kept = {n: getattr(self, n) for n in ("_any_gone", "_time", "steps")}
        arrays = {n: getattr(self, n).copy() for n in _ARRAYS}
        return kept | arrays, self._limit.snapshot(), self._network.snapshot()

    def restore(self, snapshot: Any) -> None:
        """Go back to a snapshot of this stream; what was adapted since is undone."""
        kept, limit, network = snapshot
        for name, value in kept.items():
            if name in _ARRAYS:
                getattr(self, name)[...] = value
            else:
                setattr(self, name, value)
        self._limit.restore(limit)
        self._network.restore(network)

    def reset(self) -> None:
        """Go back to the beginning: before any reading, with nothing adapted."""
        self.restore(self._start)

    @property
    def adapted(self) -> dict[str, float]:
        """By what factor each channel's usual error has moved; 1 for all without `adapt`."""
        factor = self._levels / self._decode.levels_
        return dict(zip(self.channels, factor.tolist(), strict=True))


_ARRAYS = ("_inputs", "_last", "_smooth", "_levels")


def _infinite() -> InputError:
    return InputError("the reading holds an infinite value: give NaN where one is missing")
