"""The tanh RNN of Pascanu et al. 2013, many side by side: clipped, regularised, or neither."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BOUND = 1e-20
"""A gradient whose squared norm is below this has vanished; it does not count in Omega."""


@dataclass(frozen=True)
class Pass:
    """Forward and backward through one batch.

    Attributes:
        loss: Mean cross-entropy, [networks].
        right: Whether each sequence's class is the most likely one, [networks, batch].
        grads: Of the loss, by the parameters' names.
        omega: The regulariser, [networks].
        d_omega: Its gradient to the recurrent weights, [networks, units, units].
        norms: Norm of the loss's gradient to the state after each step, [time, networks].
    """

    loss: Tensor
    right: Tensor
    grads: dict[str, Tensor]
    omega: Tensor
    d_omega: Tensor
    norms: Tensor


class TanhNetworks:
    """Networks of tanh units that classify sequences, each with weights of its own.

    The gradient is written out, so that the regulariser of Pascanu, Mikolov & Bengio 2013
    (https://arxiv.org/abs/1211.5063) costs a few products more: Omega is the mean over steps and
    sequences of `(|d J|^2 / |d|^2 - 1)^2`, d the gradient to a state and J its Jacobian to the
    state before, with d held constant and differentiated by the recurrent weights alone. The
    squared ratio is that of the authors' code.

    Args:
        networks: How many.
        inputs: Features of a step.
        units: Of the hidden layer.
        outputs: Classes.
        rngs: One for each network's weights: 15 of a unit's recurrent weights are not 0, and
            their spectral radius is 0.95 (the paper's `smart_tanh`).

    Attributes:
        parameters: By name, each [networks, ...]: `w_x` [inputs, units], `w_h` [units, units],
            `b` [units], `w_y` [units, outputs], `b_y` [outputs].
    """

    def __init__(
        self, networks: int, inputs: int, units: int, outputs: int, rngs: list[torch.Generator]
    ) -> None:
        shapes = {"w_x": (inputs, units), "w_y": (units, outputs)}
        self.parameters = {
            name: torch.stack([0.01 * torch.randn(shape, generator=rng) for rng in rngs])
            for name, shape in shapes.items()
        }
        self.parameters["w_h"] = torch.stack([_sparse(units, rng) for rng in rngs])
        self.parameters["b"] = torch.zeros(networks, units)
        self.parameters["b_y"] = torch.zeros(networks, outputs)

    def run(self, x: Tensor, label: Tensor) -> Pass:
        """Go forward and backward through sequences.

        Args:
            x: Inputs, [networks, batch, time, input].
            label: Classes, [networks, batch].
        """
        p = self.parameters
        h = self._forward(x)
        logits = torch.baddbmm(p["b_y"].unsqueeze(1), h[-1], p["w_y"])
        logp = logits.log_softmax(-1)
        chosen = logp.gather(-1, label.unsqueeze(-1)).squeeze(-1)
        d_logits = logp.exp()
        d_logits.scatter_add_(-1, label.unsqueeze(-1), -torch.ones_like(d_logits[..., :1]))
        d_logits /= label.shape[1]
        d, d_net = self._backward(h, torch.bmm(d_logits, p["w_y"].mT))
        grads = {
            "w_y": torch.bmm(h[-1].mT, d_logits),
            "b_y": d_logits.sum(1),
            "w_h": torch.einsum("tsbi,tsbj->sij", h[:-1], d_net),
            "w_x": torch.einsum("sbti,tsbj->sij", x, d_net),
            "b": d_net.sum((0, 2)),
        }
        omega, d_omega = _omega(d, d_net)
        right = logits.argmax(-1) == label
        return Pass(-chosen.mean(-1), right, grads, omega, d_omega, d.norm(dim=(-2, -1)))

    def _forward(self, x: Tensor) -> Tensor:
        """States before the first and after each step, [time + 1, networks, batch, units]."""
        p = self.parameters
        networks, batch, steps, _ = x.shape
        flat = torch.baddbmm(p["b"].unsqueeze(1), x.flatten(1, 2), p["w_x"])
        net = flat.view(networks, batch, steps, -1).permute(2, 0, 1, 3).contiguous()
        h = net.new_zeros(steps + 1, networks, batch, net.shape[-1])
        for t in range(steps):
            torch.tanh(torch.baddbmm(net[t], h[t], p["w_h"]), out=h[t + 1])
        return h

    def _backward(self, h: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients to the states, as `_forward` gives them, and to the steps' net inputs."""
        d, d_net = torch.empty_like(h), torch.empty_like(h[1:])
        slope, back = 1 - h[1:] ** 2, self.parameters["w_h"].mT.contiguous()
        d[-1] = last
        for t in reversed(range(len(d_net))):
            torch.mul(d[t + 1], slope[t], out=d_net[t])
            torch.bmm(d_net[t], back, out=d[t])
        return d, d_net


def _omega(d: Tensor, d_net: Tensor) -> tuple[Tensor, Tensor]:
    """The regulariser and its gradient to the recurrent weights; see `TanhNetworks`."""
    norm = (d**2).sum(-1)
    # d[0] is to the state before the first step, which no weight reaches.
    counts = norm[2:] > BOUND
    ratio = torch.where(counts, norm[1:-1] / norm[2:].clamp_min(BOUND), 1.0)
    each = counts.sum((0, 2)).clamp_min(1)
    omega = ((ratio - 1) ** 2).sum((0, 2)) / each
    pull = 4 * (ratio - 1) / norm[2:].clamp_min(BOUND) * counts / each.unsqueeze(-1)
    d_omega = torch.einsum("tsb,tsbi,tsbj->sij", pull, d[1:-1], d_net[1:])
    return omega, d_omega


def clipped(grads: dict[str, Tensor], w_h: Tensor, bound: float) -> dict[str, Tensor]:
    """Scale each network's gradient to a norm of at most `bound`.

    A gradient that is no number, or beyond 10^10, is replaced by a small step of the recurrent
    weights towards 0, as in the authors' code.
    """
    norm = sum((g.flatten(1) ** 2).sum(1) for g in grads.values())
    norm = torch.as_tensor(norm).sqrt()
    lost = ~(norm < 1e10)
    scale = torch.where(norm > bound, bound / norm, 1.0)
    found = {}
    for name, grad in grads.items():
        instead = 0.02 * w_h if name == "w_h" else torch.zeros_like(grad)
        shape = (-1, *[1] * (grad.dim() - 1))
        found[name] = torch.where(lost.view(shape), instead, grad * scale.view(shape))
    return found


def _sparse(units: int, rng: torch.Generator) -> Tensor:
    """Recurrent weights with few entries a column and a spectral radius of 0.95."""
    weight = torch.zeros(units, units)
    for column in range(units):
        chosen = torch.randperm(units, generator=rng)[: min(15, units)]
        weight[chosen, column] = torch.randn(len(chosen), generator=rng)
    return weight * (0.95 / torch.linalg.eigvals(weight).abs().max())
