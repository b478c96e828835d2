"""The network of 1997 in machine code, where numba is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .memory_blocks import Array, MemoryBlocks

_made: list[Callable[..., None]] = []


def available() -> bool:
    """Whether numba is installed; without it NumPy computes the same, some ten times slower.

    Example:
        >>> isinstance(available(), bool)
        True
    """
    return find_spec("numba") is not None


def learn(
    network: MemoryBlocks, x: Array, lengths: NDArray[np.int64], target: Array, rate: float
) -> Array:
    """Show each network one sequence; see `MemoryBlocks.learn`, which this equals."""
    w, p = network.wiring, network.parameters
    x, target = np.ascontiguousarray(x), np.ascontiguousarray(target)
    y = np.zeros_like(target)
    shape = np.array([w.inputs, w.blocks, w.size, w.outputs, w.biases, w.output_bias])
    weights = (p["hidden"], p["bias"], p["out"], p["out_bias"])
    _kernel()(x, lengths, target, rate, shape, *weights, y)
    return y


def _kernel() -> Callable[..., None]:
    """The function for all networks, compiled at the first call."""
    if not _made:
        numba: Any = import_module("numba")
        fast = numba.njit(fastmath={"reassoc", "contract"})
        forward, backward = fast(_forward), fast(_backward)

        def each(
            x: Any, lengths: Any, target: Any, rate: Any, shape: Any,
            hidden: Any, bias: Any, out: Any, out_bias: Any, y: Any,
        ) -> None:  # fmt: skip
            biases, output_bias = shape[4], shape[5]
            for n in range(len(x)):
                seen, first = x[n, : lengths[n]], max(0, lengths[n] - target.shape[1])
                trace = forward(seen, first, shape, hidden[n], bias[n], out[n], out_bias[n], y[n])
                grads = backward(seen, first, shape, trace, y[n], target[n], hidden[n], out[n])
                hidden[n] -= rate * grads[0]
                bias[n, :biases] -= rate * grads[1][:biases]
                out[n] -= rate * grads[2]
                if output_bias:
                    out_bias[n] -= rate * grads[3]

        _made.append(numba.njit(each))
    return _made[0]


def _forward(
    x: Any, first: Any, shape: Any, hidden: Any, bias: Any, out: Any, out_bias: Any, y: Any
) -> Any:
    """One network and one sequence; fills `y`, gives what the gradient needs."""
    inputs, blocks, size, outputs = shape[0], shape[1], shape[2], shape[3]
    cells, gates = blocks * size, 2 * blocks
    said = np.zeros((len(x) + 1, gates + cells))
    g, h, state = np.empty((len(x), cells)), np.empty((len(x), cells)), np.zeros(cells)
    for t in range(len(x)):
        now = said[t + 1]
        for u in range(gates + cells):
            net = bias[u]
            for i in range(inputs):
                net += hidden[u, i] * x[t, i]
            for v in range(gates + cells):
                net += hidden[u, inputs + v] * said[t, v]
            now[u] = np.tanh(0.5 * net)
        for u in range(gates):
            now[u] = 0.5 + 0.5 * now[u]
        for c in range(cells):
            g[t, c] = now[gates + c]
            state[c] += now[c // size] * 2 * g[t, c]
            h[t, c] = np.tanh(0.5 * state[c])
            now[gates + c] = now[blocks + c // size] * h[t, c]
        if t >= first:
            for k in range(outputs):
                net = out_bias[k]
                for c in range(cells):
                    net += out[k, c] * now[gates + c]
                y[t - first, k] = 0.5 + 0.5 * np.tanh(0.5 * net)
    return said, g, h


def _backward(
    x: Any, first: Any, shape: Any, trace: Any, y: Any, target: Any, hidden: Any, out: Any
) -> Any:
    """The truncated gradient of half the squared error, for all four weights."""
    inputs, blocks, size, outputs = shape[0], shape[1], shape[2], shape[3]
    said, g, h = trace
    cells, gates = blocks * size, 2 * blocks
    d_hidden, d_bias = np.zeros_like(hidden), np.zeros(gates + cells)
    d_out, d_out_bias = np.zeros_like(out), np.zeros(outputs)
    d_state, d_net = np.zeros(cells), np.empty(gates + cells)
    for t in range(len(x) - 1, -1, -1):
        now = said[t + 1]
        d_net[:] = 0
        if t >= first:
            for k in range(outputs):
                said_now = y[t - first, k]
                d = (said_now - target[t - first, k]) * said_now * (1 - said_now)
                d_out_bias[k] += d
                for c in range(cells):
                    d_out[k, c] += d * now[gates + c]
                    d_net[gates + c] += d * out[k, c]
        for c in range(cells):
            b, d_cell = c // size, d_net[gates + c]
            d_net[blocks + b] += d_cell * h[t, c]
            d_state[c] += d_cell * now[blocks + b] * (0.5 - 0.5 * h[t, c] * h[t, c])
            d_net[b] += d_state[c] * 2 * g[t, c]
            d_net[gates + c] = d_state[c] * now[b] * (1 - g[t, c] * g[t, c])
        for u in range(gates):
            d_net[u] *= now[u] * (1 - now[u])
        for u in range(gates + cells):
            d_bias[u] += d_net[u]
            for i in range(inputs):
                d_hidden[u, i] += d_net[u] * x[t, i]
            for v in range(gates + cells):
                d_hidden[u, inputs + v] += d_net[u] * said[t, v]
    return d_hidden, d_bias, d_out, d_out_bias
