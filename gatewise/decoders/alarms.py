"""Errors to scores and alarms, by what held-out readings showed to be usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from ..evaluation.anomaly_surprise import MEMORY, deviations, improbability
from .limits import HISTORY, Fixed, Followed, Surprised
from .peaks import Tail, find_tail
from .smoothing import smooth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor, nn

    from .limits import Limit

Method = Literal["pot", "telemanom", "quantile", "surprise"]

CHUNK = 4096
"""Steps that a network is asked for at a time; its state is carried from one to the next."""

CAP = 1e6
"""A channel's error in usual ones, at most: one absurd value should not blind it for ever."""

FLOOR = 0.02
"""Least usual error, in units of the channel: to be off by less is to be right."""

SPIKES = 0.99
"""Quantile at which held-out errors are cut before their mean is taken."""

FAR = 3.0
"""Usual errors beyond which adapting does not see how far an error is."""


class Scored(NamedTuple):
    """What is said of a series.

    Args:
        score: Errors smoothed and in usual ones, root mean square over channels; 1 is usual. Where
            the method is "surprise", how improbable that is.
        alarm: Where it is above the threshold, bool [steps].
        threshold: What it was compared with, [steps].
        channels: Each channel's smoothed error in usual ones, [steps, channels].
        factor: What adapting has made of each channel's usual error at the end, [channels].
    """

    score: np.ndarray
    alarm: np.ndarray
    threshold: np.ndarray
    channels: np.ndarray
    factor: np.ndarray


class Alarms:
    """Count each channel's error in its usual one, smooth it, and raise an alarm when it is rare.

    What is usual, and what is rare, is learned on held-out readings: the usual error of each
    channel, and the level that the score exceeds once in an interval (`find_tail`), as often as
    one accepts to be called in vain.

    Args:
        span: Steps that scores are smoothed over.
        interval: Steps from one false alarm to the next that are accepted.
        method: "pot" for extreme value theory, "quantile" for what was seen alone, "telemanom"
            for a threshold that follows the recent scores, "surprise" for a score that does.
        memory: Steps over which the usual error follows what comes; None for one that stays.
        quiet: Steps in which only a higher surprise is told again.
    """

    def __init__(
        self,
        span: int,
        interval: float,
        method: Method = "pot",
        *,
        memory: int | None = None,
        quiet: int = 1,
    ) -> None:
        self.span, self.interval, self.memory = span, interval, memory
        self.method: Method = method
        self.quiet = quiet if method == "surprise" else 1
        self.levels_ = np.ones(1)
        self.usual_ = 1.0
        self.threshold_ = float("inf")
        self.tail_: Tail | None = None
        self.history_ = np.zeros(0)

    @property
    def run(self) -> int:
        """Steps without an alarm that part one event from the next."""
        return max(self.span, self.quiet)

    @property
    def rate(self) -> float:
        """How fast the usual error follows, per step; 0 where it stays."""
        return 1.0 / self.memory if self.memory else 0.0

    def __call__(self, network: nn.Module, batch: Any) -> list[Scored]:
        """Score the tracks of a batch."""
        return [self.judge(self.errors(network, track)) for track in batch.tracks]

    def errors(self, network: Any, track: Any) -> np.ndarray:
        """Each channel's error at each step, [steps, channels]; NaN where there is none."""
        carry, parts = None, []
        for inputs, target in zip(
            track.inputs.split(CHUNK), track.target.split(CHUNK), strict=True
        ):
            errors, carry = network.errors(inputs, target, carry)
            parts.append(errors.cpu().numpy())
        return np.concatenate(parts)

    def judge(self, errors: np.ndarray) -> Scored:
        """Make scores and alarms of errors.

        Args:
            errors: [steps, channels], NaN where there is none.
        """
        ratio = np.minimum(errors / self.levels_, CAP)
        factor = np.ones(errors.shape[1])
        if self.memory:
            ratio, factor = self._adapted(errors)
        channels = smooth(ratio, self.span, np.ones(errors.shape[1]))
        score, threshold = self.limit().of(np.sqrt(np.square(channels).mean(1)))
        return Scored(score, score > threshold, threshold, channels, factor)

    def limit(self) -> Limit:
        """What scores are compared with, before the first one."""
        if self.method == "telemanom":
            return Followed(self.history_, self.span // 2)
        if self.method == "surprise":
            return Surprised(self.threshold_, self.history_, self.quiet)
        return Fixed(self.threshold_)

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Learn usual errors and the threshold from what was held out."""
        tracks = [track for batch in batches for track in batch.tracks]
        errors = [self.errors(network, track) for track in tracks]
        held = np.concatenate([e[t.since :] for e, t in zip(errors, tracks, strict=True)])
        self.levels_ = np.array([_usual(column) for column in held.T])
        ratio = np.minimum(held / self.levels_, FAR)
        self.usual_ = float(np.nanmean(ratio)) if np.isfinite(ratio).any() else 1.0
        scores = [self._plain(e)[t.since :] for e, t in zip(errors, tracks, strict=True)]
        self.history_ = np.concatenate(scores)[
            -(MEMORY if self.method == "surprise" else HISTORY) :
        ]
        if self.method == "surprise":
            scores = self._apart(scores)
        self.tail_ = find_tail(scores, self.run)
        self.threshold_ = self.tail_.level(self.interval)
        if self.method == "surprise":
            # Deviations have a tail of the kind that is fitted; their improbability need not.
            self.threshold_ = improbability(self.threshold_)
        if self.method == "quantile":
            share = min(self.tail_.cluster / self.interval, 1.0)
            self.threshold_ = float(np.quantile(np.concatenate(scores), 1 - share))

    def _plain(self, errors: np.ndarray) -> np.ndarray:
        """Scores without adapting, [steps]."""
        ratio = np.minimum(errors / self.levels_, CAP)
        return np.sqrt(np.square(smooth(ratio, self.span, np.ones(errors.shape[1]))).mean(1))

    def _apart(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Deviations of held-out scores from what will be remembered of them, [steps] each."""
        known = len(self.history_)
        return [deviations(np.concatenate([self.history_, s]))[known:] for s in scores]

    def _adapted(self, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Errors in usual ones that follow them, and by what factor they do in the end."""
        levels, rate = self.levels_.copy(), self.rate
        ratio = np.empty_like(errors)
        for k, error in enumerate(errors):
            ratio[k] = np.minimum(error / levels, CAP)
            moved = np.exp(rate * (np.minimum(ratio[k], FAR) - self.usual_))
            levels *= np.where(np.isnan(moved), 1.0, moved)
        return ratio, levels / self.levels_

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        settings = {
            "usual": self.usual_,
            "threshold": self.threshold_ if np.isfinite(self.threshold_) else None,
            "tail": list(self.tail_) if self.tail_ else None,
        }
        held = {"levels": self.levels_, "history": self.history_}
        return settings, {n: torch.from_numpy(a.copy()) for n, a in held.items()}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.usual_ = settings["usual"]
        known = settings["threshold"]
        self.threshold_ = float("inf") if known is None else known
        self.tail_ = Tail(*settings["tail"]) if settings["tail"] else None
        self.levels_, self.history_ = tensors["levels"].numpy(), tensors["history"].numpy()


def _usual(errors: np.ndarray) -> float:
    """The mean error, without what the highest few add to it."""
    seen = errors[np.isfinite(errors)]
    if not len(seen):
        return 1.0
    return max(float(np.minimum(seen, np.quantile(seen, SPIKES)).mean()), FLOOR)
