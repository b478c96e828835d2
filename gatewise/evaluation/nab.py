"""The score of the Numenta Anomaly Benchmark: early alarms in labelled windows, few outside.

Lavin & Ahmad 2015, https://arxiv.org/abs/1510.03336. A window counts once, by its earliest
alarm; an alarm outside costs more the further it is behind the last window; one threshold serves
all series and is the best one on these labels, as in NAB itself. 0 is a detector that never
raises an alarm, 100 one that raises one alarm at the start of each window and none elsewhere.
Alarms before the end of the probationary part count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import InputError

Profile = Literal["standard", "low_fp", "low_fn"]

PROBATION = 0.15
MOST_PROBATION = 750
"""Steps: NAB takes 15 % of a series of 5,000 steps at most."""

FAR = 3.0
"""Window widths after which an alarm is as false as can be."""


@dataclass(frozen=True)
class Costs:
    """What a window found, an alarm outside and a window missed are worth."""

    hit: float
    false: float
    miss: float


PROFILES = {
    "standard": Costs(1.0, 0.11, 1.0),
    "low_fp": Costs(1.0, 0.22, 1.0),
    "low_fn": Costs(1.0, 0.11, 2.0),
}


@dataclass(frozen=True)
class Scored:
    """A series with its scores and labelled windows.

    Args:
        scores: Higher is stranger, [steps]; NaN is never an alarm.
        windows: First and last step of each, [windows, 2], rising, without overlap.

    Example:
        >>> Scored([0.0, 1.0, 0.0, 0.0], [(1, 2)]).scores.shape
        (4,)
    """

    scores: Any
    windows: Any = ()

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=float)
        windows = np.asarray(self.windows, dtype=int).reshape(-1, 2)
        if scores.ndim != 1 or not scores.size:
            raise InputError(f"scores has shape {scores.shape}; it is [steps], not empty")
        edges = windows.ravel()
        if len(edges) and (edges[0] < 0 or edges[-1] >= len(scores) or (np.diff(edges) < 0).any()):
            raise InputError(
                f"windows are {windows.tolist()}; each is a first and a last step, in order and "
                f"within the {len(scores)} steps of the series"
            )
        object.__setattr__(self, "scores", np.where(np.isnan(scores), -np.inf, scores))
        object.__setattr__(self, "windows", windows)


class NabScore(NamedTuple):
    """A score, the threshold that gives it, and what the alarms at that threshold hit.

    Args:
        score: 0 for no alarms at all, 100 for perfect ones.
        threshold: An alarm is where a score reaches it.
        raw: Sum of what windows and false alarms are worth.
        found: Windows with an alarm.
        missed: Windows without one.
        false: Steps outside all windows that are alarms.
    """

    score: float
    threshold: float
    raw: float
    found: int
    missed: int
    false: int


def nab_score(
    series: Sequence[Scored], profile: Profile = "standard", threshold: float | None = None
) -> NabScore:
    """Score a detector on a set of series with one threshold.

    Args:
        series: With at least one window among them.
        profile: "standard", or one that punishes false alarms ("low_fp") or missed windows
            ("low_fn") twice as much.
        threshold: Of all series; the best on these labels when left out, as NAB does.

    Raises:
        InputError: There is no window, or no such profile.

    Example:
        >>> perfect = Scored([0, 0, 0, 9, 0, 0, 0, 0, 0, 0], [(3, 5)])
        >>> nab_score([perfect]).score
        100.0
        >>> nab_score([perfect], threshold=10).score
        0.0
    """
    if profile not in PROFILES:
        raise InputError(f"profile is {profile!r}; it is one of {', '.join(PROFILES)}")
    windows = sum(len(s.windows) for s in series)
    if not windows:
        raise InputError("no series has a labelled window; NAB scores alarms by windows")
    costs = PROFILES[profile]
    sweep = _Sweep([_points(s, costs) for s in series], costs.miss)
    k = sweep.best() if threshold is None else sweep.at(threshold)
    null, perfect = sweep.raw[0], costs.hit * windows
    score = 100 * (sweep.raw[k] - null) / (perfect - null)
    found = int(sweep.found[k])
    return NabScore(
        float(score),
        float(sweep.thresholds[k]),
        float(sweep.raw[k]),
        found,
        sweep.windows - found,
        int(sweep.false[k]),
    )


def probation(steps: int) -> int:
    """Steps at the start of a series that NAB does not score, and a detector may learn from.

    Example:
        >>> probation(4032), probation(22695)
        (604, 750)
    """
    return min(math.floor(PROBATION * steps), MOST_PROBATION)


def worth(position: Any) -> np.ndarray:
    """Scaled sigmoid: what an alarm is worth by its place, in window widths from the right edge.

    Near 1 at the left edge (-1), 0 at the right one, near -1 a width behind it, -1 beyond three.

    Example:
        >>> worth([-1.0, -0.5, 0.0, 1.0, 4.0]).round(5).tolist()
        [0.98661, 0.84828, 0.0, -0.98661, -1.0]
    """
    position = np.asarray(position, dtype=float)
    near = np.minimum(position, FAR)
    return np.where(position > FAR, -1.0, 2 / (1 + np.exp(5 * near)) - 1)


def _points(series: Scored, costs: Costs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, worth and window (-1 for none) of the steps that count."""
    steps = np.arange(len(series.scores))
    value = np.full(len(steps), -costs.false)
    inside = np.full(len(steps), -1)
    for k, (first, last) in enumerate(series.windows):
        width = last - first + 1
        within = slice(first, last + 1)
        inside[within] = k
        value[within] = worth((steps[within] - last - 1) / width) * costs.hit / worth(-1.0)
        # A window of one step leaves nothing to measure a distance by: all is far behind it.
        behind = (steps[last + 1 :] - last) / (width - 1) if width > 1 else np.inf
        value[last + 1 :] = worth(np.broadcast_to(behind, len(steps) - last - 1)) * costs.false
    start = probation(len(steps))
    return series.scores[start:], value[start:], inside[start:]


class _Sweep:
    """What each threshold gives, from none at all (infinity) down through all scores."""

    def __init__(
        self, parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], miss: float
    ) -> None:
        shift, named = 0, []
        for _, _, inside in parts:
            named.append(np.where(inside >= 0, inside + shift, -1))
            shift += int(inside.max(initial=-1)) + 1
        scores, value = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        window = np.concatenate(named)
        order = np.argsort(-scores, kind="stable")
        scores, value, window = scores[order], value[order], window[order]
        gain = np.where(window < 0, value, 0.0)
        first = np.zeros(len(scores), dtype=bool)
        names = np.unique(window[window >= 0])
        for name in names:
            at = np.flatnonzero(window == name)
            reached = np.maximum.accumulate(np.r_[-miss, value[at]])
            gain[at] = np.diff(reached)
            first[at[0]] = True
        self.windows = len(names)
        # A threshold takes all points of equal score at once; -inf is never reached.
        ends = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True] & (scores > -np.inf))
        self.thresholds = np.r_[np.inf, scores[ends]]
        self.raw = np.r_[0.0, np.cumsum(gain)[ends]] - miss * self.windows
        self.found = np.r_[0, np.cumsum(first)[ends]]
        self.false = np.r_[0, np.cumsum(window < 0)[ends]]

    def best(self) -> int:
        """The first threshold, from above, of the highest sum."""
        return int(self.raw.argmax())

    def at(self, threshold: float) -> int:
        """The lowest score that reaches a threshold."""
        return int((self.thresholds >= threshold).sum()) - 1
