"""A layer by its cell's paper: the oracles in NumPy, sequence by sequence, and their slope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gatewise.nn import Recurrent

from ..cells import oracles
from ..engines.cpu.calls import uneven
from .layers import CELLS, Given

Blocks = dict[str, np.ndarray]


def by_the_paper(cell: str, layer: Recurrent, given: Given) -> list[torch.Tensor]:
    """Outputs and final states of one layer forward in time."""
    W, U, b, p = _by_row(cell, layer, given)
    project = p.pop("weight_hr", None)
    assert given.state is not None
    x, state = given.x.numpy(force=True), [s.numpy(force=True)[0] for s in given.state]
    y, last = np.zeros((*x.shape[:2], state[0].shape[1])), [s.copy() for s in state]
    for k in range(len(x)):
        own = tuple(s[k : k + 1] for s in state)
        for t in range(x.shape[1] if given.lengths is None else int(given.lengths[k])):
            outside = {name: value[k, t].numpy() for name, value in given.outside.items()}
            h, *others = getattr(oracles, cell)(x[k : k + 1, t], own, W, U, b, p | outside)
            own = (h if project is None else h @ project.T, *others)
            y[k, t] = own[0][0]
        for part, end in zip(last, own, strict=True):
            part[k] = end[0]
    return [torch.from_numpy(t) for t in (y, *(part[None] for part in last))]


def slope(cell: str, layer: Recurrent, given: Given, along: Sequence[torch.Tensor]) -> float:
    """How fast the uneven sum of the paper's values grows along a direction in all that goes in."""
    wrt, losses, step = [*given.leaves, *layer.parameters()], [], 1e-6
    for change in (step, -2 * step, step):
        with torch.no_grad():
            for leaf, direction in zip(wrt, along, strict=True):
                leaf.add_(change * direction)
        losses.append(float(uneven(by_the_paper(cell, layer, given))))
    return (losses[0] - losses[1]) / (2 * step)


def _by_row(cell: str, layer: Recurrent, given: Given) -> tuple[Blocks, Blocks, Blocks, Blocks]:
    """The weights as the oracles take them: by row block, from a matrix without structure."""
    equations, weights = CELLS[cell], layer.call(given.x).weights
    p = {name: weight.numpy(force=True).astype(np.float64) for name, weight in weights.items()}

    def blocks(rows: tuple[str, ...], name: str) -> Blocks:
        return dict(zip(rows, np.split(p.pop(name), len(rows)), strict=True)) if name in p else {}

    W = blocks(equations.input_rows, "weight_ih")
    U = blocks(equations.state_rows, "weight_hh")
    b = blocks(equations.input_rows, "bias_ih")
    for row, value in blocks(equations.state_rows, "bias_hh").items():
        b[row] = b[row] + value if row in b else value
    for row in equations.state_rows:
        if row not in U:  # a diagonal has vectors instead, and no bias of this side
            U[row] = np.diag(p[f"u_{equations.block(row)}"])
            b.setdefault(row, np.zeros(layer.hidden_size))
    return W, U, b, p
