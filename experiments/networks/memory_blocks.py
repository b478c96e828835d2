"""The network of 1997: memory blocks without a forget gate, and its truncated gradient."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BIASES = ("all", "gates", "none")


@dataclass(frozen=True)
class Wiring:
    """How many of what, and which units have a bias.

    Attributes:
        inputs: Input units.
        blocks: Memory blocks; each has one input gate and one output gate.
        size: Memory cells of each block, which share its gates.
        outputs: Logistic output units, which see the cells alone.
        bias: Hidden units with a bias: `"all"`, `"gates"` or `"none"`.
        output_bias: Whether the output units have one.

    Example:
        >>> Wiring(2, 2, 2, 1).weights, Wiring(8, 2, 2, 4).weights  # adding, temporal order
        (93, 156)
    """

    inputs: int
    blocks: int
    size: int
    outputs: int
    bias: str = "all"
    output_bias: bool = True

    @property
    def cells(self) -> int:
        """Memory cells."""
        return self.blocks * self.size

    @property
    def units(self) -> int:
        """Hidden units: input gates, output gates, cells, in this order."""
        return 2 * self.blocks + self.cells

    @property
    def biases(self) -> int:
        """Hidden units that have a bias; the gates come first."""
        return {"all": self.units, "gates": 2 * self.blocks, "none": 0}[self.bias]

    @property
    def weights(self) -> int:
        """All weights that are learned."""
        hidden = self.units * (self.inputs + self.units) + self.biases
        return hidden + self.outputs * (self.cells + self.output_bias)


@dataclass(frozen=True)
class Trace:
    """What a forward pass leaves for its gradient, time first.

    Attributes:
        x: Inputs, [networks, batch, time, input].
        said: Outputs of all hidden units before the first and after each step,
            [time + 1, networks, batch, units].
        g: What g made of the cells' net inputs, halved, [time, networks, batch, cells].
        h: What h made of their states, shaped like `g`.
        y: Outputs, [networks, batch, time, output].
    """

    x: Array
    said: Array
    g: Array
    h: Array
    y: Array


class MemoryBlocks:
    """Many networks of memory blocks side by side, each with weights of its own.

    As in Hochreiter & Schmidhuber, Long Short-Term Memory, 1997
    (https://doi.org/10.1162/neco.1997.9.8.1735): the hidden layer is fully connected, so gates
    see the input, all gates and all cells of the last step; g ranges over [-2, 2], h over
    [-1, 1]; a cell's state adds up `in * g(net)` and forgets nothing.

    The gradient is the paper's truncated one: an error that leaves a memory block through a net
    input is cut, one inside a cell's state lives for ever. So it needs no pass back through time,
    only sums over it: the error of a state is that of all later steps, added up. It equals what
    backpropagation gives where every recurrent value is detached (a test says so).

    In NumPy, whose calls cost a fifth of torch's on numbers this few.

    Args:
        wiring: The same for all networks.
        rngs: One for each network's weights.
        scale: Weights start uniform between minus and plus this.

    Attributes:
        parameters: Weights by name, each [networks, ...]: `hidden` [units, inputs + units],
            `bias` [units], `out` [outputs, cells], `out_bias` [outputs].

    Example:
        >>> rngs = [np.random.default_rng(seed) for seed in range(3)]
        >>> network = MemoryBlocks(Wiring(2, 2, 2, 1), rngs, scale=0.1)
        >>> network.forward(np.ones((3, 1, 5, 2))).y.shape
        (3, 1, 5, 1)
    """

    def __init__(self, wiring: Wiring, rngs: list[np.random.Generator], scale: float) -> None:
        self.wiring = w = wiring
        shapes = {
            "hidden": (w.units, w.inputs + w.units),
            "bias": (w.units,),
            "out": (w.outputs, w.cells),
            "out_bias": (w.outputs,),
        }
        self.parameters = {
            name: np.stack([rng.uniform(-scale, scale, shape) for rng in rngs])
            for name, shape in shapes.items()
        }
        self.parameters["bias"][:, w.biases :] = 0
        if not w.output_bias:
            self.parameters["out_bias"][:] = 0

    def set_gate_biases(
        self,
        input_gates: tuple[float, ...] | None = None,
        output_gates: tuple[float, ...] | None = None,
    ) -> None:
        """Start the gates closed: one bias for each block, the same in all networks."""
        blocks = self.wiring.blocks
        for first, values in ((0, input_gates), (blocks, output_gates)):
            if values is not None:
                self.parameters["bias"][:, first : first + blocks] = values

    def forward(self, x: Array) -> Trace:
        """Run all networks, each over sequences of its own.

        Args:
            x: Inputs, [networks, batch, time, input].
        """
        w, p = self.wiring, self.parameters
        networks, batch, steps, _ = x.shape
        # All units are tanh of half their net input: logistic(v) = (1 + tanh(v / 2)) / 2,
        # g(v) = 2 tanh(v / 2), h(s) = tanh(s / 2).
        half = 0.5 * p["hidden"].swapaxes(1, 2)
        recurrent = half[:, w.inputs :]
        flat = x.reshape(networks, batch * steps, w.inputs) @ half[:, : w.inputs]
        flat += 0.5 * p["bias"][:, None]
        net = np.moveaxis(flat.reshape(networks, batch, steps, w.units), 2, 0).copy()
        said = np.zeros((steps + 1, networks, batch, w.units))
        h = np.empty((steps, networks, batch, w.cells))
        blocks = (networks, batch, w.blocks, w.size)
        half_state, gain = np.zeros(blocks), np.empty(blocks)
        gates = 2 * w.blocks
        for before, now, unit, out in zip(said, said[1:], net, h, strict=False):
            unit += before @ recurrent
            np.tanh(unit, out=unit)
            opened = now[..., :gates]
            np.multiply(unit[..., :gates], 0.5, out=opened)
            opened += 0.5
            y_in, y_out = opened[..., : w.blocks, None], opened[..., w.blocks :, None]
            np.multiply(unit[..., gates:].reshape(blocks), y_in, out=gain)
            half_state += gain
            squashed = out.reshape(blocks)
            np.tanh(half_state, out=squashed)
            now[..., gates:] = (squashed * y_out).reshape(networks, batch, w.cells)
        cells = np.moveaxis(said[1:, ..., gates:], 0, 2)
        y = _logistic(cells @ p["out"].swapaxes(1, 2)[:, None] + p["out_bias"][:, None, None])
        return Trace(x, said, net[..., gates:], h, y)

    def gradients(self, trace: Trace, d_y: Array) -> dict[str, Array]:
        """The truncated gradient of a loss, summed over the batch.

        Args:
            trace: Of the forward pass.
            d_y: The loss's gradient to the outputs, shaped like `trace.y`.

        Returns:
            Gradients by the parameters' names; 0 for a bias that is not there.
        """
        w, p = self.wiring, self.parameters
        d_out = d_y * trace.y * (1 - trace.y)
        cells = np.moveaxis(trace.said[1:, ..., 2 * w.blocks :], 0, 2)
        d_net = self._d_net(trace, np.moveaxis(d_out @ p["out"][:, None], 2, 0))
        before = np.moveaxis(trace.said[:-1], 0, 2)
        seen = np.concatenate([trace.x, before], -1)
        grads = {
            "out": _summed(d_out, cells),
            "out_bias": d_out.sum((1, 2)),
            "hidden": _summed(np.moveaxis(d_net, 0, 2), seen),
            "bias": d_net.sum((0, 2)),
        }
        grads["bias"][:, w.biases :] = 0
        if not w.output_bias:
            grads["out_bias"][:] = 0
        return grads

    def _d_net(self, trace: Trace, d_cells: Array) -> Array:
        """Gradient to the net inputs of gates and cells, [time, networks, batch, units]."""
        w = self.wiring
        blocks = (*d_cells.shape[:-1], w.blocks, w.size)
        gates = trace.said[1:, ..., : 2 * w.blocks]
        y_in, y_out = gates[..., : w.blocks, None], gates[..., w.blocks :, None]
        g, h = trace.g.reshape(blocks), trace.h.reshape(blocks)
        d_cells = d_cells.reshape(blocks)
        d_h = d_cells * y_out * (0.5 - 0.5 * h * h)
        d_state = d_h[::-1].cumsum(0)[::-1]
        d_out = (d_cells * h).sum(-1)
        d_in = (d_state * 2 * g).sum(-1)
        d_gates = np.concatenate([d_in, d_out], -1) * gates * (1 - gates)
        d_cell = d_state * y_in * (1 - g * g)
        return np.concatenate([d_gates, d_cell.reshape(trace.g.shape)], -1)

    def learn(self, x: Array, lengths: NDArray[np.int64], target: Array, rate: float) -> Array:
        """Show each network one sequence and take one step of gradient descent.

        The loss is half the squared error, summed over what is wanted.

        Args:
            x: Inputs, [networks, time, input].
            lengths: Steps of each sequence, [networks].
            target: What is wanted, [networks, wanted, output]: after the last step where that is
                one, after each step where it is as many as those of `x`.
            rate: Of learning.

        Returns:
            What they said before the step, shaped like `target`; 0 past a sequence's end.
        """
        trace = self.forward(x[:, None])
        first = np.maximum(0, lengths - target.shape[1])
        steps = first[:, None] + np.arange(target.shape[1])
        inside = (steps < lengths[:, None])[..., None]
        at = np.arange(len(x))[:, None], np.minimum(steps, x.shape[1] - 1)
        y = np.where(inside, trace.y[:, 0][at], 0)
        d_y = np.zeros_like(trace.y[:, 0])
        np.add.at(d_y, at, np.where(inside, y - target, 0))
        self.descend(self.gradients(trace, d_y[:, None]), rate)
        return y

    def descend(self, grads: dict[str, Array], rate: float) -> None:
        """Take one step of gradient descent."""
        for name, grad in grads.items():
            self.parameters[name] -= rate * grad

    def only(self, place: int) -> MemoryBlocks:
        """One of the networks; it shares its weights with this."""
        one = copy(self)
        one.parameters = {n: value[place : place + 1] for n, value in self.parameters.items()}
        return one

    def keep(self, places: NDArray[np.int64]) -> None:
        """Go on with some of the networks only."""
        self.parameters = {name: value[places] for name, value in self.parameters.items()}


def _logistic(values: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * values)


def _summed(left: Array, right: Array) -> Array:
    """Outer products summed over batch and time, [networks, left, right]."""
    networks, units = len(left), left.shape[-1]
    flat = left.reshape(networks, -1, units).swapaxes(1, 2)
    return flat @ right.reshape(networks, -1, right.shape[-1])
