"""A seasonal network and its head as one: windows to point forecasts and quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from ..heads.forecast import OutputKind, QuantileHead, build_head
from .seasonal import SeasonalNetwork, SeasonalOutput, SeasonalShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ..layers.encoder import Encoder


class ForecastOutput(NamedTuple):
    """What is forecast at each fork that was asked about, in model units.

    Args:
        point: [batch, forks, horizon].
        quantiles: [batch, forks, levels, horizon]; None where a likelihood is being trained.
        volatility: Mean change from season to season, [batch, forks].
        log_prob: Log likelihood of the target, [batch, forks, horizon]; None without a target
            or a likelihood.
    """

    point: Tensor
    quantiles: Tensor | None
    volatility: Tensor
    log_prob: Tensor | None


class ForecastNetwork(nn.Module):
    """Windows to forecasts.

    Args:
        encoder: The recurrent layer.
        shape: Sizes, but for the head's.
        base_logits: First trust in each simple forecast, [bases, horizon].
        linear: First linear map, [horizon, lookback + 1].
        kind: What is forecast around the point: quantiles or a distribution.
        levels: Quantile levels, increasing.
    """

    def __init__(
        self,
        encoder: Encoder,
        shape: SeasonalShape,
        base_logits: Tensor,
        linear: Tensor,
        kind: OutputKind,
        levels: Sequence[float],
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.head: Any = build_head(kind, levels, shape.horizon)
        self.body = SeasonalNetwork(
            encoder, shape._replace(params=self.head.params), base_logits, linear
        )

    def forward(self, batch: Any) -> ForecastOutput:
        """Forecast from every fork of a batch of windows, or from the last real one."""
        return self.read(self.run(batch), batch)

    def run(self, batch: Any, state: Any = None) -> SeasonalOutput:
        """Run the body on a batch."""
        # Where all windows are full, the recurrent layer needs no lengths and is faster.
        forks = batch.forks if bool((batch.forks < batch.scale.shape[1]).any()) else None
        out = self.body(
            batch.values,
            batch.missing,
            batch.scale,
            forks=forks,
            past=batch.past,
            known=batch.known,
            static=batch.static,
            state=state,
        )
        if not batch.last_only:
            return out
        rows, last = torch.arange(len(batch.forks), device=out.point.device), batch.forks - 1
        point, params, spread = (t[rows, last].unsqueeze(1) for t in out[:3])
        return SeasonalOutput(point, params, spread, out.state)

    def read(self, out: SeasonalOutput, batch: Any) -> ForecastOutput:
        """Let the head say what the body's numbers mean."""
        unit = batch.unit[:, None].expand_as(out.spread)
        center = batch.center[:, None].expand_as(out.spread)
        log_prob = None
        volatility = batch.volatility
        if batch.last_only:
            volatility = volatility.gather(1, batch.forks[:, None] - 1)
        if batch.target is not None and not isinstance(self.head, QuantileHead):
            log_prob = self.head.log_prob(
                batch.target, out.point, out.params, out.spread, unit, center
            )
            if self.training:
                return ForecastOutput(out.point, None, volatility, log_prob)
        quantiles = self.head.quantiles(
            out.point, out.params, out.spread, self.levels, unit, center
        )
        return ForecastOutput(out.point, quantiles, volatility, log_prob)


def combine(outputs: Sequence[ForecastOutput]) -> ForecastOutput:
    """Average members' forecasts, quantile by quantile; under a logarithm that is geometric."""

    def mean(parts: Sequence[Tensor | None]) -> Tensor | None:
        known = [p for p in parts if p is not None]
        return torch.stack(known).mean(0) if known else None

    point, quantiles, volatility, log_prob = (mean(parts) for parts in zip(*outputs, strict=True))
    assert point is not None
    assert volatility is not None
    return ForecastOutput(point, quantiles, volatility, log_prob)
