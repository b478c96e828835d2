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
        center = point.double().unsqueeze(-2)
        factors = self.factors_.to(center.device)[:, None]
        wide = center + factors * (quantiles.double() - center)
        # One factor a level could make neighbours cross.
        wide = wide.sort(dim=-2).values
        return Answer(point.double().cpu().numpy(), wide.cpu().numpy())

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
        factors = [
            self._factor(level, error, distance[:, k], windows)
            for k, level in enumerate(self.levels)
        ]
        self.factors_ = torch.tensor(factors, dtype=torch.float64)

    def _factor(self, level: float, error: np.ndarray, distance: np.ndarray, windows: int) -> float:
        used = np.abs(distance) > 1e-12
        if level == 0.5 or not used.any():
            return 1.0
        ratio = error[used] / distance[used]
        share = level if level > 0.5 else 1 - level
        # With few windows the sample's quantile is too low for the future's: go a rank further.
        share = min(1.0, share * (windows + 1) / windows)
        return float(np.clip(np.quantile(ratio, share, method="higher"), NARROWEST, WIDEST))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        return {"levels": list(self.levels)}, {"factors": self.factors_}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.factors_ = tensors["factors"]
