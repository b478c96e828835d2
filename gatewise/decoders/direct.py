"""All steps ahead at once, with intervals widened or narrowed to what held-out windows showed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor, nn

NARROWEST, WIDEST = 0.25, 8.0
"""Bounds of the calibrating factors: beyond them the held-out part was no sample of the future."""

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the network's own distances, as tried: a finer choice would fit the held-out part's noise."""


class Answer(NamedTuple):
    """Forecasts of a batch in model units.

    Args:
        point: float64 [batch, horizon].
        quantiles: float64 [batch, levels, horizon], increasing over levels.
    """

    point: np.ndarray
    quantiles: np.ndarray


class Direct:
    """Ask the network once; set its intervals right by what held-out windows showed.

    The distances of the network's quantiles from its point forecast are mixed with plain ones,
    which depend on the step ahead and the series' volatility alone: a network that has seen few
    series is overconfident about which moments are the certain ones. The share of each is the
    one with the least pinball loss on the held-out windows. Then each level is stretched by one
    factor, such that the wanted share of held-out values falls on the right side (split
    conformal: Vovk, Gammerman & Shafer 2005; Romano, Patterson & Candès 2019,
    https://arxiv.org/abs/1905.03222).

    Args:
        levels: Quantile levels, increasing.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.factors_ = torch.ones(len(self.levels), dtype=torch.float64)
        self.plain_ = torch.zeros(len(self.levels), 1, dtype=torch.float64)
        self.share_ = 1.0

    def __call__(self, network: nn.Module, batch: Any) -> Answer:
        """Forecast from the last fork of each window."""
        output = network(batch)
        return self.calibrated(
            output.point[:, -1], output.quantiles[:, -1], output.volatility[:, -1]
        )

    def calibrated(self, point: Tensor, quantiles: Tensor, volatility: Tensor) -> Answer:
        """Set quantiles right.

        Args:
            point: Model units, [..., horizon].
            quantiles: As the network says, [..., levels, horizon].
            volatility: Of the series, model units, [...].
        """
        center, network, size = (t.double().cpu().numpy() for t in (point, quantiles, volatility))
        distance = network - center[..., None, :]
        if self.share_ < 1:
            plain = self.plain_.numpy() * size[..., None, None]
            distance = self.share_ * distance + (1 - self.share_) * plain
        return Answer(center, stretched(center, distance, self.factors_.numpy()))

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Learn plain distances, their share and the factors from held-out windows."""
        errors, distances, steps = [], [], []
        windows = horizon = 0
        for batch in batches:
            horizon = batch.weight.shape[-1]
            output = network(batch)
            keep = batch.weight > 0
            size = output.volatility[..., None]
            errors.append(((batch.target - output.point) / size)[keep].double().cpu())
            distance = (output.quantiles - output.point.unsqueeze(-2)) / size.unsqueeze(-1)
            distances.append(distance.transpose(-1, -2)[keep].double().cpu())
            steps.append(torch.arange(keep.shape[-1]).expand(keep.shape)[keep.cpu()])
            windows += int(keep.any(-1).sum())
        error, own = torch.cat(errors).numpy(), torch.cat(distances).numpy()
        step = torch.cat(steps).numpy()
        count = np.maximum(np.bincount(step, minlength=horizon), 1)
        sums = [np.bincount(step, own[:, k], minlength=horizon) for k in range(len(self.levels))]
        plain = np.stack(sums) / count
        tried = {}
        for share in SHARES:
            distance = share * own + (1 - share) * plain[:, step].T
            factors = stretch_factors(self.levels, error, distance, windows)
            tried[share] = (_pinball(self.levels, error, factors * distance), factors)
        self.share_ = min(tried, key=lambda share: tried[share][0])
        self.factors_ = torch.from_numpy(tried[self.share_][1])
        self.plain_ = torch.from_numpy(plain)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        tensors = {"factors": self.factors_, "plain": self.plain_}
        return {"levels": list(self.levels), "share": self.share_}, tensors

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.factors_, self.plain_ = tensors["factors"], tensors["plain"]
        self.share_ = settings["share"]


def _pinball(levels: Sequence[float], error: np.ndarray, distance: np.ndarray) -> float:
    """Mean pinball loss of quantiles so far from the point, when the point errs by so much."""
    under = error[:, None] - distance
    level = np.asarray(levels)
    return float(np.maximum(level * under, (level - 1) * under).mean())


def stretched(point: np.ndarray, distance: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Quantiles at distances [..., levels, horizon] from the point, by a factor per level."""
    # One factor a level could make neighbours cross.
    return np.sort(point[..., None, :] + factors[:, None] * distance, axis=-2)


def stretch_factors(
    levels: Sequence[float], error: np.ndarray, distance: np.ndarray, windows: int
) -> np.ndarray:
    """Factors by which the wanted share of held-out values would have fallen on the right side.

    Args:
        levels: Quantile levels.
        error: What came less the point forecast, [values].
        distance: Quantiles less the point forecast, [values, levels].
        windows: Windows that the values come from.

    Returns:
        float64 [levels]; 1 for the median and where nothing tells.

    Example:
        >>> errors = np.linspace(-3, 3, 1001)
        >>> bounds = np.tile([-1.0, 1.0], (1001, 1))
        >>> stretch_factors((0.1, 0.9), errors, bounds, windows=10**9).round(1)
        array([2.4, 2.4])
    """
    factors = np.ones(len(levels))
    for k, level in enumerate(levels):
        used = np.abs(distance[:, k]) > 1e-12
        if level == 0.5 or not used.any():
            continue
        ratio = error[used] / distance[used, k]
        share = level if level > 0.5 else 1 - level
        # With few windows the sample's quantile is too low for the future's: go a rank further.
        share = min(1.0, share * (windows + 1) / windows)
        found = np.quantile(ratio, share, method="inverted_cdf")
        factors[k] = np.clip(found, NARROWEST, WIDEST)
    return factors
