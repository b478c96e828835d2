"""A detector's data: readings to tracks; owns scales, rhythm, calendar and the baselines."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError
from ...evaluation.anomaly_baselines import arrays_of, fit_baselines, restored
from ..contract import Fold
from ..files.frames import is_table
from .beat import Beat, find_beat
from .channels_spec import Channels
from .tracks import CLIP, Crops, Track, Tracks, filled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from ...evaluation.anomaly_baselines import Scorer
    from .readings import Readings

HELD_OUT = 0.25
"""Share of each series that is held out at its end: thresholds are rare events and need much."""

FEWEST = 24
"""Readings that a series to be learned from has at least."""

SHORTEST, LONGEST = 64, 96
"""Readings in a training crop, between which the season chooses."""

MOST_VALUES, MOST_HELD, LEAST_HELD = 200_000, 10_000, 500
"""Values held out in all, and readings per series at most, and at least what that leaves."""

MOST_SMOOTHING = 256
"""Readings that a score is smoothed over at most, where that is chosen: more is told too late."""


class Monitored:
    """Series of readings to tracks for a network that says what is usual.

    Learns, from the part that is not held out: centre and unit of each channel (median and
    quartiles, which anomalies among the readings hardly move), what repeats, over how many
    readings a score is smoothed, the usual gap between readings, and the baselines.

    Args:
        horizon: Steps ahead.
        smoothing: Readings; None for half of what repeats.
        columns: Which column means what.
        crop: Readings in a training crop; None for about a season.

    Raises:
        InputError: In `fit` and `encode`, when the readings cannot serve.
    """

    def __init__(
        self,
        horizon: int,
        smoothing: int | None = None,
        columns: Channels = Channels(),
        crop: int | None = None,
    ) -> None:
        self.horizon, self.smoothing, self.columns, self.crop = horizon, smoothing, columns, crop

    # Fitting

    def accept(self, x: Any) -> Readings:
        """Read what is to be fitted on, and refuse what cannot serve; learns nothing.

        Raises:
            InputError: It cannot be read, or a series is too short.
        """
        readings = self.columns.read(x)
        need = max(FEWEST, 4 * self.horizon)
        for name, block in zip(readings.names, readings.values, strict=True):
            if len(block) < need:
                raise InputError(
                    f"series {name!r} has {len(block)} readings, and learning what is usual with "
                    f"a horizon of {self.horizon} needs {need} or more: leave it out or give more"
                )
        gone = np.isnan(np.concatenate(readings.values)).all(0)
        if gone.any():
            channel = readings.channels[int(np.argmax(gone))]
            raise InputError(f"column {channel!r} has no value at all; leave it out or fill it")
        return readings

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn from the part of each series that is not held out; give both parts."""
        if y is not None:
            raise InputError("y: a detector learns without labels; hand over x only")
        readings = self.accept(x)
        self.channels_ = readings.channels
        self.read_as_ = replace(self.columns, **_found(readings, self.columns))
        self.names_ = [n if isinstance(n, int) else str(n) for n in readings.names]
        self.notes_ = tuple(readings.notes)
        end = np.array([len(v) for v in readings.values])
        cut = end - (HELD_OUT * end).astype(int)
        train = [v[:n] for v, n in zip(readings.values, cut, strict=True)]
        self._learn_scale(train)
        times = readings.times and [t[:n] for t, n in zip(readings.times, cut, strict=True)]
        self.beat_ = find_beat(train, times, self.horizon)
        half = self.beat_.season // 2 if self.beat_.season > 1 else self.horizon
        most = max(1, min(MOST_SMOOTHING, int(cut.max()) // 2))
        self.smoothing_ = self.smoothing or min(half, most)
        encoded = self._encode(readings)
        known = [t.target[:n].numpy() for t, n in zip(encoded.tracks, cut, strict=True)]
        self.baselines_ = fit_baselines(known, self.beat_.season)
        self.readings_, self.cut_ = readings, cut
        length = self.crop or int(np.clip(self.beat_.season, SHORTEST, LONGEST))
        reach = self._reach()
        crops = Crops(encoded.tracks, cut, length, reach)
        whole = Crops(encoded.tracks, end, length, reach)
        return Fold(crops, self._held_out(encoded, cut, length), readings.hash(), whole)

    def _reach(self) -> int:
        """Readings after a crop that it is judged by."""
        return 0 if self.crop else self.horizon

    def _held_out(self, encoded: Tracks, cut: np.ndarray, length: int) -> Tracks:
        """The last part of each series, with what the network has to have seen before it."""
        room = MOST_VALUES // (len(encoded.tracks) * len(self.channels_))
        most = min(max(room, LEAST_HELD), MOST_HELD)
        parts = []
        for track, at in zip(encoded.tracks, cut.tolist(), strict=True):
            first = max(at - 2 * length, 0)
            parts.append(track.between(first, min(len(track), at + most), since=at - first))
        return Tracks(tuple(parts))

    def _learn_scale(self, train: Sequence[np.ndarray]) -> None:
        """Centre and unit of each series and channel, and in the last row of all together."""
        rows = [*train, np.concatenate(train)]
        everywhere = _robust(rows[-1])
        centers, units = [], []
        for block in rows:
            center, unit = _robust(block)
            seen = ~np.isnan(block).all(0)
            centers.append(np.where(seen, center, everywhere[0]))
            units.append(np.where(seen, unit, everywhere[1]))
        self.centers_, self.units_ = np.stack(centers), np.stack(units)

    # Encoding

    def read(self, x: Any) -> Readings:
        """Read new data: tables by the columns fitted on, arrays by their place.

        Raises:
            InputError: A channel is missing.
        """
        readings = (self.read_as_ if is_table(x) else self.columns).read(x)
        if len(readings.channels) != len(self.channels_):
            raise InputError(
                f"the data has {len(readings.channels)} channels, and the model was fitted on "
                f"{len(self.channels_)}: {', '.join(self.channels_[:8])}"
            )
        dated = readings.times is not None and readings.times[0].dtype.kind == "M"
        if self.beat_.cycles and not dated:
            raise InputError(
                "the model knows the time of day from stamps, and the data has none: add a time "
                "column"
            )
        return readings

    def encode(self, x: Any) -> Tracks:
        """Turn new series into tracks, one for each."""
        return self._encode(self.read(x))

    def examples(self, x: Any, y: Any = None) -> Tracks:
        """Turn series into tracks to be scored on; labels come from a label column or `y`.

        Args:
            x: Series.
            y: 0 or 1 per reading: an array for one series, a list of arrays for several.
        """
        readings = self.read(x)
        if y is None:
            return self._encode(readings)
        several = isinstance(y, list | tuple) and any(np.ndim(part) for part in y)
        given = [np.asarray(part).astype(np.int64) for part in (y if several else [y])]
        lengths = [len(v) for v in readings.values]
        if [len(part) for part in given] != lengths:
            raise InputError(
                f"y has {[len(part) for part in given]} labels, and the series have {lengths} "
                "readings: give one label per reading"
            )
        return self._encode(replace(readings, labels=tuple(given)))

    def _encode(self, readings: Readings) -> Tracks:
        return Tracks(tuple(self._track(readings, i) for i in range(len(readings))), readings)

    def _track(self, readings: Readings, i: int) -> Track:
        center, unit = self.scale_of(readings.names[i])
        z = (readings.values[i] - center) / unit
        times = None if readings.times is None else readings.times[i]
        inputs = [filled(np.clip(z, -CLIP, CLIP)), np.isnan(z), self.beat_.tell(times, len(z))]
        labels = None if readings.labels is None else readings.labels[i]
        return Track(
            torch.from_numpy(np.concatenate(inputs, 1).astype(np.float32)),
            torch.from_numpy(z),
            str(readings.names[i]),
            labels=labels,
        )

    def scale_of(self, name: Any) -> tuple[np.ndarray, np.ndarray]:
        """Centre and unit of a series' channels; of all together for one that was not seen."""
        name = name if isinstance(name, int) else str(name)
        many = len(self.names_) > 1
        row = self.names_.index(name) if many and name in self.names_ else -1
        return self.centers_[row], self.units_[row]

    @property
    def input_size(self) -> int:
        """Features of each step of a track."""
        return 2 * len(self.channels_) + self.beat_.features

    def undo(self, dataset: Tracks, answers: Sequence[Any]) -> Any:
        """Put scores and alarms beside what was read."""
        assert dataset.readings is not None
        scored = [one for answer in answers for one in answer]
        plain = dataset.readings.table is None
        return dataset.readings.answer(
            {
                "score": [s.score for s in scored],
                "alarm": [s.alarm.astype(float if plain else np.int64) for s in scored],
            }
        )

    # Saving

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings = {
            "channels": list(self.channels_),
            "read_as": asdict(self.read_as_),
            "names": self.names_,
            "notes": list(self.notes_),
            "beat": self.beat_.state(),
            "smoothing": self.smoothing_,
        }
        held = {f"baseline.{n}": a for n, a in arrays_of(self.baselines_).items()}
        held |= {"centers": self.centers_, "units": self.units_}
        return settings, {n: torch.from_numpy(np.array(a)) for n, a in held.items()}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.channels_ = tuple(settings["channels"])
        self.read_as_ = Channels(**_tuples(settings["read_as"]))
        self.names_, self.notes_ = list(settings["names"]), tuple(settings["notes"])
        self.beat_ = Beat.restored(settings["beat"])
        self.smoothing_ = settings["smoothing"]
        held = {n: t.numpy() for n, t in tensors.items()}
        self.centers_, self.units_ = held.pop("centers"), held.pop("units")
        self.baselines_: dict[str, Scorer] = restored(
            {n.removeprefix("baseline."): a for n, a in held.items()}
        )


def _robust(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and what the standard deviation would be by the quartiles; [channels] each."""
    center, unit = np.zeros(block.shape[1]), np.ones(block.shape[1])
    for k, column in enumerate(block.T):
        seen = column[np.isfinite(column)]
        if not len(seen):
            continue
        low, center[k], high = np.percentile(seen, (25, 50, 75))
        # A channel that mostly stands still has no quartiles; one that always does, no spread.
        found = ((high - low) / 1.349, seen.std(), 0.05 * abs(center[k]))
        unit[k] = next((u for u in found if u > 1e-9 * (1 + abs(center[k]))), 1.0)
    return center, unit


def _found(readings: Readings, columns: Channels) -> dict[str, Any]:
    """What was found in a table, in the place of what was left open."""
    if readings.table is None:
        return {}
    found = {r: getattr(columns, r) or readings.columns.get(r) for r in ("series", "time")}
    return {**found, "channels": readings.channels}


def _tuples(held: Mapping[str, Any]) -> dict[str, Any]:
    return {**held, "channels": tuple(held["channels"])}
