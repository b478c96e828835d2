"""The anomaly scores that a sceptic asks for first: random, |z|, seasonal change, PCA, a Gaussian.

Each is fitted on the training part (`fit`) and gives one score per step of a series (`score`),
higher for stranger. `causal` says whether the score of a step knows only that step and those
before it. A missing value is not strange: it counts as the mean of its channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from ..errors import InputError
from .anomaly_inputs import many_series, one_series, root_mean_square
from .anomaly_windows import Deviation, WindowedGaussian, WindowPCA


class Scorer(Protocol):
    """What gives each step of a series a score."""

    causal: ClassVar[bool]

    def score(self, x: Any) -> np.ndarray:
        """Score each step of a series, [steps] or [steps, channels]; higher is stranger."""
        ...


@dataclass(frozen=True)
class RandomScore:
    """Uniform numbers: what a score is worth that has not looked at the data.

    Args:
        seed: Of the numbers; the same series length gives the same numbers.

    Example:
        >>> RandomScore(seed=1).score(np.zeros(3)).shape
        (3,)
    """

    causal: ClassVar[bool] = True
    seed: int = 0

    def score(self, x: Any) -> np.ndarray:
        """A number between 0 and 1 per step, [steps]."""
        return np.random.default_rng(self.seed).random(len(x))


@dataclass(frozen=True)
class SeasonalResidual:
    """How far a value is from that of one season ago, in usual seasonal changes; causal.

    Args:
        usual: Root of the mean squared seasonal change of the training part, [channels].
        season: Steps of a season; 1 compares with the value before.

    Example:
        >>> wave = np.tile([0.0, 1.0, 0.0, -1.0], 5)
        >>> model = SeasonalResidual.fit(wave + 0.1 * (np.arange(20) % 3), season=4)
        >>> wave[9] = 5
        >>> int(model.score(wave)[:10].argmax())
        9
    """

    causal: ClassVar[bool] = True
    usual: np.ndarray
    season: int

    @classmethod
    def fit(cls, train: Any, season: int) -> SeasonalResidual:
        """Learn what change from season to season is usual.

        A training part that is no longer than a season is compared with its last step.

        Args:
            train: One series, [steps] or [steps, channels], or a list of them.
            season: Steps of a season, 1 for none.

        Raises:
            InputError: The season is not a positive number.
        """
        if season < 1:
            raise InputError(f"season is {season}; it is a number of steps, 1 or more")
        series = many_series(train)
        known = season if any(len(s) > season for s in series) else 1
        change = [s[known:] - s[:-known] for s in series if len(s) > known]
        usual = _root_mean_square_of(change, series[0].shape[1])
        return cls(np.where(usual > 0, usual, 1.0), season)

    def score(self, x: Any) -> np.ndarray:
        """Root mean square over channels, [steps]; 0 in the first season."""
        series = one_series(x)
        change = np.zeros_like(series)
        if len(series) > self.season:
            change[self.season :] = series[self.season :] - series[: -self.season]
        return root_mean_square(np.where(np.isnan(change), 0.0, change) / self.usual)


def fit_baselines(train: Any, season: int, seed: int = 0) -> dict[str, Scorer]:
    """Fit all that a detector is put beside, by the names that tables show.

    Args:
        train: One series, [steps] or [steps, channels], or a list of them.
        season: Steps of a season, 1 for none.
        seed: Of the random score.

    Example:
        >>> list(fit_baselines(np.sin(np.arange(100.0)), season=6))
        ['random', 'z', 'seasonal_naive', 'pca', 'windowed_gaussian']
    """
    return {
        "random": RandomScore(seed),
        "z": Deviation.fit(train),
        "seasonal_naive": SeasonalResidual.fit(train, season),
        "pca": WindowPCA.fit(train),
        "windowed_gaussian": WindowedGaussian(),
    }


def arrays_of(scorers: Mapping[str, Scorer]) -> dict[str, np.ndarray]:
    """All that fitted baselines hold, as named arrays, to be saved beside a model.

    Example:
        >>> held = arrays_of({"z": Deviation.fit([0.0, 2.0])})
        >>> held
        {'z.mean': array([1.]), 'z.spread': array([1.])}
        >>> restored(held)["z"].score([3.0])
        array([2.])
    """
    held = {}
    for name, scorer in scorers.items():
        for field, value in _fields(scorer).items():
            held[f"{name}.{field}"] = np.asarray(value)
    return held


def restored(held: Mapping[str, np.ndarray]) -> dict[str, Scorer]:
    """Take back what `arrays_of` gave."""
    return {name: _build(kind, name, held) for name, kind in _KINDS.items() if _has(name, held)}


_KINDS: dict[str, Any] = {
    "random": RandomScore,
    "z": Deviation,
    "seasonal_naive": SeasonalResidual,
    "pca": WindowPCA,
    "windowed_gaussian": WindowedGaussian,
}


def _has(name: str, held: Mapping[str, np.ndarray]) -> bool:
    return any(key.startswith(f"{name}.") for key in held)


def _fields(scorer: Any) -> dict[str, Any]:
    found = {}
    for field in fields(scorer):
        value = getattr(scorer, field.name)
        if isinstance(value, Deviation):
            found |= {f"{field.name}.{n}": v for n, v in _fields(value).items()}
        else:
            found[field.name] = value
    return found


def _build(kind: Any, name: str, held: Mapping[str, np.ndarray]) -> Any:
    values = {}
    for field in fields(kind):
        key = f"{name}.{field.name}"
        if key not in held:
            values[field.name] = _build(Deviation, key, held)
        else:
            value = held[key]
            values[field.name] = int(value) if np.ndim(value) == 0 else np.asarray(value)
    return kind(**values)


def _root_mean_square_of(parts: Sequence[np.ndarray], channels: int) -> np.ndarray:
    rows = np.concatenate([*parts, np.zeros((0, channels))])
    seen = ~np.isnan(rows)
    count = np.maximum(seen.sum(axis=0), 1)
    return np.sqrt(np.where(seen, rows**2, 0).sum(axis=0) / count)
