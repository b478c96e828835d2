"""What a sceptic tries first on sequences with labels: the most common one, and a linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .descent import minimum

PENALTY = 1.0
"""Weight of half the squared weights in a linear model's loss, summed over the examples."""


class Features(Protocol):
    """A fixed number of features of a sequence, learned or not."""

    name: str

    @property
    def size(self) -> int:
        """How many."""
        ...

    def fit(self, parts: Sequence[np.ndarray]) -> None:
        """Learn what there is to learn."""
        ...

    def times(self, parts: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """Features times weights [size, outputs]; [sequences, outputs]."""
        ...

    def back(self, parts: Sequence[np.ndarray], errors: np.ndarray) -> np.ndarray:
        """Features, transposed, times errors [sequences, outputs]; [size, outputs]."""
        ...

    def trust(self, parts: Sequence[np.ndarray], truth: np.ndarray) -> np.ndarray:
        """How far each weight may go, [size, outputs], for classes `truth` [sequences, outputs]."""
        ...


class FromBags:
    """Which tokens and pairs of neighbours a text holds, whatever their number.

    Weights are trusted by how the counts of their feature differ between classes, which makes a
    linear model hard to beat on short texts: Wang & Manning 2012,
    https://aclanthology.org/P12-2018.

    Args:
        vocabulary: Tokens there are.
        pairs: Numbers of the pairs that are known, sorted; `fit` learns them.
    """

    name = "bag of words"

    def __init__(self, vocabulary: int, pairs: np.ndarray | None = None) -> None:
        self.vocabulary = vocabulary
        self.pairs = np.empty(0, np.int64) if pairs is None else pairs
        self._of: Any = None

    @property
    def size(self) -> int:
        """Tokens and pairs."""
        return self.vocabulary + len(self.pairs)

    def fit(self, parts: Sequence[np.ndarray]) -> None:
        """Learn the pairs that at least two texts hold."""
        found = [np.unique(self._paired(part)) for part in parts]
        pairs, counts = np.unique(np.concatenate(found), return_counts=True)
        self.pairs, self._of = pairs[counts > 1], None

    def trust(self, parts: Sequence[np.ndarray], truth: np.ndarray) -> np.ndarray:
        """Log ratios of the shares that a feature has in a class and outside."""
        inside, outside = self.back(parts, truth) + 1, self.back(parts, 1 - truth) + 1
        return np.log(inside / inside.sum(0)) - np.log(outside / outside.sum(0))

    def _paired(self, part: np.ndarray) -> np.ndarray:
        return part[:-1] * self.vocabulary + part[1:]

    def _features(self, part: np.ndarray) -> np.ndarray:
        keys = np.unique(self._paired(part))
        at = np.searchsorted(self.pairs, keys)
        known = at < len(self.pairs)
        known[known] = self.pairs[at[known]] == keys[known]
        return np.concatenate([np.unique(part), self.vocabulary + at[known]])

    def times(self, parts: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """Sum up the rows of the tokens that are there."""
        tokens, starts, rows = self._looked(parts)
        found = np.zeros((len(parts), weights.shape[1]))
        if len(tokens):
            found[rows] = np.add.reduceat(weights[tokens], starts, axis=0)
        return found

    def back(self, parts: Sequence[np.ndarray], errors: np.ndarray) -> np.ndarray:
        """Sum up the errors of the texts that hold each token."""
        tokens, starts, rows = self._looked(parts)
        sizes = np.diff(np.append(starts, len(tokens)))
        order, firsts, present = self._by_token(tokens)
        found = np.zeros((self.size, errors.shape[1]))
        if len(tokens):
            spread = np.repeat(errors[rows], sizes, axis=0)[order]
            found[present] = np.add.reduceat(spread, firsts, axis=0)
        return found

    def _looked(self, parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens of all texts, where each text begins, and which texts have any."""
        if self._of is not parts:
            distinct = [self._features(part) for part in parts]
            sizes = np.array([len(d) for d in distinct], dtype=np.int64)
            rows = np.flatnonzero(sizes)
            tokens = np.concatenate(distinct) if distinct else np.empty(0, np.int64)
            starts = (np.cumsum(sizes) - sizes)[rows]
            self._of, self._held = parts, (tokens, starts, rows)
            self._order = None
        return self._held

    def _by_token(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self._order is None:
            order = np.argsort(tokens, kind="stable")
            present, firsts = np.unique(tokens[order], return_index=True)
            self._order = (order, firsts, present)
        return self._order


class FromMoments:
    """Mean and deviation of each feature over a sequence, and the sequence's length."""

    name = "mean and variance"

    def __init__(self) -> None:
        self.size = 0
        self.center = self.unit = np.empty(0)
        self._of: Any = None

    def fit(self, parts: Sequence[np.ndarray]) -> None:
        """Learn their scale."""
        raw = _moments(parts)
        self.size = raw.shape[1]
        self.center, self.unit = raw.mean(0), raw.std(0)
        self.unit[self.unit <= 1e-8] = 1.0

    def trust(self, parts: Sequence[np.ndarray], truth: np.ndarray) -> np.ndarray:
        """All weights alike."""
        return np.ones((self.size, truth.shape[1]))

    def times(self, parts: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
        """Scaled moments times weights."""
        return self._scaled(parts) @ weights

    def back(self, parts: Sequence[np.ndarray], errors: np.ndarray) -> np.ndarray:
        """Scaled moments, transposed, times errors."""
        return self._scaled(parts).T @ errors

    def _scaled(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        if self._of is not parts:
            self._of, self._held = parts, (_moments(parts) - self.center) / self.unit
        return self._held


def _moments(parts: Sequence[np.ndarray]) -> np.ndarray:
    rows = [np.concatenate([p.mean(0), p.std(0), [np.log1p(len(p))]]) for p in parts]
    return np.array(rows, dtype=np.float64)


@dataclass
class Baselines:
    """Fitted baselines.

    Args:
        look: Features of the linear model.
        weights: Of the linear model, [size, outputs].
        bias: [outputs].
        constant: What the simplest one says of every sequence: shares of classes, or one number.
    """

    look: Any
    weights: np.ndarray
    bias: np.ndarray
    constant: np.ndarray

    def linear(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Raw numbers of the linear model, [sequences, outputs]."""
        return self.look.times(parts, self.weights) + self.bias

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Settings that JSON can hold, and arrays."""
        arrays = {"weights": self.weights, "bias": self.bias, "constant": self.constant}
        if isinstance(self.look, FromMoments):
            arrays |= {"center": self.look.center, "unit": self.look.unit}
            return {"features": self.look.name, "size": self.look.size}, arrays
        arrays |= {"pairs": self.look.pairs}
        return {"features": self.look.name, "size": self.look.vocabulary}, arrays

    @classmethod
    def restored(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Baselines:
        """Take back what `state` gave."""
        if settings["features"] == FromBags.name:
            look: Any = FromBags(settings["size"], arrays["pairs"])
        else:
            look = FromMoments()
            look.size = settings["size"]
            look.center, look.unit = arrays["center"], arrays["unit"]
        return cls(look, arrays["weights"], arrays["bias"], arrays["constant"])


def class_baselines(
    look: Features, parts: Sequence[np.ndarray], labels: np.ndarray, classes: int
) -> Baselines:
    """Fit multinomial logistic regression.

    Args:
        look: What it sees of a sequence.
        parts: Sequences, [steps, features] or [tokens].
        labels: int64 [sequences].
        classes: How many there are.

    Example:
        >>> parts = [np.array([4, 5]), np.array([6]), np.array([5, 4]), np.array([6, 7])]
        >>> fitted = class_baselines(FromBags(8), parts, np.array([0, 1, 0, 1]), 2)
        >>> fitted.linear(parts).argmax(1).tolist()
        [0, 1, 0, 1]
    """
    look.fit(parts)
    truth = np.eye(classes)[labels]

    def errors(raw: np.ndarray) -> tuple[float, np.ndarray]:
        shifted = raw - raw.max(1, keepdims=True)
        total = np.exp(shifted).sum(1, keepdims=True)
        loss = float((np.log(total) - (shifted * truth).sum(1, keepdims=True)).sum())
        return loss, np.exp(shifted) / total - truth

    constant = truth.mean(0)
    weights, bias = _fit_linear(look, parts, look.trust(parts, truth), errors)
    return Baselines(look, weights, bias, constant)


def measure_baselines(
    look: Features, parts: Sequence[np.ndarray], answers: np.ndarray
) -> Baselines:
    """Fit ridge regression.

    Args:
        look: What it sees of a sequence.
        parts: Sequences, [steps, features] or [tokens].
        answers: float32 [sequences], about in units of their deviation.
    """
    look.fit(parts)

    def errors(raw: np.ndarray) -> tuple[float, np.ndarray]:
        error = raw - answers[:, None]
        return 0.5 * float((error**2).sum()), error

    weights, bias = _fit_linear(look, parts, np.ones((look.size, 1)), errors)
    return Baselines(look, weights, bias, np.median(answers, keepdims=True).astype(np.float64))


def _fit_linear(
    look: Features, parts: Sequence[np.ndarray], trust: np.ndarray, errors: Any
) -> tuple[np.ndarray, np.ndarray]:
    def function(point: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = point[:-1], point[-1]
        loss, error = errors(look.times(parts, trust * weights) + bias)
        slope = trust * look.back(parts, error) + PENALTY * weights
        scale = 1 / len(parts)
        value = (loss + 0.5 * PENALTY * float((weights**2).sum())) * scale
        return value, np.concatenate([slope, error.sum(0, keepdims=True)]) * scale

    found = minimum(function, np.zeros((look.size + 1, trust.shape[1])))
    return trust * found[:-1], found[-1]
