"""Where a forecaster's network begins: how simple forecasts err, and the best linear map."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from ...nn.networks.seasonal import SeasonalShape, look, simple_forecasts

if TYPE_CHECKING:
    from torch import Tensor

    from .sets import Crops, WindowBatch

MOST_CROPS = 2048
"""Windows looked at; they overlap, and more of them change no figure."""

RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
"""Strengths of the ridge that are tried, relative to the mean square of the inputs."""

FARTHEST = 5.0
"""Targets are cut at so many window deviations: one outlier should not steer the start."""

SHARPNESS = 4.0
"""Trust in a simple forecast falls with this power of its error."""


class Opening(NamedTuple):
    """What the training part says before anything is trained.

    Args:
        base_errors: Scaled absolute error of each simple forecast, [bases, horizon].
        log_error: Absolute error in model units of the best of them.
        linear: Map from a view of the past, and a constant, to what the trusted mix of simple
            forecasts leaves over, [horizon, lookback + 1].
    """

    base_errors: Tensor
    log_error: float
    linear: Tensor

    @property
    def logits(self) -> Tensor:
        """Trust in each simple forecast at first, before the softmax, [bases, horizon]."""
        mean = self.base_errors.mean(0).clamp(min=1e-9)
        return -SHARPNESS * torch.log(self.base_errors / mean + 1e-6)


def opening(train: Crops, shape: SeasonalShape, log: bool) -> Opening:
    """Judge simple forecasts and fit a ridge regression beside them, on the training windows.

    Args:
        train: Windows to fit on.
        shape: Sizes of the network.
        log: Whether model units are logarithms.
    """
    generator = torch.Generator().manual_seed(0)
    shown = torch.randint(len(train), (min(len(train), MOST_CROPS),), generator=generator)
    sums: list[Tensor] = []
    views, targets = [], []
    for part in shown.split(128):
        batch: WindowBatch = train.batch(part)
        assert batch.target is not None
        assert batch.weight is not None
        unit = batch.scale.unsqueeze(-1)
        view, gone, level, spread = look(shape, batch.values, batch.missing, unit)
        z = simple_forecasts(shape, view) * unit.unsqueeze(-1) + level.unsqueeze(-1)
        target, weight = batch.target.unsqueeze(-2), batch.weight.unsqueeze(-2)
        log_error = (z - target).abs()
        error = (z.exp() - target.exp()).abs() if log else log_error
        error = error * batch.loss_scale[:, None, None, None]
        sums.append(torch.stack([(e * weight).sum((0, 1)) for e in (error, log_error)]))
        sums[-1] = torch.cat([sums[-1], weight.sum((0, 1)).expand_as(sums[-1][:1])])
        # Windows that begin before their series, or have gaps, teach no linear map.
        whole = (gone.mean(-1) == 0) & (batch.weight.min(-1).values > 0) & (spread[..., 0] > 1e-6)
        size = spread[whole]
        views.append(view[whole] / size)
        ahead = ((batch.target - level) / unit)[whole] / size
        targets.append(ahead.clamp(-FARTHEST, FARTHEST))
    error, log_error, count = torch.stack(sums).sum(0)
    errors = error / count.clamp(min=1)
    log_mean = float((log_error / count.clamp(min=1)).mean(-1).min().clamp(min=1e-6))
    blank = Opening(errors, log_mean, torch.zeros(shape.horizon, shape.lookback + 1))
    mixed = torch.softmax(blank.logits, 0)
    return blank._replace(linear=_ridge(shape, torch.cat(views), torch.cat(targets), mixed))


def _ridge(shape: SeasonalShape, view: Tensor, target: Tensor, mix: Tensor) -> Tensor:
    """Map from views to what the mix leaves over; zero where too few views are whole."""
    rows, steps = view.shape
    if rows < 4 * steps:
        return torch.zeros(shape.horizon, steps + 1)
    rest = target - (mix * simple_forecasts(shape, view)).sum(-2)
    x = torch.cat([view, view.new_ones(rows, 1)], 1).double()
    y = rest.double()
    held = torch.arange(rows) % 5 == 4
    unit = x.square().mean()
    eye = torch.eye(steps + 1, dtype=torch.float64)

    def solve(x: Tensor, y: Tensor, strength: float) -> Tensor:
        return torch.linalg.solve(x.T @ x / len(x) + strength * unit * eye, x.T @ y / len(x))

    def miss(weights: Tensor) -> float:
        return float((x[held] @ weights - y[held]).abs().mean())

    tried = {s: miss(solve(x[~held], y[~held], s)) for s in RIDGES}
    best = min(tried, key=lambda s: tried[s])
    if tried[best] >= float(y[held].abs().mean()):
        return torch.zeros(shape.horizon, steps + 1)
    return solve(x, y, best).T.float().contiguous()
