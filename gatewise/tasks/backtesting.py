"""Forecasts from past origins, all phases of a series in one pass of the network each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..data.batches import Batches
from ..data.windows.scaling import settled_after
from ..data.windows.sets import Histories
from ..decoders.direct import Answer, Direct
from ..errors import InputError
from ..evaluation.linear import Linear
from ..evaluation.rolling import Rolling, joined, roll
from ..train.asking import answers, device_of, frozen

if TYPE_CHECKING:
    from torch import nn

    from ..data.series.panel import Panel
    from ..data.windows.sets import Tracks
    from ..data.windows.windows import Windows
    from ..decoders.contract import Decoder
    from .forecasting import Forecaster

MOST_WINDOWS = 600
"""Held-out windows that a fit judges itself on: more tell little and cost time."""

SAME_WINDOWS = (
    "Training stopped by these same held-out values and the intervals were set by them: expect "
    "a little less of later ones, or see `backtest` with refit (--refit)."
)

MOST_DRAWN = 100
"""The same where each window takes a hundred paths."""


class Judge:
    """Judges a fitted forecaster on the held-out end of its own data, and keeps what it found.

    Args:
        data: The fitted data part.
        batch_size: Histories at a time.
    """

    def __init__(self, data: Windows, batch_size: int = 64) -> None:
        self._data, self._batch_size = data, batch_size
        self.found_: Rolling | None = None

    def __call__(self, network: nn.Module, decode: Decoder, fold: Any) -> Any:
        """Forecast the held-out part, and put the errors beside the baselines'."""
        from ..evaluation.verdict import Verdict

        data = self._data
        held = data.split_.held_out
        if not (held > 0).any():
            return Verdict({}, ("Too short to hold anything out: nothing was judged.",))
        most = MOST_WINDOWS if isinstance(decode, Direct) else MOST_DRAWN
        per_series = max(1, most // max(1, int((held > 0).sum())))
        series, ends = held_out_origins(data, per_series)
        if not len(series):
            return Verdict({}, ("Too short to forecast from: nothing was judged.",))
        found = forecast_past(data, network, decode, data.panel_, series, ends)
        self.found_ = replace(found, notes=(SAME_WINDOWS,))
        return Verdict(self.found_.figures, self.found_.verdict)


def held_out_origins(data: Windows, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Origins within the held-out part, at most so many per series: (series, ends)."""
    series, ends = [], []
    for i, (first, end) in enumerate(zip(data.split_.train, data.split_.end, strict=True)):
        last = end - data.horizon
        # Before its first season is over, what a series is filled with looks ahead.
        first = max(first, data.rhythm_.period) if end > first else end
        if last >= first:
            step = max(1, -(-(last - first + 1) // most))
            own = np.arange(last, first - 1, -step)[::-1]
            series.append(np.full(len(own), i))
            ends.append(own)
    none = [np.zeros(0, np.int64)]
    return np.concatenate(series or none), np.concatenate(ends or none)


def rolling_origins(
    panel: Panel, horizon: int, windows: int, step: int, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """The last `windows` origins of each series, `step` apart, that leave `least` steps before.

    Raises:
        InputError: No series is long enough for one.
    """
    series, ends = [], []
    for i, values in enumerate(panel.values):
        own = len(values) - horizon - step * np.arange(windows)
        own = own[own >= least][::-1]
        series.append(np.full(len(own), i))
        ends.append(own)
    if not sum(map(len, ends)):
        longest = max(len(v) for v in panel.values)
        raise InputError(
            f"no series is long enough to backtest: a window needs {least + horizon} steps and the "
            f"longest series has {longest}"
        )
    return np.concatenate(series), np.concatenate(ends)


def backtest(model: Forecaster, x: Any, windows: int, step: int, refit: bool) -> Rolling:
    """See `Forecaster.backtest`."""
    data: Windows = cast("Any", model.data_)
    panel = data.read(x)
    least = settled_after(data.rhythm_.period)
    series, ends = rolling_origins(panel, data.horizon, windows, step, least)
    if not refit:
        found = forecast_past(
            data, model.network_, cast("Any", model.task_.decode), panel, series, ends
        )
        return replace(found, notes=_flattered(data, panel, series, ends))
    parts = []
    for back in sorted({int(len(panel.values[i]) - e) for i, e in zip(series, ends, strict=True)}):
        own = np.array(
            [len(panel.values[i]) - e == back for i, e in zip(series, ends, strict=True)]
        )
        fresh = type(model)(**model.get_params(deep=False)).fit(
            panel.select(np.unique(series[own])).until(back)
        )
        part = panel.select(np.unique(series[own]))
        renumbered = np.searchsorted(np.unique(series[own]), series[own])
        fitted: Windows = cast("Any", fresh.data_)
        parts.append(
            forecast_past(
                fitted, fresh.network_, cast("Any", fresh.task_.decode), part, renumbered, ends[own]
            )
        )
    return joined(parts)


def _flattered(
    data: Windows, panel: Panel, series: np.ndarray, ends: np.ndarray
) -> tuple[str, ...]:
    """Say how many windows lie in what the model was fitted on."""
    inside = 0
    for i, end in zip(series, ends, strict=True):
        until = data.fitted_until_.get(str(panel.names[i]))
        inside += (
            until is not None and int(panel.stamps(int(i), int(end), 1)[0].astype(np.int64)) < until
        )
    if not inside:
        return ()
    return (
        f"{inside} of {len(ends)} windows lie before the end of what this model was fitted on, "
        "which flatters it: refit=True (--refit) fits anew for each origin.",
    )


def ask(
    network: nn.Module,
    decode: Decoder,
    tracks: Tracks,
    series: np.ndarray,
    ends: np.ndarray,
    batch_size: int = 64,
) -> Answer:
    """Forecast from the given ends of the given series, in that order.

    Origins of one series that are whole patches apart share one pass: each patch that ends is a
    fork that the network forecasts from anyway.

    Returns:
        Model units, [windows, horizon] and [windows, levels, horizon].
    """
    if not isinstance(decode, Direct):
        return _ask_each(network, decode, tracks, series, ends, batch_size)
    patch = tracks.rhythm.patch
    groups: dict[tuple[int, int], list[int]] = {}
    for row, (i, end) in enumerate(zip(series.tolist(), ends.tolist(), strict=True)):
        groups.setdefault((i, end % patch), []).append(row)
    order = sorted(groups, key=lambda g: int(ends[groups[g]].max()))
    furthest = np.array([ends[groups[g]].max() for g in order])
    histories = Histories(tracks, np.array([g[0] for g in order]), furthest, last_only=False)
    point: np.ndarray | None = None
    quantiles: np.ndarray | None = None
    at = 0
    with frozen(network):
        for batch in Batches(histories, batch_size, device_of(network)):
            output = network(batch)
            for b in range(len(batch.forks)):
                rows = groups[order[at]]
                forks = int(batch.forks[b]) - 1 - (furthest[at] - ends[rows]) // patch
                found = decode.calibrated(
                    output.point[b, forks], output.quantiles[b, forks], output.volatility[b, forks]
                )
                if point is None or quantiles is None:
                    point = np.empty((len(series), *found.point.shape[1:]))
                    quantiles = np.empty((len(series), *found.quantiles.shape[1:]))
                point[rows], quantiles[rows] = found
                at += 1
    assert point is not None
    assert quantiles is not None
    return Answer(point, quantiles)


def _ask_each(
    network: nn.Module,
    decode: Decoder,
    tracks: Tracks,
    series: np.ndarray,
    ends: np.ndarray,
    batch_size: int,
) -> Answer:
    """One pass per window, for a decoder that does more than to read the network's forecast."""
    histories = Histories(tracks, series, ends)
    found = answers(network, decode, histories, batch_size)
    return Answer(*(np.concatenate(part) for part in zip(*found, strict=True)))


def forecast_past(
    data: Windows,
    network: nn.Module,
    decode: Decoder,
    panel: Panel,
    series: np.ndarray,
    ends: np.ndarray,
) -> Rolling:
    """Forecast from past origins, beside the baselines.

    The linear baseline is fitted on what comes before the first origin of each series.

    Args:
        data: Fitted or restored data part.
        network: Trained.
        decode: Calibrated.
        panel: Series to forecast within.
        series: Whose series each window is, int64 [windows].
        ends: Steps known at each window, int64 [windows].
    """
    first = {int(i): int(ends[series == i].min()) for i in np.unique(series)}
    known = np.array([first.get(i, len(v)) for i, v in enumerate(panel.values)])
    tracks = data.scale(panel, known).tracks
    answer = ask(network, decode, tracks, series, ends)
    ours = data.plain(tracks.series, series, [answer])
    histories = [panel.values[i][:end] for i, end in zip(series, ends, strict=True)]
    came = np.stack(
        [panel.values[i][end : end + data.horizon] for i, end in zip(series, ends, strict=True)]
    )
    origins = np.array(
        [panel.stamps(int(i), int(e), 1)[0] for i, e in zip(series, ends, strict=True)]
    )
    names = [panel.names[i] for i in series]
    fitted_on = [panel.values[i][:end] for i, end in first.items()]
    period = data.rhythm_.period
    linear = _linear(fitted_on, data)
    return roll(names, origins, histories, came, data.levels, ours, period, linear)


def _linear(series: list[np.ndarray], data: Windows) -> Linear | None:
    r = data.rhythm_
    longest = max(len(s) for s in series)
    context = min(max(2 * r.cycle, r.lookback, data.horizon), (longest - data.horizon) // 2)
    if context < 1:
        return None
    try:
        return Linear.fit(series, data.horizon, context, r.period)
    except InputError:
        # No window of the history is whole: there is nothing to fit a linear model on.
        return None
