"""Anomalies: what is usual is learned, and what is not is scored, explained and raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..data.readings.channels_spec import Channels
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..train.spec import Trainer

if TYPE_CHECKING:
    from ..data.readings.monitored import Monitored
    from ..inspection.task_report import TaskReport
    from .anomaly_events import Event
    from .anomaly_stream import DetectorStream

Kind = Literal["forecast", "likelihood", "autoencoder", "variational"]
Method = Literal["pot", "telemanom", "quantile", "surprise"]

WINDOWS_PER_HORIZON = 4
"""Windows of an autoencoder are so many times as long as what is judged at their end."""

SEASONS, REMEMBERED = 14, 1000
"""Seasons over which what is usual adapts; readings where there is no season."""

DAYS, STEPS = 30, 10_000
"""From one false alarm to the next, with stamps and without."""


class AnomalyDetector(Estimator):
    """Learn what is usual of series of readings, and say when something is not.

    It needs no labels, and the readings that it learns from may hold some anomalies. Each reading
    gets a score, in usual errors and smoothed over what half a day or half a season is in the
    data; an alarm is raised where the score is so high as it should be once in
    `false_alarm_every` by chance alone. Readings are scored in the order of time, each by what
    came before it, so a stream gets the same scores as a table does.

    Args:
        scorer: "forecast" counts the errors of all forecasts of a reading, from near and far;
            "likelihood" counts them in the deviations that were forecast; "autoencoder" and
            "variational" count what of the window behind a reading cannot be reconstructed.
        horizon: Steps ahead that are forecast; of a window's end that are judged.
        smoothing: Readings that a score is smoothed over; half of what repeats in the data when
            left out: found without labels. None where the threshold is "surprise".
        false_alarm_every: How long from one false alarm to the next: a time like "30D" or "12h"
            where there are stamps, or a number of readings; 30 days, or 10,000 readings, when
            left out.
        threshold: "pot" extrapolates the held-out scores by extreme value theory; "quantile"
            takes them as they are; "telemanom" follows the recent scores; "surprise" makes the
            score minus the decimal logarithm of its chance after the recent ones, under a normal
            distribution of theirs (Ahmad et al. 2017, https://doi.org/10.1016/j.neucom.2017.04.070),
            and goes quiet while an event lasts.
        adapt: Whether what is usual follows a drift; `stream.reset()` takes it back.
        columns: Which columns of a table mean what; found by name when left out.
        encoder: The recurrent layer.
        trainer: How it is trained.

    Example:
        >>> import numpy as np
        >>> t = np.arange(600)
        >>> series = np.sin(t * 2 * np.pi / 12) + 0.1 * np.random.default_rng(0).normal(size=600)
        >>> model = AnomalyDetector(
        ...     encoder=Encoder(hidden_size=8), trainer=Trainer(max_steps=60)
        ... ).fit(series)
        >>> series[500:520] = 3
        >>> int(model.score_points(series).argmax()) in range(500, 530)
        True
    """

    verb: ClassVar[str | None] = "anomaly"

    def __init__(
        self,
        scorer: Kind = "forecast",
        *,
        horizon: int = 12,
        smoothing: int | None = None,
        false_alarm_every: str | int | None = None,
        threshold: Method = "pot",
        adapt: bool = False,
        columns: Channels = Channels(),
        encoder: Encoder = Encoder(hidden_size=48, dropout=0.0),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.scorer: Kind = scorer
        self.horizon = horizon
        self.smoothing = smoothing
        self.false_alarm_every = false_alarm_every
        self.threshold: Method = threshold
        self.adapt = adapt
        self.columns = columns
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Monitored:
        """Readings to tracks."""
        from ..data.readings.monitored import Monitored

        self._check()
        return Monitored(
            self.horizon,
            self.smoothing or (1 if self.threshold == "surprise" else None),
            self.columns,
            None if self._forecasts else WINDOWS_PER_HORIZON * self.horizon,
        )

    def task(self, data: Monitored) -> Task:
        """The network that says what is usual, its loss, and what makes alarms of its errors."""
        from ..decoders.alarms import Alarms
        from ..nn.networks.monitor import NextValues, Reconstruction
        from ..objectives.monitor import MonitorLoss
        from .anomaly_measure import Measure

        channels = len(data.channels_)
        if self._forecasts:
            network = NextValues(
                self.encoder,
                data.input_size,
                channels,
                self.horizon,
                by_sigma=self.scorer == "likelihood",
            )
        else:
            network = Reconstruction(
                self.encoder,
                data.input_size,
                channels,
                WINDOWS_PER_HORIZON * self.horizon,
                self.horizon,
                "variational" if self.scorer == "variational" else "autoencoder",
            )
        season = data.beat_.season
        memory = (SEASONS * season if season > 1 else REMEMBERED) if self.adapt else None
        decode = Alarms(
            data.smoothing_,
            self._interval(data),
            self.threshold,
            memory=memory,
            quiet=self.horizon,
        )
        defaults = {
            "lr": 3e-3,
            "batch_size": 32,
            "max_steps": 400,
            "epoch_examples": 32 * 40,
            "patience": 4,
            "average": 0.98,
            "finish": 0.3,
        }
        return Task(
            network,
            MonitorLoss(),
            decode,
            defaults=defaults,
            measure=Measure(data),
        )

    def score_points(self, x: Any) -> Any:
        """The score of each reading, [readings]; a list of such for several series.

        Args:
            x: Series, as for `predict`.
        """
        scores = [scored.score for scored in self._scored(x)[1]]
        return scores[0] if len(scores) == 1 else scores

    def events(self, x: Any) -> list[Event]:
        """Alarms that belong together as events: from when to when, how bad, and through what.

        Args:
            x: Series, as for `predict`.

        Returns:
            In the order of series and time.
        """
        from .anomaly_events import events_of

        readings, scored = self._scored(x)
        decode: Any = self.task_.decode
        return events_of(readings, scored, decode.run)

    def stream(self, x: Any = None, *, series: Any = None) -> DetectorStream:
        """Score readings one at a time, as they come, with the state kept between them.

        Args:
            x: Readings of one series to begin after; from nothing when left out.
            series: Name of the series, which its scale belongs to, where there were several.

        Raises:
            InputError: It is not fitted, or `x` holds several series.

        Example:
            >>> import numpy as np
            >>> wave = np.sin(np.arange(300.0))
            >>> model = AnomalyDetector(
            ...     encoder=Encoder(hidden_size=8), trainer=Trainer(max_steps=5)
            ... ).fit(wave)
            >>> stream = model.stream()
            >>> scores = [stream.update(value).score for value in wave]
            >>> bool(np.allclose(scores, model.score_points(wave), rtol=1e-4))
            True
        """
        from .anomaly_stream import DetectorStream

        self._check_fitted()
        return DetectorStream(self, x, series)

    @property
    def threshold_(self) -> float:
        """What a score has to exceed for an alarm, where that does not change with time."""
        self._check_fitted()
        decode: Any = self.task_.decode
        return decode.threshold_

    @property
    def report_(self) -> TaskReport:
        """What the fit saw and reached, to be looked at; there after `fit`, not after `load`."""
        from .anomaly_report import anomaly_report

        return anomaly_report(self)

    def _scored(self, x: Any) -> tuple[Any, list[Any]]:
        from ..train.asking import answers

        self._check_fitted()
        tracks: Any = self.data_.encode(x)
        size = self.trainer_.batch_size or 1
        found = answers(self.network_, self.task_.decode, tracks, size)
        return tracks.readings, [one for batch in found for one in batch]

    @property
    def _forecasts(self) -> bool:
        return self.scorer in ("forecast", "likelihood")

    def _interval(self, data: Monitored) -> float:
        """Readings from one false alarm to the next."""
        wanted = self.false_alarm_every
        if isinstance(wanted, str) and not wanted.strip().isdigit():
            if not data.beat_.dated:
                raise InputError(
                    f"false_alarm_every is {wanted!r}, and the readings have no stamps: give a "
                    "number of readings"
                )
            return _nanoseconds(wanted) / data.beat_.gap
        if wanted is not None:
            return float(int(wanted))
        return DAYS * data.beat_.per_day if data.beat_.dated else float(STEPS)

    def _check(self) -> None:
        whole = {"horizon": self.horizon}
        if self.smoothing is not None:
            whole["smoothing"] = self.smoothing
        for name, value in whole.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}, and has to be a whole number of at least 1")
        choices = {
            "scorer": ("forecast", "likelihood", "autoencoder", "variational"),
            "threshold": ("pot", "quantile", "telemanom", "surprise"),
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name} is {value!r}, and has to be one of {', '.join(known)}")
        if self._forecasts and self.encoder.bidirectional:
            raise InputError(
                "encoder.bidirectional is True, and a forecast must not see what comes after it: "
                "leave it at False"
            )
        wanted = self.false_alarm_every
        if isinstance(wanted, str) and not wanted.strip().isdigit():
            _nanoseconds(wanted)
        elif wanted is not None and (isinstance(wanted, bool) or int(wanted) < 2):
            raise InputError(
                f"false_alarm_every is {wanted!r}, and has to be 2 readings or more, or a time "
                "like '30D'"
            )


def _nanoseconds(text: str) -> int:
    """A time like "30D", in nanoseconds."""
    from ..data.time.clock import Clock

    try:
        clock = Clock.parse(text)
    except InputError:
        clock = None
    if clock is None or clock.unit != "ns":
        raise InputError(
            f"false_alarm_every is {text!r}, and has to be a time like '30D', '12h' or '2W', or a "
            "number of readings"
        )
    return clock.step
