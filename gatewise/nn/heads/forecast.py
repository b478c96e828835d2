"""What a network's raw numbers mean: quantiles around a point, or a distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

BLOCKS, FARTHEST_COUNT = 256, 20.0
"""Blocks that the probabilities of counts are added up in, as far as so many deviations."""

OutputKind = Literal["quantile", "student_t", "negative_binomial"]


class Head(Protocol):
    """Reads raw numbers beside a point forecast.

    `params` raw numbers come for each step ahead, [..., params, horizon]; `point` and `spread`
    are the network's forecast and the size of the recent movement, [..., horizon] and [...].
    `unit` and `center` lead from model units to the series' own, [...].
    """

    params: int

    def quantiles(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        levels: Sequence[float],
        unit: Tensor,
        center: Tensor,
    ) -> Tensor:
        """Quantiles in model units, [..., levels, horizon]."""
        ...


class QuantileHead(nn.Module):
    """Distances from the point forecast outwards, so that quantiles never cross.

    The point forecast is taken as it is (no gradient flows back to it): intervals do not
    trade the accuracy of the forecast that they surround.

    Args:
        levels: Quantile levels between 0 and 1, increasing; 0.5 is the point forecast itself.
        horizon: Steps ahead.

    Example:
        >>> head = QuantileHead((0.1, 0.5, 0.9), horizon=2)
        >>> point, params, spread = torch.zeros(2), torch.zeros(2, 2), torch.tensor(1.0)
        >>> q = head.quantiles(point, params, spread, head.levels)
        >>> bool((q[0] < q[1]).all() and (q[1] < q[2]).all())
        True
    """

    def __init__(self, levels: Sequence[float], horizon: int) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.below = [level for level in self.levels if level < 0.5][::-1]
        self.above = [level for level in self.levels if level > 0.5]
        self.params = len(self.below) + len(self.above)
        # softplus(-2) = 0.13: a tenth of the recent movement per step outwards to begin with.
        self.start = nn.Parameter(torch.full((self.params, horizon), -2.0))

    def quantiles(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        levels: Sequence[float],
        unit: Tensor | None = None,
        center: Tensor | None = None,
    ) -> Tensor:
        """Quantiles at the head's own levels, [..., levels, horizon]."""
        if tuple(levels) != self.levels:
            raise ValueError(f"this head was trained for the levels {self.levels}, not {levels}")
        point = point.detach()
        step = F.softplus(params + self.start) * spread[..., None, None]
        steps = step.unbind(-2)
        lower, upper = [point], [point]
        for outwards in steps[: len(self.below)]:
            lower.append(lower[-1] - outwards)
        for outwards in steps[len(self.below) :]:
            upper.append(upper[-1] + outwards)
        middle = [point] if 0.5 in self.levels else []
        return torch.stack([*lower[:0:-1], *middle, *upper[1:]], dim=-2)


class StudentTHead(nn.Module):
    """Student's t around the point forecast: heavy tails, one number of freedom per step ahead.

    Args:
        horizon: Steps ahead.
    """

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.params = 1
        self.start = nn.Parameter(torch.full((horizon,), -1.0))
        self.freedom_raw = nn.Parameter(torch.full((horizon,), 3.0))

    @property
    def freedom(self) -> Tensor:
        """Degrees of freedom, above 2 so that the variance exists, [horizon]."""
        return 2 + F.softplus(self.freedom_raw)

    def width(self, params: Tensor, spread: Tensor) -> Tensor:
        """Scale of the distribution in model units, [..., horizon]."""
        return (F.softplus(params.squeeze(-2) + self.start) + 1e-4) * spread.unsqueeze(-1)

    def log_prob(
        self,
        value: Tensor,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        unit: Tensor,
        center: Tensor,
    ) -> Tensor:
        """Log density of values in model units, [..., horizon]."""
        width, v = self.width(params, spread), self.freedom
        y = (value - point) / width
        normal = torch.lgamma((v + 1) / 2) - torch.lgamma(v / 2) - 0.5 * torch.log(v * math.pi)
        return normal - torch.log(width) - (v + 1) / 2 * torch.log1p(y.square() / v)

    def quantiles(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        levels: Sequence[float],
        unit: Tensor,
        center: Tensor,
    ) -> Tensor:
        """Quantiles in model units, [..., levels, horizon]."""
        width = self.width(params, spread)
        t = student_t_quantiles(levels, self.freedom.detach().cpu().numpy())
        return point.unsqueeze(-2) + width.unsqueeze(-2) * torch.from_numpy(t).to(point)

    def sample(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        unit: Tensor,
        center: Tensor,
        random: np.random.Generator,
    ) -> Tensor:
        """One draw for every step, model units, like `point`."""
        freedom = self.freedom.detach().cpu().numpy()
        draw = random.standard_t(np.broadcast_to(freedom, tuple(point.shape)))
        return point + self.width(params, spread) * torch.from_numpy(draw).to(point)


class NegativeBinomialHead(nn.Module):
    """Counts whose variance may exceed their mean.

    As in DeepAR (Salinas et al. 2020,
    https://doi.org/10.1016/j.ijforecast.2019.07.001).

    Args:
        horizon: Steps ahead.
    """

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.params = 1
        self.start = nn.Parameter(torch.full((horizon,), 1.0))

    def mean_and_shape(
        self, point: Tensor, params: Tensor, unit: Tensor, center: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean in counts and the shape r of the mixing gamma, both [..., horizon]."""
        counts = point * unit.unsqueeze(-1) + center.unsqueeze(-1)
        return F.softplus(counts) + 1e-4, F.softplus(params.squeeze(-2) + self.start) + 1e-3

    def log_prob(
        self,
        value: Tensor,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        unit: Tensor,
        center: Tensor,
    ) -> Tensor:
        """Log probability of values in model units, [..., horizon]."""
        mean, r = self.mean_and_shape(point, params, unit, center)
        k = (value * unit.unsqueeze(-1) + center.unsqueeze(-1)).round().clamp(min=0)
        choose = torch.lgamma(k + r) - torch.lgamma(r) - torch.lgamma(k + 1)
        both = torch.log(r + mean)
        return choose + r * (torch.log(r) - both) + k * (torch.log(mean) - both)

    def _draw(self, mean: np.ndarray, r: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return random.poisson(random.gamma(r, mean / r)).astype(np.float64)

    def quantiles(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        levels: Sequence[float],
        unit: Tensor,
        center: Tensor,
    ) -> Tensor:
        """Quantiles in model units, [..., levels, horizon]."""
        mean, r = self.mean_and_shape(point, params, unit, center)
        mean_, r_ = mean.detach().double().cpu().numpy(), r.detach().double().cpu().numpy()
        counts = negative_binomial_quantiles(levels, mean_.reshape(-1), r_.reshape(-1))
        z = torch.from_numpy(counts.reshape(len(levels), *mean_.shape)).to(point).movedim(0, -2)
        return (z - center[..., None, None]) / unit[..., None, None]

    def sample(
        self,
        point: Tensor,
        params: Tensor,
        spread: Tensor,
        unit: Tensor,
        center: Tensor,
        random: np.random.Generator,
    ) -> Tensor:
        """One draw for every step, model units, like `point`."""
        mean, r = self.mean_and_shape(point, params, unit, center)
        draw = self._draw(
            mean.detach().double().cpu().numpy(), r.detach().double().cpu().numpy(), random
        )
        return (torch.from_numpy(draw).to(point) - center.unsqueeze(-1)) / unit.unsqueeze(-1)


def student_t_quantiles(levels: Sequence[float], freedom: np.ndarray) -> np.ndarray:
    """Quantiles of Student's t by integrating its density, float64 [levels, len(freedom)].

    Good for four digits.

    Example:
        >>> student_t_quantiles((0.5, 0.975), np.array([5.0])).round(3)
        array([[0.   ],
               [2.571]])
    """
    # A grid that is fine at the middle and reaches far into the tails.
    x = np.sinh(np.linspace(0, 12, 6001))
    out = np.empty((len(levels), len(freedom)))
    for column, v in enumerate(np.asarray(freedom, np.float64)):
        log_norm = math.lgamma((v + 1) / 2) - math.lgamma(v / 2) - 0.5 * math.log(v * math.pi)
        density = np.exp(log_norm - (v + 1) / 2 * np.log1p(x * x / v))
        mass = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x))])
        for row, level in enumerate(levels):
            distance = np.interp(abs(level - 0.5), mass, x)
            out[row, column] = math.copysign(distance, level - 0.5) if level != 0.5 else 0.0
    return out


def negative_binomial_quantiles(
    levels: Sequence[float], mean: np.ndarray, shape: np.ndarray
) -> np.ndarray:
    """Quantiles of counts by adding up their probabilities, float64 [levels, len(mean)].

    Counts are added up one by one as far as they are small, and in blocks that grow from there.

    Args:
        levels: Between 0 and 1, increasing.
        mean: Above 0.
        shape: Of the gamma distribution that is mixed over, above 0, like `mean`.

    Example:
        >>> negative_binomial_quantiles((0.1, 0.5, 0.9), np.array([3.0]), np.array([2.0])).T
        array([[0., 2., 7.]])
    """
    deviation = np.sqrt(mean + mean * mean / shape)
    most = np.ceil(mean + FARTHEST_COUNT * deviation)
    place = np.arange(BLOCKS + 1, dtype=np.float64)
    first = np.maximum(place, np.floor(most[:, None] * (place / BLOCKS) ** 2))
    width = np.diff(first)
    first = first[:, :-1]
    k = torch.from_numpy(first + (width - 1) / 2)
    m, r = torch.from_numpy(mean)[:, None], torch.from_numpy(shape)[:, None]
    log_mass = torch.lgamma(k + r) - torch.lgamma(r) - torch.lgamma(k + 1)
    log_mass += r * torch.log(r / (r + m)) + k * torch.log(m / (r + m))
    upto = (log_mass.exp().numpy() * width).cumsum(1)
    upto /= np.maximum(upto[:, -1:], 1.0)
    out = np.empty((len(levels), len(mean)))
    rows = np.arange(len(mean))
    for row, level in enumerate(levels):
        block = np.minimum((upto < level).sum(1), BLOCKS - 1)
        before = np.where(block > 0, upto[rows, block - 1], 0.0)
        inside = (level - before) / np.maximum(upto[rows, block] - before, 1e-300)
        steps = np.ceil(np.clip(inside, 0, 1) * width[rows, block]) - 1
        out[row] = first[rows, block] + np.maximum(steps, 0)
    return out


def build_head(kind: OutputKind, levels: Sequence[float], horizon: int) -> nn.Module:
    """The head that a task asks for by name."""
    if kind == "quantile":
        return QuantileHead(levels, horizon)
    return StudentTHead(horizon) if kind == "student_t" else NegativeBinomialHead(horizon)
