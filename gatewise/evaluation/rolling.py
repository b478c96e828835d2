"""Forecasts from many past origins beside the baselines', and how far off each was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from . import baselines, metrics
from .linear import Linear

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OURS = "gatewise"
NAIVE2 = "naive2"
RECENT = 1000
"""Steps of history that the baselines' intervals are made from: more would only take longer."""

CHUNK = 128
"""Histories that a baseline sees at once: a table of all would not fit for long series."""

COPIES = 0.1
"""A forecast this much nearer to the last value than the truth is, is a copy of it."""


@dataclass(frozen=True)
class Rolling:
    """Windows that were forecast, what came, and what the baselines said.

    Args:
        series: Name of each window's series, [windows].
        origins: Stamp or number of each window's first forecast step, [windows].
        histories: What was known, float [steps] each.
        actual: What came, NaN where missing, [windows, horizon].
        levels: Quantile levels, increasing.
        points: Forecaster to its point forecasts, [windows, horizon]; ours first.
        quantiles: Forecaster to its quantiles, [windows, horizon, levels].
        scale: Seasonal naive error within each history, [windows].
        notes: What did not go as one would expect, a sentence each.
    """

    series: tuple[Any, ...]
    origins: np.ndarray
    histories: tuple[np.ndarray, ...]
    actual: np.ndarray
    levels: tuple[float, ...]
    points: Mapping[str, np.ndarray]
    quantiles: Mapping[str, np.ndarray]
    scale: np.ndarray
    notes: tuple[str, ...] = ()

    @cached_property
    def figures(self) -> dict[str, dict[str, float]]:
        """Forecaster to metric to figure over all windows; ours first.

        OWA sets MASE and sMAPE against those of Naive2, as M4 did.
        """
        rows = {name: self._row(name) for name in self.points}
        if (bar := rows.get(NAIVE2)) and bar["MASE"] > 0 and bar["sMAPE"] > 0:
            for row in rows.values():
                row["OWA"] = (row["MASE"] / bar["MASE"] + row["sMAPE"] / bar["sMAPE"]) / 2
        first = ["MASE", "sMAPE", "OWA", "RMSE"]
        return {
            name: {m: row[m] for m in dict.fromkeys([*first, *row]) if m in row}
            for name, row in rows.items()
        }

    def _row(self, name: str) -> dict[str, float]:
        point = self.points[name]
        row = {
            "MASE": metrics.mase(self.actual, point, self.scale, 1),
            "sMAPE": metrics.smape(self.actual, point),
            "RMSE": metrics.rmse(self.actual, point),
        }
        quantiles = self.quantiles.get(name)
        if quantiles is None:
            return row
        row["CRPS"] = metrics.crps(self.actual, quantiles, self.levels)
        row["wQL"] = metrics.weighted_quantile_loss(self.actual, quantiles, self.levels)
        if (pair := self.outer) is not None:
            low, high, level = pair
            row[f"MSIS {level:g}"] = metrics.msis(
                self.actual,
                quantiles[..., low],
                quantiles[..., high],
                self.scale,
                1,
                level=level,
            )
            row[f"coverage {level:g}"] = metrics.coverage(
                self.actual, quantiles[..., low], quantiles[..., high]
            )
        return row

    @property
    def outer(self) -> tuple[int, int, float] | None:
        """Places of the outermost pair of levels that are each other's mirror, and their span."""
        for low, level in enumerate(self.levels):
            for high in range(len(self.levels) - 1, low, -1):
                if abs(level + self.levels[high] - 1) < 1e-9:
                    return low, high, round(self.levels[high] - level, 9)
        return None

    def by_step(self, name: str) -> np.ndarray:
        """MASE of a forecaster at each step ahead, [horizon]."""
        return metrics.mase(self.actual, self.points[name], self.scale, 1, by="step")

    def by_window(self, name: str) -> np.ndarray:
        """MASE of a forecaster on each window, [windows]."""
        return metrics.mase(self.actual, self.points[name], self.scale, 1, by="series")

    @property
    def steps(self) -> dict[str, np.ndarray]:
        """Table with a row per step ahead: MASE of every forecaster."""
        table: dict[str, np.ndarray] = {"step": np.arange(1, self.actual.shape[1] + 1)}
        return table | {name: self.by_step(name) for name in self.points}

    @property
    def each(self) -> dict[str, np.ndarray]:
        """Table with a row per series: MASE of every forecaster, its windows averaged."""
        names = list(dict.fromkeys(self.series))
        place = {name: i for i, name in enumerate(names)}
        rows = np.array([place[name] for name in self.series])
        table: dict[str, np.ndarray] = {"series": np.array(names, dtype=object)}
        for name in self.points:
            error = self.by_window(name)
            seen = np.isfinite(error)
            total = np.bincount(rows[seen], error[seen], len(names))
            count = np.bincount(rows[seen], minlength=len(names))
            table[name] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return table

    @property
    def errors(self) -> dict[str, np.ndarray]:
        """Long table: series, origin, step ahead, what came, and what each forecaster said."""
        windows, horizon = self.actual.shape
        table: dict[str, np.ndarray] = {
            "series": np.repeat(np.array(self.series, dtype=object), horizon),
            "origin": np.repeat(self.origins, horizon),
            "step": np.tile(np.arange(1, horizon + 1), windows),
            "actual": self.actual.reshape(-1),
        }
        for name, point in self.points.items():
            table["forecast" if name == OURS else name] = point.reshape(-1)
        for k, level in enumerate(self.levels):
            table[f"q{level:g}"] = self.quantiles[OURS][..., k].reshape(-1)
        return table

    @property
    def coverage(self) -> np.ndarray:
        """Share of what came at or below each of our quantiles, [levels]."""
        seen = np.isfinite(self.actual)[..., None]
        below = (self.actual[..., None] <= self.quantiles[OURS]) & seen
        return below.sum((0, 1)) / max(1, int(seen.sum()))

    @property
    def verdict(self) -> tuple[str, ...]:
        """What the figures mean, a sentence each: first whether a baseline is better."""
        mase = {name: float(row["MASE"]) for name, row in self.figures.items()}
        ours = mase.pop(OURS)
        if not np.isfinite(ours):
            return ("MASE cannot be told: no held-out window has a season to scale by.",)
        best = min(mase, key=lambda name: mase[name])
        sentences = []
        better = {name: m for name, m in mase.items() if m <= ours}
        if better:
            said = ", ".join(f"{n} ({m:.3f})" for n, m in sorted(better.items(), key=_second))
            sentences.append(
                f"This model loses: its MASE is {ours:.3f} and {said} did as well or better; "
                "use the simpler forecast unless more data changes this."
            )
        else:
            sentences.append(
                f"MASE {ours:.3f}, {100 * (1 - ours / mase[best]):.0f} % below the best simple "
                f"forecast ({best}, {mase[best]:.3f})."
            )
        if self.copies_last_value:
            sentences.append(
                "The forecast copies the last value: it has found nothing that tells more about "
                "the future."
            )
        if (pair := self.outer) is not None:
            low, high, level = pair
            q = self.quantiles[OURS]
            held = metrics.coverage(self.actual, q[..., low], q[..., high])
            sentences.append(
                f"The {100 * level:g} % intervals held {100 * held:.0f} % of what came."
            )
            score = {n: row[f"MSIS {level:g}"] for n, row in self.figures.items()}
            if (sharpest := min(score, key=lambda n: score[n])) != OURS:
                sentences.append(
                    f"The intervals of {sharpest} score better (MSIS {score[sharpest]:.2f} against "
                    f"{score[OURS]:.2f}): they are narrower, or in the right place more often."
                )
        return (*sentences, *self.notes)

    @property
    def copies_last_value(self) -> bool:
        """Whether our forecast keeps next to the last value while the truth moves away from it."""
        last = np.array(
            [h[np.isfinite(h)][-1] if np.isfinite(h).any() else 0 for h in self.histories]
        )
        said = np.abs(self.points[OURS] - last[:, None]).mean()
        came = np.nanmean(np.abs(self.actual - last[:, None]))
        return bool(came > 0 and said < COPIES * came)

    def __str__(self) -> str:
        """Give the figures, and what they mean."""
        from .verdict import Verdict

        return str(Verdict(self.figures, self.verdict))


def roll(
    series: Sequence[Any],
    origins: np.ndarray,
    histories: Sequence[np.ndarray],
    actual: np.ndarray,
    levels: Sequence[float],
    ours: tuple[np.ndarray, np.ndarray],
    period: int,
    linear: Linear | None,
) -> Rolling:
    """Put our forecasts beside the baselines' from the same histories.

    Args:
        series: Name of each window's series.
        origins: Stamp of each window's first forecast step.
        histories: What was known, one array per window.
        actual: What came, [windows, horizon].
        levels: Quantile levels.
        ours: Our point forecasts [windows, horizon] and quantiles [windows, horizon, levels].
        period: Season in steps, 1 for none.
        linear: A linear model fitted on the training part; None where it could not be fitted.
    """
    horizon = actual.shape[1]
    asked: dict[str, Any] = {"naive": lambda h, q: baselines.naive(h, horizon, q)}
    if period > 1:
        asked["seasonal naive"] = lambda h, q: baselines.seasonal_naive(h, horizon, period, q)
        asked[NAIVE2] = lambda h, q: baselines.naive2(h, horizon, period, q)
    asked["drift"] = lambda h, q: baselines.drift(h, horizon, q)
    if linear is not None:
        asked["linear"] = lambda h, q: linear.predict(h, q)
    points, quantiles = {OURS: ours[0]}, {OURS: ours[1]}
    recent = [h[-max(RECENT, 20 * horizon) :] for h in histories]
    for name, forecast in asked.items():
        points[name], quantiles[name] = _forecast(forecast, histories, recent, levels)
    scale = np.concatenate([metrics.seasonal_scale([h], period) for h in histories])
    return Rolling(
        tuple(series),
        origins,
        tuple(histories),
        actual,
        tuple(levels),
        points,
        quantiles,
        scale,
    )


def _forecast(
    forecast: Callable[[list[np.ndarray], Sequence[float]], baselines.Forecast],
    histories: Sequence[np.ndarray],
    recent: Sequence[np.ndarray],
    levels: Sequence[float],
) -> tuple[np.ndarray, np.ndarray]:
    """Points from whole histories, widths of the intervals from recent ones."""
    points, quantiles = [], []
    for i in range(0, len(histories), CHUNK):
        near = forecast(list(recent[i : i + CHUNK]), levels)
        whole = list(histories[i : i + CHUNK])
        same = all(len(a) == len(b) for a, b in zip(whole, recent[i : i + CHUNK], strict=True))
        point = near.point if same else forecast(whole, ()).point
        points.append(point)
        quantiles.append(near.quantiles - near.point[..., None] + point[..., None])
    return np.concatenate(points), np.concatenate(quantiles)


def joined(parts: Sequence[Rolling]) -> Rolling:
    """Put windows that were forecast one after another together.

    Args:
        parts: Of the same horizon and levels; a baseline that one of them lacks is left out.
    """
    shared = [name for name in parts[0].points if all(name in p.points for p in parts)]

    def together(of: str) -> dict[str, np.ndarray]:
        return {n: np.concatenate([getattr(p, of)[n] for p in parts]) for n in shared}

    return Rolling(
        tuple(name for p in parts for name in p.series),
        np.concatenate([p.origins for p in parts]),
        tuple(h for p in parts for h in p.histories),
        np.concatenate([p.actual for p in parts]),
        parts[0].levels,
        together("points"),
        together("quantiles"),
        np.concatenate([p.scale for p in parts]),
        tuple(dict.fromkeys(note for p in parts for note in p.notes)),
    )


def _second(pair: tuple[str, float]) -> float:
    return pair[1]
