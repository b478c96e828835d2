"""What a forecast costs: errors on the scale of the metrics, quantiles, or a likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from .pinball import pinball

if TYPE_CHECKING:
    from torch import Tensor

Point = Literal["median", "mean"]

_MOST = 12.0
"""The largest logarithm that counts as such."""


@dataclass(frozen=True)
class ForecastLoss:
    """Error of the point forecast and of the quantiles, in units of what simple forecasts reach.

    For the median: the absolute error over each series' seasonal naive error (MASE) and, where
    the network works on logarithms, the absolute relative error (sMAPE) beside it, each divided
    by what the best simple forecast reaches on the training part, so that neither metric rules.
    For the mean: the squared error in the same units. Around the point: the pinball loss.

    Args:
        levels: Quantile levels; 0.5 is the point and costs nothing here.
        point: Which point forecast is trained.
        log: Whether model units are logarithms.
        base_error: Scaled absolute error of the best simple forecast.
        log_error: Its error in model units.
        quantile_weight: Of the pinball loss beside the point's.
    """

    levels: tuple[float, ...]
    point: Point = "median"
    log: bool = False
    base_error: float = 1.0
    log_error: float = 1.0
    quantile_weight: float = 0.3

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean loss over the targets that count."""
        weight, target = batch.weight, batch.target
        count = weight.sum().clamp(min=1)
        scale = batch.loss_scale[:, None, None]
        error = output.point - target
        scaled = (self._plain(output.point) - self._plain(target)) * scale
        if self.point == "mean":
            loss = (scaled.square() * weight).sum() / count / self.base_error**2
        else:
            loss = (scaled.abs() * weight).sum() / count / self.base_error
            if self.log:
                loss = loss + (error.abs() * weight).sum() / count / self.log_error
        return loss + self.quantile_weight * self._pinball(output, target, weight, scale) / count

    def _plain(self, z: Tensor) -> Tensor:
        if not self.log:
            return z
        # exp of what no series reaches would drown the batch in one wild first guess.
        wild = not z.is_cpu or bool(z.detach().amax() > _MOST)
        return torch.exp(z.clamp(max=_MOST) if wild else z)

    def _pinball(self, output: Any, target: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        # The median is the point, which has a loss of its own.
        levels = [level if level != 0.5 else None for level in self.levels]
        count = sum(level is not None for level in levels)
        if not count:
            return target.new_zeros(())
        quantiles, plain = self._plain(output.quantiles), self._plain(target)
        return 4 * pinball(quantiles, plain, weight * scale, levels) / count / self.base_error


@dataclass(frozen=True)
class Likelihood:
    """Negative log likelihood of what came, in nats per step."""

    def __call__(self, output: Any, batch: Any) -> Tensor:
        """Mean over the targets that count."""
        return -(output.log_prob * batch.weight).sum() / batch.weight.sum().clamp(min=1)
