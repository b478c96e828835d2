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


class Answer(NamedTuple):
    """Forecasts of a batch in model units.

    Args:
        point: float64 [batch, horizon].
        quantiles: float64 [batch, levels, horizon], increasing over levels.
    """

    point: np.ndarray
    quantiles: np.ndarray


class Direct:
    """Ask the network once; stretch its quantiles about the point by calibrated factors.

    Calibration is split conformal (Vovk, Gammerman & Shafer 2005; Romano, Patterson & Candès
    2019, https://arxiv.org/abs/1905.03222) on the ratio of the error to the distance between
    quantile and point: one factor per level, such that the wanted share of held-out values
    falls on the right side.

    Args:
        levels: Quantile levels, increasing.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.factors_ = torch.ones(len(self.levels), dtype=torch.float64)

    def __call__(self, network: nn.Module, batch: Any) -> Answer:
        """Forecast from the last fork of each window."""
        output = network(batch)
        return self.calibrated(output.point[:, -1], output.quantiles[:, -1])

    def calibrated(self, point: Tensor, quantiles: Tensor) -> Answer:
        """Stretch quantiles [..., levels, horizon] about the point [..., horizon]."""
        center = point.double().cpu().numpy()
        wide = stretched(center, quantiles.double().cpu().numpy(), self.factors_.numpy())
        return Answer(center, wide)

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Learn the factors from held-out windows."""
        errors, distances = [], []
        windows = 0
        for batch in batches:
            output = network(batch)
            keep = batch.weight > 0
            error = batch.target - output.point
            distance = output.quantiles - output.point.unsqueeze(-2)
            errors.append(error[keep].double().cpu())
            distances.append(distance.transpose(-1, -2)[keep].double().cpu())
            windows += int(keep.any(-1).sum())
        error, distance = torch.cat(errors).numpy(), torch.cat(distances).numpy()
        self.factors_ = torch.from_numpy(stretch_factors(self.levels, error, distance, windows))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        return {"levels": list(self.levels)}, {"factors": self.factors_}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.factors_ = tensors["factors"]


def stretched(point: np.ndarray, quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Move quantiles [..., levels, horizon] away from the point by a factor per level."""
    center = point[..., None, :]
    # One factor a level could make neighbours cross.
    return np.sort(center + factors[:, None] * (quantiles - center), axis=-2)


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
        found = np.quantile(ratio, share, method="higher")
        factors[k] = np.clip(found, NARROWEST, WIDEST)
    return factors
