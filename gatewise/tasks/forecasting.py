"""Forecasting: many series, one network, honest intervals, and the baselines beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..data.series.columns_spec import Columns
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..train.spec import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..data.windows.windows import Windows
    from ..evaluation.rolling import Rolling
    from ..inspection.report import ForecastReport
    from .forecast_stream import ForecastStream

STEPS_PER_ROOT_PATCH = 12
FEWEST_STEPS, MOST_STEPS = 400, 4000


class Forecaster(Estimator):
    """Forecast series from their own past, and what is known beside it.

    One network for all series, of different lengths and starts, seen in training or not. What
    repeats (a day, a week), how long a step of the recurrent layer is, whether to take
    logarithms, and how long to train, are found from the data. The end of each series is held
    out to stop by, to calibrate the intervals on, and to put the errors beside those of the
    naive, seasonal naive, drift and linear forecasts.

    Args:
        horizon: Steps ahead to forecast.
        context: Steps of history in a training window; chosen from the data when left out.
        holdout: Steps to hold out at the end of each series; a tenth of it, and no less than a
            horizon, when left out.
        quantiles: Levels between 0 and 1 to give beside the forecast.
        point: What `forecast` is: the "median", best for absolute errors, or the "mean", best
            for squared ones.
        output: What is learned around the point: "quantile", or the distribution "student_t",
            or "negative_binomial" for counts.
        decoding: "direct" gives all steps at once; "autoregressive" draws paths patch by patch
            from a distribution.
        ensemble: Networks of different seeds, whose forecasts are averaged.
        columns: Which columns of a table mean what; found by name when left out.
        encoder: The recurrent layer.
        trainer: How it is trained.

    Example:
        >>> import numpy as np
        >>> t = np.arange(240)
        >>> series = np.sin(t * 2 * np.pi / 12) + 0.01 * t
        >>> model = Forecaster(12, trainer=Trainer(max_steps=20)).fit(series)
        >>> model.predict(series).shape
        (1, 12, 6)
    """

    def __init__(
        self,
        horizon: int,
        *,
        context: int | None = None,
        holdout: int | None = None,
        quantiles: Sequence[float] = (0.025, 0.1, 0.5, 0.9, 0.975),
        point: Literal["median", "mean"] = "median",
        output: Literal["quantile", "student_t", "negative_binomial"] = "quantile",
        decoding: Literal["direct", "autoregressive"] = "direct",
        ensemble: int = 1,
        columns: Columns = Columns(),
        encoder: Encoder = Encoder(),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.horizon = horizon
        self.context = context
        self.holdout = holdout
        self.quantiles = quantiles
        self.point: Literal["median", "mean"] = point
        self.output: Literal["quantile", "student_t", "negative_binomial"] = output
        self.decoding: Literal["direct", "autoregressive"] = decoding
        self.ensemble = ensemble
        self.columns = columns
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Windows:
        """Series to windows."""
        from ..data.windows.windows import Windows

        self._check()
        return Windows(
            self.horizon,
            self.context,
            self.columns,
            holdout=self.holdout,
            levels=self.quantiles,
            units="change" if self.point == "median" else "spread",
            transform="linear" if self.output == "negative_binomial" else None,
        )

    def task(self, data: Windows) -> Task:
        """The network that fits the data's rhythm, its loss, its decoder and its judge."""
        from ..decoders.direct import Direct
        from ..decoders.rollout import Rollout
        from ..nn.networks.forecast import ForecastNetwork, combine
        from ..objectives.forecast import ForecastLoss, Likelihood
        from ..train.ensemble import Ensemble
        from .backtesting import Judge

        levels = tuple(float(q) for q in self.quantiles)
        start = data.opening_
        network = Ensemble.of(
            lambda: ForecastNetwork(
                self.encoder, data.shape(), start.logits, start.linear, self.output, levels
            ),
            self.ensemble,
            seed=self.trainer.seed,
            combine=combine,
        )
        objective = Likelihood()
        if self.output == "quantile":
            objective = ForecastLoss(
                levels,
                self.point,
                data.transform_ == "log",
                base_error=max(float(start.base_errors.mean(1).min()), 1e-6),
                log_error=start.log_error,
            )
        decode = Direct(levels)
        if self.decoding == "autoregressive":
            decode = Rollout(
                levels, self.horizon, mean=self.point == "mean", seed=self.trainer.seed
            )
        return Task(network, objective, decode, Judge(data), self._defaults(data))

    @property
    def report_(self) -> ForecastReport:
        """What the fit saw, did and reached, to be looked at; there after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here, or nothing could be held out.
        """
        from .forecast_report import forecast_report

        return forecast_report(self)

    def stream(self, x: Any) -> ForecastStream:
        """Follow series point by point: `update` takes new points, `forecast` answers at once.

        Args:
            x: The history to start from, as for `predict`.

        Raises:
            InputError: It is not fitted, or a series is too short to start from.

        Example:
            >>> import numpy as np
            >>> t = np.arange(120.0)
            >>> wave = np.sin(t * np.pi / 6) + 0.1 * np.cos(t * 2)
            >>> model = Forecaster(6, trainer=Trainer(max_steps=5)).fit(wave)
            >>> stream = model.stream(wave[:100])
            >>> for value in wave[100:]:
            ...     _ = stream.update(value)
            >>> bool(np.allclose(stream.forecast(), model.predict(wave), atol=1e-4))
            True
        """
        from .forecast_stream import ForecastStream

        self._check_fitted()
        return ForecastStream(self, x)

    def backtest(
        self, x: Any, *, windows: int = 10, step: int | None = None, refit: bool = False
    ) -> Rolling:
        """Forecast from past origins of each series, and put the errors beside the baselines'.

        Args:
            x: Series to forecast within, as for `fit`.
            windows: Origins per series, counted from its end.
            step: Steps from one origin to the next; the horizon when left out.
            refit: Fit anew for each origin on what was known then; without it this model is
                asked, and origins that it was fitted on flatter it, which is said.

        Returns:
            Figures (`figures`), tables per step ahead (`steps`), per series (`each`) and of all
            forecasts (`errors`), and sentences on what they mean (`verdict`).

        Raises:
            InputError: It is not fitted, or no series is long enough.
        """
        from .backtesting import backtest

        self._check_fitted()
        step = self.horizon if step is None else step
        for name, value in {"windows": windows, "step": step}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}, and has to be a whole number of at least 1")
        return backtest(self, x, windows, step, refit)

    def _defaults(self, data: Windows) -> dict[str, Any]:
        """Training that suits the amount of data; docs/log.md has the experiments."""
        steps = int(STEPS_PER_ROOT_PATCH * data.patches_**0.5)
        steps = min(max(steps, FEWEST_STEPS), MOST_STEPS)
        return {
            "lr": 3e-3,
            "batch_size": 64,
            "max_steps": steps,
            "epoch_examples": 64 * max(20, steps // 20),
            "patience": 8,
            "weight_decay": 0.01,
            "betas": (0.9, 0.98),
            "schedule": "cosine",
            "warmup": 0.05,
            "average": 0.995,
            "finish": 0.4,
        }

    def _check(self) -> None:
        whole = {"horizon": self.horizon, "ensemble": self.ensemble}
        asked = {"context": self.context, "holdout": self.holdout}
        whole |= {name: value for name, value in asked.items() if value is not None}
        for name, value in whole.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}, and has to be a whole number of at least 1")
        if self.encoder.bidirectional:
            raise InputError(
                "encoder.bidirectional is True, and a forecast at each step must not see what "
                "comes after it: leave it at False"
            )
        levels = list(self.quantiles)
        if not levels or sorted(set(levels)) != levels or not all(0 < q < 1 for q in levels):
            raise InputError(
                f"quantiles are {levels}, and have to be increasing levels between 0 and 1"
            )
        choices = {
            "point": ("median", "mean"),
            "output": ("quantile", "student_t", "negative_binomial"),
            "decoding": ("direct", "autoregressive"),
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name} is {value!r}, and has to be one of {', '.join(known)}")
        if self.decoding == "autoregressive" and self.output == "quantile":
            raise InputError(
                "decoding='autoregressive' draws from a distribution: set output to 'student_t' "
                "or 'negative_binomial'"
            )
