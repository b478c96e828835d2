"""From measures of an answer to the chance that it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..evaluation.descent import minimum

_RIDGE = 1e-2


class Confidence:
    """Logistic regression on a few measures, each of which may only speak for the answer.

    Platt, Probabilistic outputs for support vector machines, 1999; with weights that are not
    negative, so that no measure turns its meaning round on what little is held out.

    Args:
        names: Of the measures, in order.

    Attributes:
        counted: Answers it was fitted on, and how many of them were right; zeros before.

    Example:
        >>> measures = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> confidence = Confidence(("match",)).fit(measures, [False, False, True, True])
        >>> confidence(measures).round(1).tolist()
        [0.0, 0.2, 0.8, 1.0]
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.mean, self.unit = np.zeros(len(names)), np.ones(len(names))
        self.weights = np.ones(len(names) + 1)
        self.counted = (0, 0)

    def fit(self, measures: Any, right: Sequence[bool]) -> Confidence:
        """Learn from answers that are known to be right or wrong.

        Args:
            measures: [answers, measures].
            right: One each.
        """
        measures = np.asarray(measures, np.float64)
        self.mean, spread = measures.mean(0), measures.std(0)
        self.unit = np.where(spread > 1e-9, spread, 1.0)
        self.counted = (len(right), int(sum(right)))
        scaled = np.concatenate([self._scaled(measures), np.ones((len(measures), 1))], 1)
        self.weights = _fitted(scaled, np.asarray(right, np.float64))
        return self

    def __call__(self, measures: Any) -> np.ndarray:
        """Chance of each answer to be right, [answers].

        Args:
            measures: [answers, measures].
        """
        scaled = self._scaled(np.asarray(measures, np.float64))
        return 1 / (1 + np.exp(-np.clip(scaled @ self.weights[:-1] + self.weights[-1], -30, 30)))

    def state(self) -> dict[str, Any]:
        """All that was learned, as JSON can hold it."""
        arrays = {"mean": self.mean, "unit": self.unit, "weights": self.weights}
        return {
            "counted": list(self.counted),
            **{name: value.tolist() for name, value in arrays.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self.mean, self.unit, self.weights = (
            np.array(state[name]) for name in ("mean", "unit", "weights")
        )
        self.counted = (state["counted"][0], state["counted"][1])

    def _scaled(self, measures: np.ndarray) -> np.ndarray:
        return (measures - self.mean) / self.unit


def _fitted(x: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Weights of the logistic regression; a measure whose weight were negative is left out."""
    used = np.ones(x.shape[1], bool)
    while True:
        part = x[:, used]

        def cost(w: np.ndarray, part: np.ndarray = part) -> tuple[float, np.ndarray]:
            logit = part @ w
            value = np.logaddexp(0, logit).mean() - (right * logit).mean()
            slope = part.T @ (1 / (1 + np.exp(-logit)) - right) / len(right)
            return float(value + _RIDGE * (w @ w) / 2), slope + _RIDGE * w

        weights = np.zeros(x.shape[1])
        weights[used] = minimum(cost, np.zeros(part.shape[1]))
        negative = np.flatnonzero(weights[:-1] < 0)
        if not len(negative):
            return weights
        used[negative[weights[negative].argmin()]] = False
