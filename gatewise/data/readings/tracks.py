"""Monitored series as a network reads them: whole, or cut into crops to learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .readings import Readings

CLIP = 10.0
"""Units beyond which the network is not told how far a value is."""

HIDDEN = 0.02
"""Share of values that are hidden while training, so that a gap is nothing new later."""


@dataclass(frozen=True)
class Track:
    """One series in model units.

    Args:
        inputs: What the network reads: values (the last one where missing), what is missing, the
            clock; float32 [steps, features].
        target: Values, NaN where missing, float64 [steps, channels].
        name: Of the series.
        since: Step from which on it counts; before it the network only looks.
        labels: 1 where something is known to be wrong, [steps].
    """

    inputs: Tensor
    target: Tensor
    name: str
    since: int = 0
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.target)

    def between(self, first: int, end: int, since: int) -> Track:
        """The steps from `first` to before `end`, of which those from `since` on count."""
        labels = None if self.labels is None else self.labels[first:end]
        return replace(
            self,
            inputs=self.inputs[first:end],
            target=self.target[first:end],
            since=since,
            labels=labels,
        )

    def holding(self, values: np.ndarray) -> Track:
        """The same track with other values, in model units, [steps, channels]."""
        channels = values.shape[1]
        inputs = self.inputs.clone()
        inputs[:, :channels] = torch.from_numpy(filled(np.clip(values, -CLIP, CLIP)))
        inputs[:, channels : 2 * channels] = torch.from_numpy(np.isnan(values))
        return replace(self, inputs=inputs, target=torch.from_numpy(values))


@dataclass(frozen=True)
class TrackBatch:
    """Tracks side by side, padded at the end.

    Args:
        inputs: [batch, steps, features].
        target: 0 where missing, float32 [batch, steps, channels].
        weight: 1 where a value was seen and counts, like `target`.
        tracks: The tracks themselves; none for crops.
    """

    inputs: Tensor
    target: Tensor
    weight: Tensor
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True)
class Tracks:
    """Whole tracks as a dataset.

    Args:
        tracks: One per series.
        readings: What they were made of, where they are to be answered.
    """

    tracks: tuple[Track, ...]
    readings: Readings | None = None

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.tracks)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> TrackBatch:
        """Put tracks side by side."""
        chosen = tuple(self.tracks[i] for i in indices.tolist())
        pad = torch.nn.utils.rnn.pad_sequence
        target = pad([t.target for t in chosen], batch_first=True, padding_value=torch.nan)
        weight = (~target.isnan()).float()
        for row, track in enumerate(chosen):
            weight[row, : track.since] = 0
        return TrackBatch(
            pad([t.inputs for t in chosen], batch_first=True),
            target.clamp(-CLIP, CLIP).nan_to_num(0).float(),
            weight,
            chosen,
        )

    @property
    def lengths(self) -> Tensor:
        """Steps of each track."""
        return torch.tensor([len(t) for t in self.tracks])

    def where(self, index: int) -> str:
        """Name a track."""
        return f"series {self.tracks[index].name!r}"

    def culprit(self, index: int) -> str | None:
        """Nothing: what is missing is known, and infinities were refused."""
        return None


class Crops:
    """Every stretch of a given length in the tracks' first parts.

    Args:
        tracks: One per series.
        until: Steps of each that may be seen.
        length: Steps that the network reads.
        reach: Steps after them that it is judged by.
    """

    def __init__(self, tracks: Sequence[Track], until: np.ndarray, length: int, reach: int) -> None:
        self.tracks, self.size = tracks, length + reach
        self.skip = length // 8 if reach else 0
        inputs, targets, starts, at = [], [], [], 0
        for track, end in zip(tracks, until.tolist(), strict=True):
            # A short series is followed by nothing, which counts for nothing.
            room = max(self.size - end, 0)
            inputs += [track.inputs[:end], track.inputs.new_zeros(room, track.inputs.shape[1])]
            targets += [track.target[:end], track.target.new_full((room, _width(track)), torch.nan)]
            starts.append(at + torch.arange(max(end - self.size, 0) + 1))
            at += end + room
        self.inputs, target = torch.cat(inputs), torch.cat(targets)
        self.seen = (~target.isnan()).float()
        self.target = target.clamp(-CLIP, CLIP).nan_to_num(0).float()
        self.starts = torch.cat(starts)
        self.series = torch.repeat_interleave(
            torch.arange(len(tracks)), torch.tensor([len(s) for s in starts])
        )

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.starts)

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> TrackBatch:
        """Put crops side by side; with a generator some values are hidden."""
        rows = self.starts[indices][:, None] + torch.arange(self.size)
        inputs, weight = self.inputs[rows], self.seen[rows].clone()
        weight[:, : self.skip] = 0
        if generator is not None:
            channels = self.target.shape[1]
            gone = torch.rand(weight.shape, generator=generator) < HIDDEN
            gone[:, 0] = False
            inputs[:, 1:, :channels] = torch.where(
                gone[:, 1:], inputs[:, :-1, :channels], inputs[:, 1:, :channels]
            )
            inputs[..., channels : 2 * channels].masked_fill_(gone, 1.0)
        return TrackBatch(inputs, self.target[rows], weight)

    @property
    def lengths(self) -> None:
        """All are equal."""
        return None

    def where(self, index: int) -> str:
        """Name a crop."""
        return f"series {self.tracks[int(self.series[index])].name!r}"

    def culprit(self, index: int) -> str | None:
        """Nothing: what is missing is known, and infinities were refused."""
        return None


def filled(z: np.ndarray) -> np.ndarray:
    """Put the last value seen in the place of what is missing, 0 before the first.

    Example:
        >>> filled(np.array([[np.nan], [2.0], [np.nan]])).ravel()
        array([0., 2., 2.])
    """
    seen = ~np.isnan(z)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(z))[:, None], -1), axis=0)
    carried = np.take_along_axis(z, np.maximum(last, 0), axis=0)
    return np.where(last < 0, 0.0, carried)


def _width(track: Track) -> int:
    return track.target.shape[1]
