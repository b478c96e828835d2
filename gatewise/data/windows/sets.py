"""Windows over scaled series: crops to train on, whole histories to forecast from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ..series.panel import Panel
    from ..time.season import Rhythm
    from .scaling import Scaled


@dataclass(frozen=True)
class WindowBatch:
    """Windows of several series, cut into patches that end at forks.

    A fork is a place to forecast from: the end of a patch. Patch f of window b is
    `values[b, lookback + (f - 1) * patch : lookback + f * patch]`, and is seen together with
    the `lookback` steps that end where it ends.

    Args:
        values: Model units, [batch, steps] with steps = lookback + (forks - 1) * patch.
        missing: 1 where a value was filled or lies before the series, [batch, steps].
        scale: Units at each fork, [batch, forks].
        volatility: Mean change from season to season at each fork, model units, [batch, forks].
        forks: How many forks of each window are real, int64 [batch]; the rest is padding.
        past: Channels known up to the fork, [batch, steps, channels], or None.
        known: Channels known ahead, [batch, steps + horizon, channels], or None.
        static: Channels of the series, [batch, channels], or None.
        target: What came after each fork, model units, [batch, forks, horizon], or None.
        weight: 1 where the target counts, else 0, [batch, forks, horizon], or None.
        unit: A model unit in the series' own, under a logarithm in those of the logarithm, [batch].
        center: What lies at 0 in model units, as `unit`, [batch].
        loss_scale: Errors times this count alike for every series, [batch]; under a logarithm
            errors are those of exp(model units).
        last_only: Only the last real fork is asked about.
    """

    values: Tensor
    missing: Tensor
    scale: Tensor
    volatility: Tensor
    forks: Tensor
    past: Tensor | None
    known: Tensor | None
    static: Tensor | None
    target: Tensor | None
    weight: Tensor | None
    unit: Tensor
    center: Tensor
    loss_scale: Tensor
    last_only: bool = False


@dataclass(frozen=True)
class Covariates:
    """Channels of one series, float32: past [steps, P], known [steps + ahead, F], static [S]."""

    past: np.ndarray
    known: np.ndarray
    static: np.ndarray


@dataclass(frozen=True)
class Judged:
    """What counts of the targets of a batch.

    Args:
        since: First fork that counts, in steps from the start of its series, int64 [batch].
        until: Targets from this step on do not count, int64 [batch].
        skip: Forks at the start of each window that do not count: they have seen little of it.
    """

    since: Tensor
    until: Tensor
    skip: int = 0


class Tracks:
    """All series in one flat store, so that a batch of windows is one gather.

    Before each series lie `lead` steps that repeat its first season, and behind it `horizon`
    steps that count for nothing, so that no window runs off the store.

    Args:
        series: Scaled series.
        covariates: Channels of each series.
        loss_scale: Model units to the units that errors are counted in, one per series.
        names: How messages call each series.
        rhythm: Patch, lookback and season.
        horizon: Steps ahead.
        lead: Steps to lay before each series, at least the lookback.
    """

    def __init__(
        self,
        series: Sequence[Scaled],
        covariates: Sequence[Covariates],
        loss_scale: Sequence[float],
        names: Sequence[str],
        rhythm: Rhythm,
        horizon: int,
        lead: int,
    ) -> None:
        self.rhythm, self.horizon, self.lead = rhythm, horizon, lead
        self.series, self.names = list(series), list(names)
        self.lengths = np.array([len(s.values) for s in series])
        stride = self.lengths + lead + horizon
        self.start = np.concatenate([[0], np.cumsum(stride)[:-1]]) + lead
        size = int(stride.sum())
        values = np.zeros(size, np.float32)
        missing = np.ones(size, np.float32)
        scale, volatility = np.ones(size, np.float32), np.ones(size, np.float32)
        for at, s in zip(self.start, series, strict=True):
            n = len(s.values)
            values[at - lead : at] = _backwards(s.values[: rhythm.period], lead)
            values[at : at + n] = s.values
            missing[at : at + n] = s.missing
            # The scale of the window that ends before step e stands at e.
            scale[at : at + n + 1] = s.scale
            volatility[at : at + n + 1] = s.volatility
        self.values, self.missing, self.scale = map(torch.from_numpy, (values, missing, scale))
        self.volatility = torch.from_numpy(volatility)
        self.past = self._channels([c.past for c in covariates], size)
        self.known = self._channels([c.known for c in covariates], size)
        static = np.stack([c.static for c in covariates]) if covariates else np.zeros((0, 0))
        self.static = torch.from_numpy(static.astype(np.float32)) if static.shape[1] else None
        self.loss_scale = torch.tensor(np.asarray(loss_scale), dtype=torch.float32)
        self.unit = torch.tensor([s.unit for s in series], dtype=torch.float32)
        self.center = torch.tensor([s.center for s in series], dtype=torch.float32)
        self.origin = torch.from_numpy(self.start)

    def _channels(self, parts: Sequence[np.ndarray], size: int) -> Tensor | None:
        width = parts[0].shape[1] if parts else 0
        if not width:
            return None
        flat = np.zeros((size, width), np.float32)
        for at, n, part in zip(self.start, self.lengths, parts, strict=True):
            part = part[: n + self.horizon]
            flat[at : at + len(part)] = part
        return torch.from_numpy(flat)

    def gather(
        self, series: Tensor, ends: Tensor, forks: Tensor, judged: Judged | None = None
    ) -> WindowBatch:
        """Windows of `forks` patches whose last real one ends before step `ends`.

        Args:
            series: int64 [batch].
            ends: int64 [batch], steps from the start of the series.
            forks: Real forks per window, int64 [batch]; shorter windows are padded behind.
            judged: Which forks and targets count; None for a batch without targets.
        """
        r, n = self.rhythm, int(forks.max())
        steps = r.lookback + (n - 1) * r.patch
        first = self.origin[series] + ends - (r.lookback + (forks - 1) * r.patch)
        fork_ends = first[:, None] + r.lookback + torch.arange(n) * r.patch
        fork_ends = fork_ends.clamp_(max=len(self.values) - 1)
        width = steps if judged is None else steps + self.horizon
        values, missing = _rows(self.values, first, width), _rows(self.missing, first, width)
        target = weight = None
        if judged is not None:
            # All steps ahead of any fork, then seen from each.
            ahead = first[:, None] + torch.arange(r.lookback, width)
            ahead.clamp_(max=len(self.values) - 1)
            origin = self.origin[series]
            there = (ahead < (origin + judged.until)[:, None]) * (1 - missing[:, r.lookback :])
            target = values[:, r.lookback :].unfold(1, self.horizon, r.patch)
            counts = fork_ends >= (origin + judged.since)[:, None]
            counts &= torch.arange(n) >= judged.skip
            weight = there.unfold(1, self.horizon, r.patch) * counts[..., None]
        known = None
        if self.known is not None:
            reach = first[:, None] + torch.arange(steps + self.horizon)
            known = self.known[reach.clamp_(max=len(self.values) - 1)]
        at = None
        if self.past is not None:
            at = (first[:, None] + torch.arange(steps)).clamp_(max=len(self.values) - 1)
        return WindowBatch(
            values=values[:, :steps],
            missing=missing[:, :steps],
            scale=self.scale[fork_ends],
            volatility=self.volatility[fork_ends],
            forks=forks,
            past=None if self.past is None or at is None else self.past[at],
            known=known,
            static=None if self.static is None else self.static[series],
            target=target,
            weight=weight,
            unit=self.unit[series],
            center=self.center[series],
            loss_scale=self.loss_scale[series],
        )


def _rows(flat: Tensor, first: Tensor, width: int) -> Tensor:
    """Cut rows of as many steps; behind the end of all stands its last number."""
    if int(first.max()) + width <= len(flat):
        return flat.unfold(0, width, 1).index_select(0, first)
    return flat[(first[:, None] + torch.arange(width)).clamp_(max=len(flat) - 1)]


def _backwards(season: np.ndarray, steps: int) -> np.ndarray:
    """Repeat the first season backwards over the steps before it."""
    return season[(np.arange(-steps, 0)) % len(season)]


class Crops:
    """Windows of a fixed number of patches, one example for each place where one may end.

    Args:
        tracks: Where the windows are cut from.
        forks: Patches per window.
        first: First end of each series, int64 [series].
        last: Last end of each series; a series with last < first has no example.
        since: Forks before this step do not count, per series.
        until: Targets from this step on do not count, per series.
        stride: Steps from one end to the next, counted backwards from the last.
        skip: Forks at the start of each window that do not count.
    """

    def __init__(
        self,
        tracks: Tracks,
        forks: int,
        *,
        first: np.ndarray,
        last: np.ndarray,
        since: np.ndarray,
        until: np.ndarray,
        stride: int = 1,
        skip: int = 0,
    ) -> None:
        self._tracks, self._forks, self._stride, self._skip = tracks, forks, stride, skip
        self._last = torch.from_numpy(np.asarray(last))
        self._since = torch.from_numpy(np.asarray(since))
        self._until = torch.from_numpy(np.asarray(until))
        self.counts = np.where(last >= first, (last - first) // stride + 1, 0)
        self._upto = torch.from_numpy(np.cumsum(self.counts))

    def __len__(self) -> int:
        """Number of windows."""
        return int(self._upto[-1]) if len(self._upto) else 0

    @property
    def lengths(self) -> None:
        """All windows are equally long."""
        return

    def place(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Series and end of each example, int64 [batch] both."""
        series = torch.searchsorted(self._upto, indices, right=True)
        before = torch.where(series > 0, self._upto[series - 1], 0)
        return series, self._last[series] - (indices - before) * self._stride

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> WindowBatch:
        """Cut the windows at `indices`."""
        series, ends = self.place(indices)
        forks = torch.full_like(ends, self._forks)
        judged = Judged(self._since[series], self._until[series], self._skip)
        return self._tracks.gather(series, ends, forks, judged)

    def where(self, index: int) -> str:
        """Name the window for a message."""
        series, end = self.place(torch.tensor([index]))
        return f"series {self._tracks.names[int(series)]}, the window that ends at step {int(end)}"

    def culprit(self, index: int) -> str | None:
        """Name the first value of the window that is not finite."""
        batch = self.batch(torch.tensor([index]))
        for column in ("values", "past", "known", "static", "target"):
            block = getattr(batch, column)
            if block is not None and not torch.isfinite(block).all():
                step = int((~torch.isfinite(block[0])).reshape(-1).nonzero()[0])
                return f"column {'target' if column == 'values' else column}, step {step}"
        return None


class Histories:
    """Whole series up to an end, cut into patches that end exactly there.

    Args:
        tracks: Where the series lie.
        series: Which series, int64 [examples].
        ends: Where each history ends, int64 [examples].
        last_only: Whether only the end is forecast from, rather than every fork on the way.
        panel: What the tracks were made of.
    """

    def __init__(
        self,
        tracks: Tracks,
        series: np.ndarray,
        ends: np.ndarray,
        last_only: bool = True,
        panel: Panel | None = None,
    ) -> None:
        self.tracks, self.panel, self._last_only = tracks, panel, last_only
        self._series, self._ends = torch.from_numpy(series), torch.from_numpy(ends)
        # The first fork lies within the first patch, wherever the history ends: a stream that
        # began there would have the same forks.
        self._forks = (self._ends - 1) // tracks.rhythm.patch + 1

    def __len__(self) -> int:
        """Number of histories."""
        return len(self._series)

    @property
    def lengths(self) -> Tensor:
        """Forks of each history, int64 [examples]."""
        return self._forks

    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> WindowBatch:
        """Cut the histories at `indices`."""
        batch = self.tracks.gather(self._series[indices], self._ends[indices], self._forks[indices])
        return replace(batch, last_only=self._last_only)

    def where(self, index: int) -> str:
        """Name the history for a message."""
        return f"series {self.tracks.names[int(self._series[index])]}"

    def culprit(self, index: int) -> str | None:
        """Histories are forecast from, not fitted on: nothing is looked for."""
        return None
