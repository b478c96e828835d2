"""One cell over time, as a value: what an engine is asked to run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..compiler import Cell, quiet
from ..connectivity import Connectivity

NO_NOISE: Mapping[str, Tensor] = MappingProxyType({})


MEMORY = {
    "keep": "what the gates were",
    "recompute": "the outputs, and the state now and then: gates are computed again",
}
"""What may be kept of a forward pass for its gradients."""


class Call(NamedTuple):
    """One layer in one direction.

    Steps at or beyond a sequence's length leave its state unchanged and give zero output;
    what `x` holds there is never looked at.

    Attributes:
        cell: The equations of one step.
        connectivity: How the last state reaches the gates.
        x: Input, [batch, time, input].
        weights: `weight_ih`, `bias_ih`, `bias_hh`, the connectivity's and the cell's own, by name
            (`engines.parameters` gives names and shapes).
        state: One tensor for each of the cell's states, in its order, [batch, features].
        lengths: Steps of each sequence, [batch], on the device of `x`; nothing when all are full.
        reverse: Whether time runs from the last step to the first; outputs stay in the order of
            the input.
        noise: What the cell's `Noise` is at each time of `x`, [batch, time, hidden], by name, or
            [batch, 1, hidden] for all times. No gradient flows to it. What is not here has its
            value of evaluation, as a constant.
        memory: What an engine of its own gradients keeps for them: a key of `MEMORY`.
    """

    cell: Cell
    connectivity: Connectivity
    x: Tensor
    weights: Mapping[str, Tensor]
    state: tuple[Tensor, ...]
    lengths: Tensor | None = None
    reverse: bool = False
    noise: Mapping[str, Tensor] = NO_NOISE
    memory: str = "keep"

    def settled(self) -> Call:
        """The same call with each noise that is not given put into the equations as a constant."""
        if len(self.noise) == len(self.cell.noises):
            return self
        return self._replace(cell=quiet(self.cell, frozenset(self.noise)))

    def cast(self, dtype: torch.dtype) -> Call:
        """The same call in another type."""
        return self._replace(
            x=self.x.to(dtype),
            weights={name: weight.to(dtype) for name, weight in self.weights.items()},
            state=tuple(s.to(dtype) for s in self.state),
            noise={name: value.to(dtype) for name, value in self.noise.items()},
        )


# Outputs, [batch, time, output], and the state after each sequence's last step.
Result = tuple[Tensor, tuple[Tensor, ...]]


class Engine(Protocol):
    """Something that runs a cell over time, and says when it cannot."""

    name: str

    def why_not(self, call: Call) -> str | None:
        """Why this engine cannot run the call, as one clause; nothing if it can."""
        ...

    def run(self, call: Call) -> Result:
        """Run a call for which `why_not` has nothing to say; noise that is not given: `settled`."""
        ...
