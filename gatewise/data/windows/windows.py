"""A forecaster's data: series to windows; owns seasons, scales, calendars and covariates."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import InputError
from ...evaluation.metrics import seasonal_scale
from ..contract import Fold
from ..files.frames import is_table
from ..series.columns_spec import Columns
from ..time import calendar
from ..time.clock import seasonal_periods
from ..time.season import Rhythm, find_rhythm
from . import covariates
from .opening import Opening, opening
from .scaling import Scaled, Transform, choose_transform, scale_series
from .sets import Covariates, Crops, Histories, Tracks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from ..series.panel import Panel

HELD_OUT = 0.1
"""Share of a long series that is held out at its end; never less than a horizon."""

MOST_VALID = 800
"""Held-out windows to stop by and calibrate on, about."""

MOST_FORKS = 12
"""Patches per training window: more cost time and gained nothing (docs/log.md)."""


@dataclass(frozen=True)
class Split:
    """Where each series is cut: steps below `train` are fitted on, those up to `end` held out."""

    train: np.ndarray
    end: np.ndarray

    @property
    def held_out(self) -> np.ndarray:
        """Steps held out per series."""
        return self.end - self.train


@dataclass(frozen=True)
class Encoded:
    """A panel in model units, ready to be cut into windows.

    Args:
        panel: As it came.
        series: Each series, scaled.
        tracks: All of them in one store.
    """

    panel: Panel
    series: tuple[Scaled, ...]
    tracks: Tracks


class Windows:
    """Series to windows for a network that forecasts from forks.

    Learns, from the part that is not held out: what repeats and how long a patch is
    (`Rhythm`), whether to take logarithms, the scale of covariates and levels of categories,
    which calendar cycles were seen often enough, and how simple forecasts err.

    Args:
        horizon: Steps ahead.
        context: Steps of history in a training window; None to choose.
        columns: Which columns mean what.
        holdout: Steps to hold out at the end of each series; None for a tenth.
        levels: Quantile levels of the answers, increasing.
        units: What errors of different series are counted in: "change", each one's seasonal
            naive error as in MASE, or "spread", its standard deviation.
        transform: "log" or "linear"; None to choose.

    Raises:
        InputError: In `fit` and `encode`, when the series cannot serve.
    """

    def __init__(
        self,
        horizon: int,
        context: int | None = None,
        columns: Columns = Columns(),
        holdout: int | None = None,
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        units: Literal["change", "spread"] = "change",
        transform: Transform | None = None,
    ) -> None:
        self.horizon, self.context, self.columns = horizon, context, columns
        self.holdout = holdout
        self.levels = tuple(levels)
        self.units: Literal["change", "spread"] = units
        self.transform: Transform | None = transform

    transform_: Transform

    # Fitting

    def accept(self, x: Any) -> Panel:
        """Read what is to be fitted on, and refuse what cannot serve; learns nothing.

        Raises:
            InputError: It cannot be read, or a series is too short.
        """
        panel = self.columns.read(x)
        self._refuse_short(panel)
        return panel

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn from the part of the series that is not held out; give both parts as windows."""
        if y is not None:
            raise InputError("y: a forecaster learns from the series alone; hand over x only")
        panel = self.accept(x)
        self.read_as_ = _read_as(self.columns, panel)
        self.panel_, self.split_ = panel, self._cut(panel)
        train = [v[:n] for v, n in zip(panel.values, self.split_.train, strict=True)]
        candidates = seasonal_periods(panel.freq) if panel.freq else None
        self.rhythm_ = find_rhythm(train, candidates, self.horizon)
        # What is held out has to be writable in model units, too.
        least = min(np.nanmin(v) for v in panel.values)
        found: Transform = choose_transform(train) if least > 0 else "linear"
        self.transform_ = self.transform or found
        self.nonnegative_ = bool(least >= 0)
        self.smallest_ = _smallest_above_zero(train) if least == 0 else 0.0
        self.forks_ = self._choose_forks(train)
        self._learn_covariates(panel)
        self.encoded_ = self.scale(panel, self.split_.train)
        crops, valid = self._folds(self.encoded_)
        fold = Fold(crops, valid, panel.hash(), self._everything(self.encoded_))
        self.opening_ = opening(crops, self.shape(), self.transform_ == "log")
        self.patches_ = int(sum(self.split_.train) // self.rhythm_.patch)
        self.notes_ = tuple(panel.notes)
        self.fitted_until_ = {
            str(name): int(panel.stamps(i, int(end), 1)[0].astype(np.int64))
            for i, (name, end) in enumerate(zip(panel.names, self.split_.end, strict=True))
        }
        return fold

    def _refuse_short(self, panel: Panel) -> None:
        need = self.horizon + 2
        for name, values in zip(panel.names, panel.values, strict=True):
            if len(values) < need:
                raise InputError(
                    f"series {name!r} has {len(values)} steps, and a horizon of {self.horizon} "
                    f"needs {need} or more: leave the series out or take a shorter horizon"
                )
        longest = max(len(v) for v in panel.values)
        if self.holdout is not None and not self.horizon <= self.holdout <= longest // 2:
            raise InputError(
                f"holdout is {self.holdout} steps, and has to be from the horizon, "
                f"{self.horizon}, to half of the longest series, {longest // 2}"
            )
        if self.context is not None and self.context > longest - self.horizon:
            raise InputError(
                f"context is {self.context} steps, and the longest series has {longest}: with a "
                f"horizon of {self.horizon} at most {longest - self.horizon} are possible"
            )

    def _cut(self, panel: Panel) -> Split:
        """Hold out a tenth of each series, at least a horizon, where enough is left to learn."""
        end = np.array([len(v) for v in panel.values])
        tenth = np.maximum(self.horizon, (HELD_OUT * end).astype(int))
        held = tenth if self.holdout is None else np.full_like(end, self.holdout)
        held = np.where(end - held >= 2 * self.horizon + 2, held, 0)
        # What is held out has to hold something to judge by.
        for i, v in enumerate(panel.values):
            if held[i] and not np.isfinite(v[end[i] - held[i] :]).any():
                held[i] = 0
        return Split(end - held, end)

    def _choose_forks(self, train: Sequence[np.ndarray]) -> int:
        r = self.rhythm_
        if self.context is not None:
            return max(1, (self.context - r.lookback) // r.patch + 1)
        length = int(np.median([len(v) for v in train]))
        return int(np.clip((length - self.horizon - r.period) // r.patch, 1, MOST_FORKS))

    def _learn_covariates(self, panel: Panel) -> None:
        train = self.split_.train

        def parts(columns: Mapping[str, Sequence[np.ndarray]]) -> dict[str, list[np.ndarray]]:
            return {
                c: [a[:n] for a, n in zip(arrays, train, strict=True)]
                for c, arrays in columns.items()
            }

        self.past_ = covariates.learn(parts(panel.past))
        self.known_ = covariates.learn(parts(panel.future))
        self.static_ = covariates.learn({c: [a] for c, a in panel.static.items()})
        self.calendar_: tuple[str, ...] = ()
        if np.issubdtype(panel.starts.dtype, np.datetime64):
            longest = int(np.argmax(train))
            stamps = panel.stamps(longest, 0, int(train[longest]))
            self.calendar_ = calendar.cycles_worth_learning(
                np.median(np.diff(stamps)), stamps[-1] - stamps[0]
            )

    def _folds(self, encoded: Encoded) -> tuple[Crops, Crops | None]:
        r, h = self.rhythm_, self.horizon
        train, end = self.split_.train, self.split_.end
        least = np.full(len(train), max(r.period, 2))
        last = np.where(train - h >= least, train - h, train - 1)
        skip = min(2, self.forks_ // 4)
        crops = Crops(
            encoded.tracks,
            self.forks_,
            first=np.minimum(least, last),
            last=last,
            since=least,
            until=train,
            skip=skip,
        )
        held = self.split_.held_out
        if not (held > 0).any():
            return crops, None
        # Spread over the held-out part and over the phases of a patch; a window's first forks
        # have seen little and say nothing of what whole histories will be forecast like.
        room = int(np.median(held[held > 0])) - h
        wanted = int(np.clip(MOST_VALID // int((held > 0).sum()), 1, 32))
        valid = Crops(
            encoded.tracks,
            self.forks_,
            # Before its first season is over, what a series is filled with looks ahead.
            first=np.where(held > 0, np.maximum(train, r.period), end + 1),
            last=end - h,
            since=train,
            until=end,
            stride=max(1, room // wanted),
            skip=self.forks_ // 2,
        )
        return crops, valid

    def _everything(self, encoded: Encoded) -> Crops:
        """Windows over both parts, targets to the very end."""
        least = np.full(len(encoded.series), max(self.rhythm_.period, 2))
        end = self.split_.end
        last = np.where(end - self.horizon >= least, end - self.horizon, end - 1)
        return Crops(
            encoded.tracks,
            self.forks_,
            first=np.minimum(least, last),
            last=last,
            since=least,
            until=end,
            skip=min(2, self.forks_ // 4),
        )

    # Encoding

    def shape(self) -> Any:
        """Sizes for the network, a `SeasonalShape` without its head."""
        from ...nn.networks.seasonal import SeasonalShape

        r = self.rhythm_
        return SeasonalShape(
            horizon=self.horizon,
            period=r.period,
            cycle=r.cycle,
            patch=r.patch,
            lookback=r.lookback,
            past=covariates.width(self.past_),
            known=covariates.width(self.known_) + len(self._calendar_names()),
            static=covariates.width(self.static_),
        )

    def _calendar_names(self) -> list[str]:
        return [f"{c} {k}" for c in self.calendar_ for k in range(2 * calendar.HARMONICS[c])]

    def scale(self, panel: Panel, known: np.ndarray | None = None) -> Encoded:
        """Bring a panel to model units.

        Args:
            panel: Series.
            known: Steps of each that its units may be taken from, int64 [series]; all when left
                out.
        """
        r = self.rhythm_
        if self.transform_ == "log":
            self.refuse_nonpositive(panel)
        seen = (panel.lengths if known is None else known).tolist()
        pairs = list(zip(panel.values, seen, strict=True))
        scaled = tuple(scale_series(v, r.period, self.transform_, n) for v, n in pairs)
        weights = [self._loss_scale(s, v[:n]) for s, (v, n) in zip(scaled, pairs, strict=True)]
        channels = self.channels(panel)
        lead = r.lookback + (self.forks_ - 1) * r.patch + r.patch
        names = [str(n) for n in panel.names]
        tracks = Tracks(scaled, channels, weights, names, r, self.horizon, lead)
        return Encoded(panel, scaled, tracks)

    def refuse_nonpositive(self, panel: Panel) -> None:
        """Refuse what has no logarithm."""
        for i, (name, v) in enumerate(zip(panel.names, panel.values, strict=True)):
            bad = np.flatnonzero(v <= 0)
            if len(bad):
                where = panel.said(i, int(bad[0]))
                raise InputError(
                    f"series {name!r} is {v[bad[0]]:g} at {where}, and this model was fitted on "
                    "positive values only: mark it as missing or fit again with such values"
                )

    def _loss_scale(self, scaled: Scaled, values: np.ndarray) -> float:
        """What makes errors of all series alike: one over the seasonal naive error."""
        size = float("nan")
        if self.units == "change":
            size = float(seasonal_scale([values], self.rhythm_.period)[0])
        if not size > 0:
            size = float(np.nanstd(values)) or 1.0
        if self.transform_ == "log":
            return float(np.exp(scaled.center) / size)
        return float(scaled.unit / size)

    def channels(self, panel: Panel) -> list[Covariates]:
        """Covariates of every series as channels, the calendar's among those known ahead."""
        return [self._channels(panel, i) for i in range(len(panel))]

    def _channels(self, panel: Panel, i: int) -> Covariates:
        steps = len(panel.values[i])
        reach = steps + self.horizon
        past = covariates.encode(self.past_, {c: a[i] for c, a in panel.past.items()}, steps)
        known = covariates.encode(self.known_, {c: a[i] for c, a in panel.future.items()}, reach)
        static = covariates.encode(
            self.static_, {c: a[i : i + 1] for c, a in panel.static.items()}, 1
        )
        if self.calendar_:
            dates = calendar.features(panel.stamps(i, 0, reach), self.calendar_)
            known = np.concatenate([known, dates], axis=1)
        return Covariates(past, known, static[0])

    def read(self, x: Any) -> Panel:
        """Read new data: arrays as they are, tables by the columns and clock fitted on."""
        return (self.read_as_ if is_table(x) else self.columns).read(x)

    def encode(self, x: Any) -> Histories:
        """Turn new series into whole histories; every series gives one."""
        panel = self.read(x)
        self.refuse_missing_future(panel)
        encoded = self.scale(panel)
        ends = np.array([len(v) for v in panel.values])
        return Histories(encoded.tracks, np.arange(len(panel)), ends, panel=panel)

    def examples(self, x: Any, y: Any = None) -> Crops:
        """Turn series into windows whose target is the last horizon of each."""
        if y is not None:
            raise InputError("y: a forecaster is scored on the series alone; hand over x only")
        panel = self.read(x)
        self._refuse_short(panel)
        end = np.array([len(v) for v in panel.values])
        start = end - self.horizon
        return Crops(
            self.scale(panel).tracks,
            self.forks_,
            first=start,
            last=start,
            since=start,
            until=end,
        )

    def refuse_missing_future(self, panel: Panel) -> None:
        """Covariates known ahead have to be there for the whole horizon."""
        said = [
            f"{column.name!r} for {' and '.join(places)}"
            for column in self.known_
            if (places := _absences(panel, panel.future[column.name], self.horizon))
        ]
        if said:
            raise InputError(
                f"future values are missing in the {self.horizon} steps to forecast, column "
                f"{', column '.join(said)}: add rows with these stamps, the values and an empty "
                "target"
            )

    def undo(self, dataset: Histories, answers: Sequence[Any]) -> Any:
        """Put forecasts back into the series' own units and the form that these came in."""
        assert dataset.panel is not None
        return self.answer(dataset.panel, dataset.tracks.series, answers)

    def answer(self, panel: Panel, scaled: Sequence[Scaled], answers: Sequence[Any]) -> Any:
        """Put forecasts, one per series of a panel, into the form that it came in."""
        point, quantiles = self.plain(scaled, np.arange(len(scaled)), answers)
        columns = {"forecast": point}
        columns |= {f"q{level:g}": quantiles[..., k] for k, level in enumerate(self.levels)}
        return panel.answer(columns)

    def plain(
        self, scaled: Sequence[Scaled], series: np.ndarray, answers: Sequence[Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forecasts in the series' own units, [windows, horizon] and [windows, horizon, levels].

        Args:
            scaled: The series.
            series: Whose series each window is, int64 [windows].
            answers: Decoded batches, in the windows' order.
        """
        point = np.concatenate([a.point for a in answers])
        quantiles = np.concatenate([a.quantiles for a in answers]).swapaxes(1, 2)
        for row, i in enumerate(series):
            point[row] = scaled[i].undo(point[row])
            quantiles[row] = scaled[i].undo(quantiles[row])
        if self.nonnegative_:
            # Where zeros are common, the commonest value should not fall below a bound just
            # above it: nothing between zero and the smallest value was ever seen.
            quantiles = np.where(quantiles < self.smallest_, 0, quantiles)
            point, quantiles = np.maximum(point, 0), np.maximum(quantiles, 0)
        return point, quantiles

    # Saving

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings = {
            "read_as": asdict(self.read_as_),
            "rhythm": self.rhythm_.state(),
            "transform": self.transform_,
            "nonnegative": self.nonnegative_,
            "smallest": self.smallest_,
            "forks": self.forks_,
            "past": covariates.state(self.past_),
            "known": covariates.state(self.known_),
            "static": covariates.state(self.static_),
            "calendar": list(self.calendar_),
            "log_error": self.opening_.log_error,
            "patches": self.patches_,
            "notes": list(self.notes_),
            "fitted_until": dict(self.fitted_until_),
        }
        tensors = {"base_errors": self.opening_.base_errors, "linear": self.opening_.linear}
        return settings, tensors

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.read_as_ = Columns(**settings["read_as"])
        self.rhythm_ = Rhythm(**settings["rhythm"])
        self.transform_ = settings["transform"]
        self.nonnegative_, self.smallest_ = settings["nonnegative"], settings["smallest"]
        self.forks_ = settings["forks"]
        self.past_ = covariates.restore(settings["past"])
        self.known_ = covariates.restore(settings["known"])
        self.static_ = covariates.restore(settings["static"])
        self.calendar_ = tuple(settings["calendar"])
        self.patches_ = settings["patches"]
        self.notes_ = tuple(settings["notes"])
        self.fitted_until_ = dict(settings["fitted_until"])
        self.opening_ = Opening(tensors["base_errors"], settings["log_error"], tensors["linear"])


def _read_as(columns: Columns, panel: Panel) -> Columns:
    """What was asked for, with what was found in a table in the place of what was left open."""
    found = {role: panel.columns.get(role) for role in ("series", "time", "target")}
    asked = {role: getattr(columns, role) for role in found}
    return replace(columns, **{r: asked[r] or found[r] for r in found}, freq=panel.freq)


def _absences(panel: Panel, arrays: Sequence[np.ndarray], horizon: int) -> list[str]:
    """Which steps ahead of which series have no value: runs of stamps, three series at most."""
    said = []
    for i, (name, array) in enumerate(zip(panel.names, arrays, strict=True)):
        end = len(panel.values[i])
        ahead = array[end : end + horizon]
        gone = np.array([k >= len(ahead) or _absent(ahead[k]) for k in range(horizon)])
        if gone.any():
            edges = np.flatnonzero(np.diff(gone, prepend=False, append=False)).reshape(-1, 2)
            runs = [
                panel.said(i, end + a) + (f" to {panel.said(i, end + b - 1)}" if b - a > 1 else "")
                for a, b in edges.tolist()
            ]
            more = f" and {len(runs) - 5} more gaps" if len(runs) > 5 else ""
            said.append(f"series {name!r} at {', '.join(runs[:5])}{more}")
    return [*said[:3], f"{len(said) - 3} more series"] if len(said) > 3 else said


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _smallest_above_zero(series: Sequence[np.ndarray]) -> float:
    return min((float(v[v > 0].min()) for v in series if (v > 0).any()), default=0.0)
