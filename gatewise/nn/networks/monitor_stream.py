"""A monitoring network one reading at a time: NumPy in and out, all memory laid out ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InputError
from .monitor import LEAST, MOST, NextValues

if TYPE_CHECKING:
    from .monitor import Reconstruction


class NextErrors:
    """`NextValues.errors` step by step, in microseconds.

    What was said of the next steps is kept by the step that it is about, so that a reading finds
    all of it in one place.

    Args:
        network: Its weights are taken as they are now.
    """

    def __init__(self, network: NextValues) -> None:
        h, c = network.horizon, network.channels
        self._layer = network.recurrent.stream()
        weight, bias = (p.numpy(force=True) for p in (network.head.weight, network.head.bias))
        used = 2 * h * c if network.by_sigma else h * c
        self._weight, self._bias = np.ascontiguousarray(weight[:used]), bias[:used].copy()
        self._said = np.empty(used, np.float32)
        self._scaled = network.by_sigma
        # For each step about which something is said: by how many steps before, and what.
        self._mean = np.zeros((h, h, c))
        self._unit = np.ones((h, h, c))
        ahead = np.arange(h)
        rows = [((k + 1 + ahead) % h) * h + ahead for k in range(h)]
        self._places = [(row[:, None] * c + np.arange(c)).ravel() for row in rows]
        self._means, self._units = self._mean.reshape(-1), self._unit.reshape(-1)
        self._said_exactly = np.empty(h * c)
        self._miss, self._error = np.empty((h, c)), np.empty(c)
        self._average = np.full(h, 1 / h)
        self._horizon, self._lead, self._steps, self._phase = h, network.lead, 0, 0

    def step(self, inputs: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Give a reading's errors, and take it in.

        Args:
            inputs: float32 [features].
            target: float64 [channels], NaN where missing.

        Returns:
            float64 [channels], NaN where there is none; overwritten by the next step.
        """
        h, phase = self._horizon, self._phase
        miss, error = self._miss, self._error
        np.subtract(self._mean[phase], target, out=miss)
        np.abs(miss, out=miss)
        if self._scaled:
            np.multiply(miss, self._unit[phase], out=miss)
        np.dot(self._average, miss, out=error)
        if self._steps < self._lead:
            error.fill(np.nan)
        said = self._said
        np.dot(self._weight, self._layer.step(inputs), out=said)
        np.add(said, self._bias, out=said)
        exactly = self._said_exactly
        exactly[...] = said[: len(exactly)]
        self._means[self._places[phase]] = exactly
        if self._scaled:
            sigma = np.clip(said[len(exactly) :], LEAST, MOST)
            self._units[self._places[phase]] = np.exp(-sigma.astype(np.float64))
        self._phase = phase + 1 if phase + 1 < h else 0
        self._steps += 1
        return error

    def snapshot(self) -> Any:
        """A copy of all that changes from step to step."""
        return self._layer.state, self._mean.copy(), self._unit.copy(), self._steps, self._phase

    def restore(self, kept: Any) -> None:
        """Go on from a snapshot."""
        state, mean, unit, self._steps, self._phase = kept
        self._layer.reset(state)
        self._mean[...], self._unit[...] = mean, unit


class CarriedErrors:
    """Any monitoring network's `errors` step by step, through torch; slower.

    Args:
        network: In evaluation mode.
    """

    def __init__(self, network: NextValues | Reconstruction) -> None:
        self._network, self._carry = network, None

    def step(self, inputs: np.ndarray, target: np.ndarray) -> np.ndarray:
        """As `NextErrors.step`."""
        with torch.no_grad():
            device = next(self._network.parameters()).device
            row = torch.from_numpy(inputs.copy()).to(device)[None]
            came = torch.from_numpy(target.copy()).to(device)[None]
            errors, self._carry = self._network.errors(row, came, self._carry)
        return errors[0].cpu().numpy()

    def snapshot(self) -> Any:
        """What the next step needs; nothing writes to it."""
        return self._carry

    def restore(self, kept: Any) -> None:
        """Go on from a snapshot."""
        self._carry = kept


def stepped(network: Any) -> NextErrors | CarriedErrors:
    """What runs a network step by step: the fast way where its layer has one."""
    if isinstance(network, NextValues):
        try:
            return NextErrors(network)
        except InputError:
            return CarriedErrors(network)
    return CarriedErrors(network)
