"""Layers of every cell with every connectivity, found by walking the package, and their oracle."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
import torch

import gatewise
from gatewise import InputError, connectivity
from gatewise.cells import every_cell
from gatewise.connectivity import BlockSparse, Connectivity, Dense, Heads, LowRank, Masked
from gatewise.engines import ENGINES, state_sizes
from gatewise.nn import Recurrent
from gatewise.nn.equations import connected, equations
from gatewise.nn.given import names

from ..cells import oracles
from ..engines.cpu.calls import uneven

# Nine units fill no vector of any processor.
INPUT, HIDDEN, TIME = 3, 9, 4
LENGTHS = (4, 0, 2)

CELLS = every_cell()
BAND = torch.ones(HIDDEN, HIDDEN, dtype=torch.bool).tril(1).triu(-1)
EXAMPLES: dict[str, tuple[Connectivity, ...]] = {
    "Dense": (Dense(), Dense(4)),
    "Heads": (Heads(3),),
    "LowRank": (LowRank(2),),
    "Masked": (Masked(0.4, seed=1), Masked.of(BAND)),
    "BlockSparse": (BlockSparse(0.6, block=(3, 3)),),
}
"""Values of each class of `gatewise.connectivity`, for layers of 9 units."""

VALUES = {
    f"{name}{k or ''}": value for name, of in EXAMPLES.items() for k, value in enumerate(of)
}
CONNECTIVITIES: dict[str, Connectivity | str] = VALUES | {"diagonal": "diagonal"}


def classes() -> dict[str, type]:
    """The classes of connectivities."""
    found = {name: getattr(connectivity, name) for name in connectivity.__all__}
    return {n: v for n, v in found.items() if inspect.isclass(v) and v is not Connectivity}


def takes(cell: str, kind: str) -> bool:
    """Whether a cell can have a connectivity."""
    value = CONNECTIVITIES[kind]
    try:
        made = equations(CELLS[cell], None, None, value)
        state_sizes(made, connected(value, 0), HIDDEN)
    except InputError:
        return False
    return True


PAIRS = [(cell, kind) for cell in CELLS for kind in CONNECTIVITIES if takes(cell, kind)]


def rotated(offset: int) -> list[tuple[str, str]]:
    """Each cell with one connectivity, and each connectivity with some cells; others by offset."""
    chosen = []
    for k, cell in enumerate(CELLS):
        own = [kind for kind in CONNECTIVITIES if takes(cell, kind)]
        chosen.append((cell, own[(k + offset) % len(own)]))
    return chosen


def layer_of(cell: str, kind: str = "Dense", dtype=torch.float32, **arguments: Any) -> Recurrent:
    """A layer whose weights are a layer's, none of them at 0."""
    torch.manual_seed(len(cell) + len(kind))
    layer = Recurrent(
        cell, INPUT, HIDDEN, connectivity=CONNECTIVITIES[kind], dtype=torch.float32, **arguments
    )
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return layer.to(dtype)


class Given(NamedTuple):
    """What a layer is called with."""

    x: torch.Tensor
    state: tuple[torch.Tensor, ...]
    lengths: torch.Tensor | None
    outside: dict[str, torch.Tensor]

    def to(self, dtype: torch.dtype) -> Given:
        """The same numbers in another type, as leaves."""
        x, *state = (t.detach().to(dtype).requires_grad_() for t in (self.x, *self.state))
        outside = {name: value.to(dtype) for name, value in self.outside.items()}
        return Given(x, tuple(state), self.lengths, outside)

    @property
    def leaves(self) -> list[torch.Tensor]:
        return [self.x, *self.state]


def given_to(layer: Recurrent, batch: int = 3, time: int = TIME, lengths=LENGTHS) -> Given:
    """Numbers that float32 has, and a gradient is wanted of."""
    draw = torch.Generator().manual_seed(1)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw)

    outside = {name: normal(batch, time).abs() for name in names(layer.cell)}
    x = normal(batch, time, INPUT)
    state = tuple(normal(rows, batch, size) for size in layer._state_sizes)
    lengths = None if lengths is None else torch.tensor(lengths[:batch])
    own = next(layer.parameters()).dtype
    return Given(x, state, lengths, outside).to(own)


def able(layer: Recurrent, given: Given) -> list[str]:
    """Names of the engines that run a layer; the last one is the reference."""
    reasons = gatewise.explain(layer, given.x, lengths=given.lengths).reasons
    found = [engine.name for engine in ENGINES if reasons[engine.name] is None]
    assert found[-1] == "reference"
    return found


def run(layer: Recurrent, given: Given) -> list[torch.Tensor]:
    """Outputs, both directions' where they are apart, and final states."""
    y, state = layer(given.x, given.state, lengths=given.lengths, given=given.outside or None)
    return [*(y if isinstance(y, tuple) else (y,)), *state]


def gradients(layer: Recurrent, given: Given, outputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Of an uneven sum, with respect to all that goes in."""
    wrt = [*given.leaves, *layer.parameters()]
    found = torch.autograd.grad(uneven(outputs), wrt, allow_unused=True, materialize_grads=True)
    return list(found)


def answer(layer: Recurrent, given: Given, engine: str, seed: int = 0) -> list[list[torch.Tensor]]:
    """Outputs and gradients on one engine; what is drawn is drawn by the seed."""
    torch.manual_seed(seed)
    with gatewise.engine(engine):
        outputs = run(layer, given)
    return [[t.detach() for t in outputs], gradients(layer, given, outputs)]


def by_the_paper(cell: str, layer: Recurrent, given: Given) -> list[np.ndarray]:
    """One layer forward by the paper's equations in NumPy, sequence by sequence."""
    W, U, b, p = _by_row(cell, layer, given)
    project = p.pop("weight_hr", None)
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
    return [y, *(part[None] for part in last)]


def _by_row(cell: str, layer: Recurrent, given: Given) -> tuple[dict, dict, dict, dict]:
    """The weights as the oracles take them: by row block, from matrices without structure."""
    equations, weights = CELLS[cell], layer.call(given.x).weights
    p = {name: weight.numpy(force=True).astype(float) for name, weight in weights.items()}

    def blocks(rows: tuple[str, ...], name: str) -> dict[str, np.ndarray]:
        return dict(zip(rows, np.split(p.pop(name), len(rows)), strict=True)) if name in p else {}

    W = blocks(equations.input_rows, "weight_ih")
    U = blocks(equations.state_rows, "weight_hh")
    b = blocks(equations.input_rows, "bias_ih")
    for row, value in blocks(equations.state_rows, "bias_hh").items():
        b[row] = b[row] + value if row in b else value
    for row in equations.state_rows:
        if row not in U:  # a diagonal has its own vectors, and no bias of this side
            U[row] = np.diag(p[f"u_{equations.block(row)}"])
            b.setdefault(row, np.zeros(HIDDEN))
    return W, U, b, p
