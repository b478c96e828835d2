"""From a network's numbers to probabilities of classes, and to quantiles of a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

COOLEST, WARMEST = 0.05, 20.0
"""Bounds of the temperature."""

TRUST = 0.5
"""Deviation of the temperature's logarithm that is expected before anything is seen."""


SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
"""Of what a linear model says beside the network, as tried."""

MIXES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Of a linear model's number in the median, as tried."""


class Probabilities:
    """Softmax of logits over a temperature, which is learned on what is held out.

    Guo et al. 2017, On calibration of modern neural networks, https://arxiv.org/abs/1706.04599.
    Where few are held out, the temperature stays near 1. How much a linear model beside the
    network has to say is learned in the same way, and is the network's `share` from then on.
    """

    def __init__(self) -> None:
        self.temperature_ = 1.0

    def __call__(self, network: nn.Module, batch: Any) -> np.ndarray:
        """Probabilities of a batch, float64 [batch, classes]."""
        return softmax(network(batch).double().cpu().numpy() / self.temperature_)

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Find the share and the temperature with the least log loss."""
        set_share(network, 0.0)
        logits, labels, wide = [], [], []
        for batch in batches:
            logits.append(network(batch).double().cpu())
            labels.append(batch.labels.cpu())
            wide.append(batch.wide)
        known = torch.cat(labels) >= 0
        if not known.any():
            return
        raw, truth = torch.cat(logits)[known].numpy(), torch.cat(labels)[known].numpy()
        beside = None if wide[0] is None else torch.cat(wide).double().cpu()[known].numpy()
        tried = {}
        for share in SHARES if beside is not None else (0.0,):
            mixed = raw if beside is None else raw + share * beside
            warmth = temperature(mixed, truth)
            tried[share] = (log_loss(mixed / warmth, truth) + 0.5 * share**2, warmth)
        share = min(tried, key=lambda s: tried[s][0])
        self.temperature_ = tried[share][1]
        set_share(network, share)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        return {"temperature": self.temperature_}, {}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.temperature_ = float(settings["temperature"])


class Quantiles:
    """Quantiles in order, each shifted such that the wanted share of held-out answers is below.

    Split conformal prediction: Romano, Patterson & Candès 2019,
    https://arxiv.org/abs/1905.03222. The median is left alone. How much a linear model beside the
    network has to say is learned before that, and is the network's `share` from then on.

    Args:
        levels: Between 0 and 1, increasing, 0.5 among them.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.shifts_ = np.zeros(len(self.levels))

    def __call__(self, network: nn.Module, batch: Any) -> np.ndarray:
        """Quantiles of a batch, in units of the answers' deviation, float64 [batch, levels]."""
        raw = ordered(network(batch).double().cpu().numpy(), self.levels)
        # Neighbours' shifts differ, and could make them cross.
        return ordered(raw + self.shifts_, self.levels)

    def fit(self, network: nn.Module, batches: Iterable[Any]) -> None:
        """Find the share with the least pinball loss, and the shifts."""
        batches = list(batches)
        answers = torch.cat([batch.labels for batch in batches]).double().cpu().numpy()[:, None]
        levels, tried = np.array(self.levels), {}
        for share in MIXES if batches[0].wide is not None else (0.0,):
            set_share(network, share)
            raw = np.concatenate([network(batch).double().cpu().numpy() for batch in batches])
            errors = answers - ordered(raw, self.levels)
            tried[share] = (np.maximum(levels * errors, (levels - 1) * errors).mean(), errors)
        share = min(tried, key=lambda s: tried[s][0])
        set_share(network, share)
        self.shifts_ = conformal_shifts(self.levels, tried[share][1])

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """All that was learned."""
        return {"shifts": self.shifts_.tolist()}, {}

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.shifts_ = np.array(settings["shifts"])


def ordered(quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles that do not cross; the median stays what it is.

    Args:
        quantiles: [..., levels].
        levels: Increasing, 0.5 among them.

    Example:
        >>> ordered(np.array([4.0, 3.0, 2.0]), (0.1, 0.5, 0.9)).tolist()
        [3.0, 3.0, 3.0]
    """
    middle = list(levels).index(0.5)
    below = np.minimum.accumulate(quantiles[..., middle::-1], -1)[..., ::-1]
    above = np.maximum.accumulate(quantiles[..., middle:], -1)
    return np.concatenate([below, above[..., 1:]], -1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, over the last axis.

    Example:
        >>> softmax(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Find what logits have to be divided by for the least log loss, by golden section.

    Args:
        logits: float64 [examples, classes].
        labels: int64 [examples].

    Example:
        >>> sure = np.tile([[8.0, 0.0]], (400, 1))
        >>> found = temperature(sure, np.arange(400) % 10 // 9)
        >>> round(float(softmax(sure[:1] / found)[0, 0]), 1)
        0.9
    """

    def loss(log_t: float) -> float:
        return log_loss(logits / np.exp(log_t), labels) + 0.5 * (log_t / TRUST) ** 2

    low, high = np.log(COOLEST), np.log(WARMEST)
    golden = (5**0.5 - 1) / 2
    for _ in range(60):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Sum of the negative logarithms of the labels' probabilities.

    Args:
        logits: float64 [examples, classes].
        labels: int64 [examples].
    """
    raised = logits - logits.max(1, keepdims=True)
    own = raised[np.arange(len(labels)), labels]
    return float((np.log(np.exp(raised).sum(1)) - own).sum())


def set_share(network: Any, share: float) -> None:
    """Set the weight of the linear model beside a network, or beside each member of several."""
    for part in getattr(network, "modules", tuple)():
        if isinstance(held := getattr(part, "share", None), torch.Tensor):
            held.fill_(share)


def conformal_shifts(levels: Sequence[float], errors: np.ndarray) -> np.ndarray:
    """Shifts after which the wanted share of held-out answers lies below each quantile.

    Args:
        levels: Of the quantiles.
        errors: Answers less quantiles, [examples, levels].

    Returns:
        float64 [levels]; 0 for the median, and where too few are held out to tell.

    Example:
        >>> conformal_shifts((0.5, 0.9), np.tile(np.arange(99.0)[:, None], 2)).tolist()
        [0.0, 89.0]
    """
    count = len(errors)
    shifts = np.zeros(len(levels))
    for k, level in enumerate(levels):
        share = max(level, 1 - level)
        rank = int(np.ceil(round(share * (count + 1), 9)))
        if level == 0.5 or rank > count:
            continue
        ranked = np.sort(errors[:, k])
        shifts[k] = ranked[rank - 1] if level > 0.5 else ranked[count - rank]
    return shifts
