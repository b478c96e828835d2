"""Small made series and small forecasters, fitted once for all tests that ask the same of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from gatewise.data.series.columns_spec import Columns
from gatewise.nn import Encoder
from gatewise.tasks.forecasting import Forecaster
from gatewise.train import Trainer

HORIZON = 6
QUANTILES = (0.1, 0.5, 0.9)


def wave(steps=150, seed=0, period=12, level=10.0):
    """A season with a drift and noise, positive."""
    t = np.arange(steps)
    noise = np.random.default_rng(seed).normal(size=steps)
    return level + 2 * np.sin(t * 2 * np.pi / period + seed) + 0.01 * t + 0.3 * noise


def several():
    """Positive series of different lengths."""
    return [wave(150, 0), wave(90, 1, level=50.0), wave(121, 2, level=8.0)]


def changing():
    """The same about zero, so that no logarithm is taken."""
    return [y - y[:40].mean() for y in several()]


def gappy(series, seed=5):
    """Gaps everywhere but at the last step, the first season among them."""
    rng = np.random.default_rng(seed)
    out = []
    for y in series:
        gone = rng.random(len(y)) < 0.1
        gone[-1] = False
        out.append(np.where(gone, np.nan, y))
    return out


def forecaster(steps=20, horizon=HORIZON, **rest):
    return Forecaster(
        horizon,
        quantiles=rest.pop("quantiles", QUANTILES),
        encoder=rest.pop("encoder", Encoder(hidden_size=8)),
        trainer=rest.pop("trainer", Trainer(max_steps=steps, batch_size=32)),
        **rest,
    )


def table(series=None, freq="D", target="sales"):
    """A long pandas frame with daily stamps that begin on different days."""
    series = several() if series is None else series
    frames = [
        pd.DataFrame(
            {
                "shop": f"shop {i}",
                "day": pd.date_range("2023-01-01", periods=len(y) + i, freq=freq)[i:],
                target: y,
            }
        )
        for i, y in enumerate(series)
    ]
    return pd.concat(frames, ignore_index=True)


COLUMNS = Columns(
    series="shop",
    time="day",
    target="sales",
    past=("visitors",),
    future=("price", "promo"),
    static=("size", "town"),
)


def rich_table(steps=130, ahead=0):
    """Sales that follow a promotion known ahead, beside all other kinds of columns."""
    parts = []
    for i in range(3):
        rng = np.random.default_rng(i)
        n = steps - 9 * i
        promo = rng.choice(["no", "yes", "much"], n + ahead, p=[0.6, 0.3, 0.1])
        price = 2 + 0.2 * rng.normal(size=n + ahead)
        base = np.concatenate([wave(n, i, period=7), np.full(ahead, np.nan)])
        parts.append(
            pd.DataFrame(
                {
                    "shop": f"shop {i}",
                    "day": pd.date_range("2023-01-01", periods=n + ahead),
                    "sales": base + 3 * (promo == "yes") - price,
                    "visitors": np.where(np.isnan(base), np.nan, base + rng.normal(size=n + ahead)),
                    "price": price,
                    "promo": promo,
                    "size": float(i),
                    "town": ["north", "south", "north"][i],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@cache
def fitted(kind="log", ensemble=1):
    """A fitted forecaster: on positive series, on series about zero, or on a table with all."""
    if kind == "rich":
        return forecaster(columns=COLUMNS, ensemble=ensemble).fit(rich_table())
    data = several() if kind == "log" else changing()
    return forecaster(ensemble=ensemble).fit(data)


def close(a, b, rtol=1e-4):
    """Alike but for float32: relative to the size of what is compared."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(1e-9, float(np.abs(b).max())))


def numbers(answer):
    """The numbers of an answer, whatever frame they came in: [rows, columns]."""
    if isinstance(answer, np.ndarray):
        return answer.reshape(-1, answer.shape[-1])
    if isinstance(answer, dict):
        columns = [np.asarray(v) for v in answer.values()][2:]
    elif isinstance(answer, pd.DataFrame):
        columns = [answer[c].to_numpy() for c in answer.columns[2:]]
    else:
        names = getattr(answer, "columns", None)
        names = answer.column_names if hasattr(answer, "column_names") else names
        columns = [np.asarray(answer[c]) for c in names[2:]]
    return np.stack(columns, -1).astype(float)
