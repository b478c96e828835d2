"""What a user writes for a cell that torch lacks: the best loop over time that we know of.

The input's product is taken out of the loop, time is cut by one `unbind`, and the recurrent product
adds the gates itself. Weights are `weight_ih, weight_hh, bias_ih, bias_hh` and the cell's vectors.
No `from __future__ import annotations`: TorchScript reads the types.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Step = Callable[[Tensor, Tensor, list[Tensor], list[Tensor]], list[Tensor]]
"""From gates of the input, transposed recurrent weight, state and weights to the new state."""

Loop = Callable[[Tensor, list[Tensor], Tensor, list[Tensor], float], Tensor]
"""From input, weights, bias of the input's product, initial state and a rate to outputs."""


def lstm(x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    i, f, g, o = torch.addmm(x, state[0], weight).chunk(4, 1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return [torch.sigmoid(o) * torch.tanh(c), c]


def peephole_lstm(
    x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]
) -> list[Tensor]:
    i, f, g, o = torch.addmm(x, state[0], weight).chunk(4, 1)
    c = state[1]
    i, f = torch.sigmoid(i + weights[4] * c), torch.sigmoid(f + weights[5] * c)
    c = f * c + i * torch.tanh(g)
    return [torch.sigmoid(o + weights[6] * c) * torch.tanh(c), c]


def coupled_lstm(
    x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]
) -> list[Tensor]:
    f, g, o = torch.addmm(x, state[0], weight).chunk(3, 1)
    c = torch.lerp(torch.tanh(g), state[1], torch.sigmoid(f))
    return [torch.sigmoid(o) * torch.tanh(c), c]


def gru(x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    h = state[0]
    r, z, n = x.chunk(3, 1)
    r_h, z_h, n_h = torch.addmm(weights[3], h, weight).chunk(3, 1)
    n = torch.tanh(n + torch.sigmoid(r + r_h) * n_h)
    return [torch.lerp(n, h, torch.sigmoid(z + z_h))]


def elman(x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    return [torch.tanh(torch.addmm(x, state[0], weight))]


def slstm(x: Tensor, weight: Tensor, state: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    i, f, g, o = torch.addmm(x, state[0], weight).chunk(4, 1)
    c, n, m = state[1], state[2], state[3]
    f = F.logsigmoid(f) + m
    m = torch.maximum(f, i)
    i, f = torch.exp(i - m), torch.exp(f - m)
    c = f * c + i * torch.tanh(g)
    n = f * n + i
    return [torch.sigmoid(o) * c / n, c, n, m]


STEPS: dict[str, Step] = {
    "peephole_lstm": peephole_lstm,
    "coupled_lstm": coupled_lstm,
    "gru": gru,
    "elman": elman,
    "slstm": slstm,
}
"""The step of each cell; of a regularised one, `lstm` is the step."""

STARTS = {"slstm": (0.0, 0.0, 0.0, -math.inf)}
"""What a state starts from, where it is not zero: the least log keeps nothing."""

TWO_BIASES = ("gru",)
"""Cells whose recurrent bias stays with the recurrent product; others add both beforehand."""


def plain_loop(step: Step) -> Loop:
    """A loop over a step."""

    def loop(
        x: Tensor, weights: list[Tensor], bias: Tensor, state: list[Tensor], rate: float
    ) -> Tensor:
        weight = weights[1].t()
        outputs: list[Tensor] = []
        for gates in F.linear(x, weights[0], bias).unbind(1):
            state = step(gates, weight, state, weights)
            outputs.append(state[0])
        return torch.stack(outputs, 1)

    return loop


def zoneout_loop(step: Step) -> Loop:
    """A loop over an LSTM's step whose units keep their old state by chance."""

    def loop(
        x: Tensor, weights: list[Tensor], bias: Tensor, state: list[Tensor], rate: float
    ) -> Tensor:
        weight = weights[1].t()
        shape = [x.shape[1], x.shape[0], weight.shape[0]]
        keep_h = (torch.rand(shape) < rate).unbind(0)
        keep_c = (torch.rand(shape) < rate).unbind(0)
        outputs: list[Tensor] = []
        inputs = F.linear(x, weights[0], bias).unbind(1)
        for t in range(len(inputs)):
            new = step(inputs[t], weight, state, weights)
            h = torch.where(keep_h[t], state[0], new[0])
            state = [h, torch.where(keep_c[t], state[1], new[1])]
            outputs.append(h)
        return torch.stack(outputs, 1)

    return loop


def dropout_loop(step: Step) -> Loop:
    """A loop over an LSTM's step whose recurrent product misses the same outputs at every step."""

    def loop(
        x: Tensor, weights: list[Tensor], bias: Tensor, state: list[Tensor], rate: float
    ) -> Tensor:
        weight = weights[1].t()
        mask = F.dropout(torch.ones_like(state[0]), rate)
        outputs: list[Tensor] = []
        for gates in F.linear(x, weights[0], bias).unbind(1):
            state = step(gates, weight, [state[0] * mask, state[1]], weights)
            outputs.append(state[0])
        return torch.stack(outputs, 1)

    return loop
