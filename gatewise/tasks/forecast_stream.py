"""Forecasts that keep up with new points: the state moves on, nothing is read again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from ..data.batches import Batches
from ..data.windows.scaling import settled_after, typical_change
from ..data.windows.sets import Histories, WindowBatch
from ..errors import InputError
from ..train.asking import device_of, frozen
from ..train.ensemble import Ensemble

if TYPE_CHECKING:
    from ..data.series.panel import Panel
    from ..data.windows.sets import Covariates
    from ..data.windows.windows import Windows
    from ..decoders.direct import Direct
    from ..nn.networks.forecast import ForecastNetwork, ForecastOutput
    from .forecasting import Forecaster


class ForecastStream:
    """A fitted forecaster that follows its series point by point.

    A patch ends at every step, in one of `patch` phases; the stream keeps one state of the
    recurrent layer for each phase and moves the one on whose patch has just ended. A new point
    costs one step of the network, however long the history, and the forecast is that of the
    whole history, within float32's rounding.

    Args:
        model: A fitted forecaster that decodes directly.
        x: The history to start from, as for `predict`; at least three seasons of each series, and
            eight steps.

    Raises:
        InputError: A series is too short to start from, or the model decodes otherwise.
    """

    def __init__(self, model: Forecaster, x: Any) -> None:
        if model.decoding != "direct":
            raise InputError("a stream decodes directly: fit with decoding='direct'")
        self._model = model
        self._data: Windows = cast("Any", model.data_)
        self._decode: Direct = cast("Any", model.task_.decode)
        network: Any = model.network_
        self._members: list[ForecastNetwork] = (
            cast("Any", list(network.members)) if isinstance(network, Ensemble) else [network]
        )
        self._combine = network.combine if isinstance(network, Ensemble) else None
        panel = self._data.read(x)
        least = settled_after(self._data.rhythm_.period)
        for name, values in zip(panel.names, panel.values, strict=True):
            if len(values) < least:
                raise InputError(
                    f"series {name!r} has {len(values)} steps, and a stream starts from {least} or "
                    "more: begin it later"
                )
        self._begin(panel)

    def _begin(self, panel: Panel) -> None:
        r = self._data.rhythm_
        encoded = self._data.scale(panel)
        self._series = encoded.series
        self._end = panel.lengths.astype(np.int64)
        keep = max(r.lookback, r.period) + 1
        tracks = encoded.tracks
        last = torch.from_numpy(tracks.start + self._end)[:, None] + torch.arange(-keep, 0)
        self._values = tracks.values[last].double().numpy()
        self._missing = tracks.missing[last].double().numpy()
        self._changes = np.array([_changes(s.values, s.missing, r.period) for s in self._series])
        # Without a logarithm a model unit is the typical change; with one it is not.
        start = max(3 * r.period, 8)
        self._typical = np.array(
            [
                1.0
                if s.transform == "linear"
                else typical_change(s.values[:start], s.missing[:start], r.period)
                for s in self._series
            ]
        )
        # What has been seen of the covariates has to reach back over one window only.
        self._panel = panel.tail(keep)
        phases = [self._states(encoded, back) for back in range(r.patch)]
        self._state = [
            type(phases[0][0][m])(
                *(
                    torch.stack([phases[b][0][m][k] for b in range(r.patch)])
                    for k in range(len(phases[0][0][m]))
                )
            )
            for m in range(len(self._members))
        ]
        # states were gathered by steps back from the end; turn that into phases of each series.
        order = (self._end[None] - np.arange(r.patch)[:, None]) % r.patch
        self._place = np.argsort(order, axis=0)
        self._output = phases[0][1]

    def _states(self, encoded: Any, back: int) -> tuple[list[Any], ForecastOutput]:
        """Each member's state at the last fork of the phase that ended `back` steps ago."""
        ends = np.maximum(self._end - back, 1)
        histories = Histories(encoded.tracks, np.arange(len(self._end)), ends)
        states: list[list[Any]] = [[] for _ in self._members]
        outputs = []
        with frozen(self._model.network_):
            for batch in Batches(histories, 64, device_of(self._model.network_)):
                said = []
                for m, member in enumerate(self._members):
                    out = member.run(batch)
                    states[m].append(out.state)
                    said.append(member.read(out, batch))
                outputs.append(self._combine(said) if self._combine else said[0])
        joined = [
            type(s[0])(*(torch.cat([part[k] for part in s], 1) for k in range(len(s[0]))))
            for s in states
        ]
        point = torch.cat([o.point for o in outputs])
        quantiles = torch.cat([cast("torch.Tensor", o.quantiles) for o in outputs])
        volatility = torch.cat([o.volatility for o in outputs])
        return joined, type(outputs[0])(point, quantiles, volatility, None)

    @property
    def steps(self) -> np.ndarray:
        """Steps that each series has had so far, int64 [series]."""
        return self._end.copy()

    def update(self, x: Any) -> ForecastStream:
        """Take in what came next.

        Args:
            x: New points: an array [series] or [series, steps] in the order of the series, NaN
                where missing; or a table as for `predict`, whose rows follow those seen. A model
                with covariates needs a table.

        Raises:
            InputError: The points do not follow what was seen, or a series is unknown; nothing
                is taken in.
        """
        panel = self._following(x)
        most = int(panel.lengths.max())
        values = np.full((len(panel), most), np.nan)
        for i, v in enumerate(panel.values):
            values[i, : len(v)] = v
        z, missing = self._scaled(values, panel)
        grown = self._panel.extended(panel)
        channels = self._data.channels(grown)
        before = self._end - self._panel.lengths
        for k in range(most):
            rows = np.flatnonzero(panel.lengths > k)
            self._step(rows, z[rows, k], missing[rows, k], channels, before)
        keep = max(self._data.rhythm_.lookback, self._data.rhythm_.period) + 1
        self._panel = grown.tail(keep)
        return self

    def forecast(self) -> Any:
        """Forecast from where the series are now, in the form that the history came in."""
        self._data.refuse_missing_future(self._panel)
        output = self._output
        quantiles = cast("torch.Tensor", output.quantiles)
        answer = self._decode.calibrated(
            output.point[:, -1], quantiles[:, -1], output.volatility[:, -1]
        )
        return self._data.answer(self._panel, self._series, [answer])

    def _following(self, x: Any) -> Panel:
        """New points as a panel in the order of the series, checked to follow what was seen."""
        if isinstance(x, (int, float, list, np.ndarray)) and not hasattr(x, "columns"):
            if self._data.past_ or self._data.known_:
                raise InputError("this model has covariates: update it with a table that has them")
            block = self._block(x)
            ends = self._panel.ahead_stamps(1)[:, 0]
            return replace(
                self._panel, values=tuple(block), starts=ends, past={}, future={}, notes=()
            )
        return self._following_table(x)

    def _block(self, x: Any) -> np.ndarray:
        """New points of an array or a number, [series, steps]."""
        series = len(self._end)
        block = np.asarray(x, np.float64)
        if block.ndim < 2:
            block = block.reshape(1, -1) if series == 1 else block.reshape(-1, 1)
        if block.ndim != 2 or len(block) != series or not block.size:
            raise InputError(
                f"x has the shape {list(np.shape(x))}, and this stream has {series} series: give "
                "an array [series] or [series, steps]"
            )
        if np.isinf(block).any():
            raise InputError("x holds an infinite value: give NaN where a value is missing")
        return block

    def _following_table(self, x: Any) -> Panel:
        freq = self._panel.freq or self._data.columns.freq
        columns = replace(self._data.read_as_, freq=freq)
        panel = columns.read(x)
        place = {name: i for i, name in enumerate(panel.names)}
        unknown = [n for n in panel.names if n not in set(self._panel.names)]
        if unknown:
            raise InputError(f"series {unknown[0]!r} is not in this stream: start one that has it")
        absent = [n for n in self._panel.names if n not in place]
        if absent:
            raise InputError(f"series {absent[0]!r} has no new point: give one, or an empty target")
        panel = panel.select([place[n] for n in self._panel.names])
        wanted = self._panel.ahead_stamps(1)[:, 0]
        for name, got, due in zip(panel.names, panel.starts, wanted, strict=True):
            if got != due:
                raise InputError(f"series {name!r} goes on at {got}, and {due} comes next")
        return panel

    def _scaled(self, values: np.ndarray, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        missing = ~np.isfinite(values)
        if self._data.transform_ == "log":
            self._data.refuse_nonpositive(panel)
            values = np.log(np.where(missing, 1.0, values))
        center = np.array([s.center for s in self._series])[:, None]
        unit = np.array([s.unit for s in self._series])[:, None]
        return (values - center) / unit, missing

    def _step(
        self,
        rows: np.ndarray,
        z: np.ndarray,
        missing: np.ndarray,
        channels: list[Covariates],
        before: np.ndarray,
    ) -> None:
        """One new point of these series: move on the state whose patch ends here."""
        r = self._data.rhythm_
        z = np.where(missing, self._values[rows, -r.period], z)
        both = ~missing & (self._missing[rows, -r.period] == 0)
        change = np.abs(z - self._values[rows, -r.period])
        self._changes[rows] += np.stack([np.where(both, change, 0.0), both], 1)
        self._values[rows] = np.concatenate([self._values[rows, 1:], z[:, None]], 1)
        self._missing[rows] = np.concatenate([self._missing[rows, 1:], missing[:, None]], 1)
        self._end[rows] += 1
        phase = self._end[rows] % r.patch
        slot = self._place[phase, rows]
        batch = self._batch(rows, channels, before)
        said = []
        with frozen(self._model.network_):
            for m, member in enumerate(self._members):
                kept = self._state[m]
                at = torch.from_numpy(slot), slice(None), torch.from_numpy(rows)
                own = type(kept)(*(part[at].transpose(0, 1).contiguous() for part in kept))
                out = member.run(batch, own)
                for part, new in zip(kept, out.state, strict=True):
                    part[at] = new.transpose(0, 1)
                said.append(member.read(out, batch))
        output = self._combine(said) if self._combine else said[0]
        self._output.point[rows] = output.point
        self._output.volatility[rows] = output.volatility
        cast("torch.Tensor", self._output.quantiles)[rows] = cast("torch.Tensor", output.quantiles)

    def _batch(
        self, rows: np.ndarray, channels: list[Covariates], before: np.ndarray
    ) -> WindowBatch:
        """Windows of one patch that end where these series are now.

        Args:
            rows: Which series.
            channels: Covariates of every series, from step `before` on.
            before: Steps of each series that its channels no longer hold.
        """
        r, data = self._data.rhythm_, self._data
        total, count = self._changes[rows].T
        typical = self._typical[rows]
        volatility = typical * np.maximum((total / typical + r.period) / (count + r.period), 1e-6)
        scale = np.ones(len(rows)) if data.transform_ == "log" else volatility
        own = [self._series[i] for i in rows]
        ends = self._end[rows] - before[rows]
        held = [channels[i] for i in rows]
        past = [_reach(c.past, e, r.lookback, 0) for c, e in zip(held, ends, strict=True)]
        known = [
            _reach(c.known, e, r.lookback, data.horizon) for c, e in zip(held, ends, strict=True)
        ]
        return WindowBatch(
            values=_tensor(self._values[rows, -r.lookback :]),
            missing=_tensor(self._missing[rows, -r.lookback :]),
            scale=_tensor(scale)[:, None],
            volatility=_tensor(volatility)[:, None],
            forks=torch.ones(len(rows), dtype=torch.int64),
            past=_tensor(past) if past[0].shape[1] else None,
            known=_tensor(known) if known[0].shape[1] else None,
            static=_tensor([c.static for c in held]) if len(held[0].static) else None,
            target=None,
            weight=None,
            unit=_tensor([s.unit for s in own]),
            center=_tensor([s.center for s in own]),
            loss_scale=torch.ones(len(rows)),
            last_only=True,
        )


def _tensor(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()


def _reach(channels: np.ndarray, end: int, back: int, ahead: int) -> np.ndarray:
    """Steps [end - back, end + ahead) of a block, zeros where it does not reach."""
    piece = channels[max(0, end - back) : end + ahead]
    return np.pad(
        piece, ((max(0, back - end), back + ahead - max(0, back - end) - len(piece)), (0, 0))
    )


def _changes(z: np.ndarray, missing: np.ndarray, period: int) -> tuple[float, float]:
    """Sum and number of the changes from season to season, as the expanding scale counts them."""
    if len(z) <= period:
        return 0.0, 0.0
    seen = ~(missing[period:] | missing[:-period])
    return float(np.abs(z[period:] - z[:-period])[seen].sum()), float(seen.sum())
