"""Paths drawn patch by patch, each patch fed back before the next is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .direct import Answer, stretch_factors, stretched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor, nn


class Rollout:
    """Draw paths from a network whose head is a distribution, and take their quantiles.

    The network forecasts a whole horizon at every fork; of that, one patch is drawn, put behind
    what is known, and the recurrent layer moves on by it (ancestral sampling, as in DeepAR:
    Salinas et al. 2020, https://arxiv.org/abs/1704.04110). Steps of a path depend on each other,
    which sums and extremes over the horizon need. Intervals are calibrated as in `Direct`.

    Args:
        levels: Quantile levels, increasing.
        horizon: Steps ahead.
        mean: Whether the point forecast is the paths' mean rather than their median.
        paths: How many to draw.
        seed: Of the draws: the same history is answered alike each time.
    """

    def __init__(
        self,
        levels: Sequence[float],
        horizon: int,
        *,
        mean: bool = False,
        paths: int = 100,
        seed: int = 0,
    ) -> None:
        self.levels, self.horizon = tuple(levels), horizon
        self.mean, self.paths, self.seed = mean, paths, seed
        self.factors_ = torch.ones(len(self.levels), dtype=torch.float64)

    def __call__(self, network: nn.Module, batch: Any) -> Answer:
        """Forecast from the last fork of each window."""
        point, quantiles = self._summary(self.draw(network, batch))
        return Answer(point, stretched(point, quantiles - point[:, None], self.factors_.numpy()))

    def draw(self, network: nn.Module, batch: Any) -> np.ndarray:
        """Draw paths from the last fork of each window: model units, [batch, paths, horizon]."""
        members = list(getattr(network, "members", [network]))
        random = np.random.default_rng(self.seed)
        share = -(-self.paths // len(members))
        drawn = [self._member(member, batch, share, random) for member in members]
        return torch.cat(drawn, 1)[:, : self.paths].double().cpu().numpy()

    def _member(self, network: Any, batch: Any, paths: int, random: np.random.Generator) -> Tensor:
        shape = network.body.shape
        rows = torch.arange(len(batch.forks)).repeat_interleave(paths)
        out = network.run(replace(batch, last_only=True))
        one = _last_window(batch, shape.lookback, shape.horizon)
        state = type(out.state)(*(part[:, rows] for part in out.state))
        window = _rows(one, rows)
        point, params, spread = (t[:, 0][rows] for t in out[:3])
        pieces: list[Tensor] = []
        while True:
            path = network.head.sample(point, params, spread, window.unit, window.center, random)[
                ..., : shape.patch
            ]
            pieces.append(path)
            if len(pieces) * shape.patch >= self.horizon:
                return torch.cat(pieces, -1)[..., : self.horizon].unflatten(0, (-1, paths))
            window = _moved(window, path)
            out = network.run(window, state)
            state = out.state
            point, params, spread = (t[:, 0] for t in out[:3])

    def _summary(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        quantiles = np.moveaxis(np.quantile(drawn, list(self.levels), axis=1), 0, 1)
        return drawn.mean(1) if self.mean else np.median(drawn, axis=1), quantiles

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Learn the calibrating factors from the last fork of held-out windows."""
        errors, distances, windows = [], [], 0
        for batch in batches:
            point, quantiles = self._summary(self.draw(network, batch))
            keep = batch.weight[:, -1].numpy() > 0
            errors.append((batch.target[:, -1].double().numpy() - point)[keep])
            distances.append((quantiles - point[:, None]).swapaxes(1, 2)[keep])
            windows += int(keep.any(-1).sum())
        factors = stretch_factors(
            self.levels, np.concatenate(errors), np.concatenate(distances), windows
        )
        self.factors_ = torch.from_numpy(factors)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        return {"levels": list(self.levels)}, {"factors": self.factors_}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.factors_ = tensors["factors"]


def _last_window(batch: Any, lookback: int, horizon: int) -> Any:
    """The batch cut to the window of each row's last real fork."""
    patch = (batch.values.shape[1] - lookback) // max(1, batch.scale.shape[1] - 1)
    first = (batch.forks - 1) * patch
    at = first[:, None] + torch.arange(lookback)
    ahead = first[:, None] + torch.arange(lookback + horizon)
    rows = torch.arange(len(first))

    def cut(block: Tensor | None, places: Tensor) -> Tensor | None:
        return None if block is None else block[rows[:, None], places]

    return replace(
        batch,
        values=cut(batch.values, at),
        missing=cut(batch.missing, at),
        scale=batch.scale[rows, batch.forks - 1][:, None],
        volatility=batch.volatility[rows, batch.forks - 1][:, None],
        forks=torch.ones_like(batch.forks),
        past=cut(batch.past, at),
        known=cut(batch.known, ahead),
        target=None,
        weight=None,
        last_only=True,
    )


def _rows(batch: Any, rows: Tensor) -> Any:
    """These rows of every tensor, repeats allowed."""
    held = {name: value[rows] for name, value in vars(batch).items() if torch.is_tensor(value)}
    return replace(batch, **held)


def _moved(window: Any, path: Tensor) -> Any:
    """The window one patch later, the path behind what was known; covariates keep their last."""
    step = path.shape[-1]

    def later(block: Tensor | None) -> Tensor | None:
        if block is None:
            return None
        last = block[:, -1:].expand(-1, step, *block.shape[2:])
        return torch.cat([block[:, step:], last], 1)

    return replace(
        window,
        values=torch.cat([window.values[:, step:], path], 1),
        missing=torch.cat([window.missing[:, step:], torch.zeros_like(path)], 1),
        past=later(window.past),
        known=later(window.known),
    )
