"""Layers to hold to the contracts: every cell, connectivity and option, found by walking."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest
import torch

import gatewise
from gatewise import InputError, connectivity
from gatewise.cells import every_cell
from gatewise.connectivity import BlockSparse, Connectivity, Dense, Heads, LowRank, Masked
from gatewise.engines import ENGINES, state_sizes
from gatewise.nn import Recurrent
from gatewise.nn.layers.given import names

from ..engines.cpu.calls import uneven

# Nine units fill no vector of any processor.
INPUT, HIDDEN, TIME, LENGTHS = 3, 9, 4, (4, 0, 2)
ALL, FIRST, LAST = slice(None), slice(1), slice(-1, None)

CELLS = every_cell()


def band(hidden: int) -> torch.Tensor:
    """A mask around the diagonal."""
    return torch.ones(hidden, hidden, dtype=torch.bool).tril(1).triu(-1)


EXAMPLES: dict[str, tuple[Callable[[int], Connectivity | str], ...]] = {
    "Dense": (lambda _: Dense(), lambda hidden: Dense(hidden // 2)),
    "Heads": (lambda _: Heads(3),),
    "LowRank": (lambda _: LowRank(2),),
    "Masked": (lambda _: Masked(0.4, seed=1), lambda hidden: Masked.of(band(hidden))),
    "BlockSparse": (lambda _: BlockSparse(0.6, block=(3, 3)),),
    "diagonal": (lambda _: "diagonal",),
}
"""For each class of `gatewise.connectivity`, values for a multiple of three units."""

CONNECTIVITIES = {
    f"{name}_{k}" if k else name: make
    for name, makers in EXAMPLES.items()
    for k, make in enumerate(makers)
}

OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "num_layers": ({"num_layers": 2},),
    "bidirectional": ({"bidirectional": True, "num_layers": 2},),
    "merge": tuple({"bidirectional": True, "merge": how} for how in ("sum", "mul", "mean", None)),
    "dropout": ({"num_layers": 2, "dropout": 0.3},),
    "connectivity": ({"connectivity": "heads:3"},),
    "layer_norm": ({"layer_norm": "ba"}, {"layer_norm": "stored"}),
    "cell_clip": ({"cell_clip": 0.4},),
    "zoneout": ({"zoneout": 0.3}, {"zoneout": {"h": 0.2}}),
    "recurrent_dropout": ({"recurrent_dropout": 0.3},),
    "recurrent_dropout_kind": ({"recurrent_dropout": 0.3, "recurrent_dropout_kind": "gal"},),
    "weight_dropout": ({"weight_dropout": 0.3},),
    "weight_noise": ({"weight_noise": 0.1},),
    "init": ({"init": {"weight_ih": "normal:0.5"}},),
    "bias": ({"bias": False},),
    "learn_state": ({"learn_state": True},),
    "proj_size": ({"proj_size": 2, "bidirectional": True},),
    "memory": ({"memory": "recompute", "bidirectional": True},),
    "everything": ({
        "layer_norm": "ba", "cell_clip": 0.9, "zoneout": 0.1, "recurrent_dropout": 0.2,
        "weight_dropout": 0.2, "weight_noise": 0.05, "connectivity": "heads:3",
        "learn_state": True, "memory": "recompute",
    },),
}  # fmt: skip
"""For each of the layer's arguments that is an option, what to build it with."""

KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    name: lambda hidden, make=make: {"connectivity": make(hidden)}
    for name, make in CONNECTIVITIES.items()
} | {
    f"{name}_{k}" if k else name: lambda _, given=given: given
    for name, options in OPTIONS.items()
    for k, given in enumerate(options)
}
"""Both as arguments, for a number of units."""


def classes() -> dict[str, type]:
    """The classes of connectivities."""
    found = {name: getattr(connectivity, name) for name in connectivity.__all__}
    return {n: v for n, v in found.items() if inspect.isclass(v) and v is not Connectivity}


def options() -> set[str]:
    """Names of the layer's arguments that are no sizes and no places."""
    named = set(inspect.signature(Recurrent).parameters)
    return named - {"cell", "input_size", "hidden_size", "device", "dtype"}


@cache
def takes(cell: str, kind: str) -> bool:
    """Whether a cell can have an option or a connectivity."""
    try:
        Recurrent(cell, INPUT, HIDDEN, device="meta", **KINDS[kind](HIDDEN))
    except InputError:
        return False
    return True


def every(kinds: Any = KINDS) -> list[tuple[str, str]]:
    """All cells with all that they can have."""
    return [(cell, kind) for cell in CELLS for kind in kinds if takes(cell, kind)]


def rotated(offset: int) -> list[tuple[str, str]]:
    """Each kind with one cell, each cell with one kind at least; other pairs by other offsets."""
    cells, kinds = turned([*CELLS], offset), turned([*KINDS], offset)
    left, pairs = cells, []
    for kind in KINDS:
        able = [cell for cell in (*left, *cells) if takes(cell, kind)]
        pairs.append((able[0], kind))
        left = [cell for cell in left if cell != able[0]]
    return pairs + [(cell, next(kind for kind in kinds if takes(cell, kind))) for cell in left]


def turned(names: list[str], offset: int) -> list[str]:
    """The same names, with those first in front that come some way behind."""
    start = 9 * offset % len(names)
    return names[start:] + names[:start]


def cases(pairs: list[tuple[str, str]]) -> Any:
    """A test for each pair."""
    return pytest.mark.parametrize(("cell", "kind"), pairs, ids=map("-".join, pairs))


def layer_of(
    cell: str, kind: str, dtype: Any = torch.float64, input: int = INPUT, hidden: int = HIDDEN,
    **more: Any,
) -> Recurrent:  # fmt: skip
    """A layer in training, of weights that float32 has and of which none is 0."""
    torch.manual_seed(len(cell) + len(kind))
    layer = Recurrent(cell, input, hidden, **(KINDS[kind](hidden) | more))
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return layer.to(dtype)


class Given(NamedTuple):
    """What a layer is called with."""

    x: torch.Tensor
    state: tuple[torch.Tensor, ...] | None
    lengths: torch.Tensor | None
    outside: dict[str, torch.Tensor]

    def to(self, dtype: torch.dtype) -> Given:
        """The same numbers in another type, as leaves."""
        x, *state = (t.detach().to(dtype).requires_grad_() for t in self.leaves)
        outside = {name: value.to(dtype) for name, value in self.outside.items()}
        return Given(x, None if self.state is None else tuple(state), self.lengths, outside)

    def part(self, rows: slice, steps: slice, state: Any) -> Given:
        """Some sequences and some steps of them, all of these in full, from a state."""
        outside = {name: value[rows, steps] for name, value in self.outside.items()}
        return Given(self.x[rows, steps], state, None, outside)

    @property
    def leaves(self) -> list[torch.Tensor]:
        """All of which a gradient is wanted."""
        return [self.x, *(self.state or ())]


def given_to(
    layer: Recurrent, batch: int = 3, time: int | None = None, lengths: Any = LENGTHS
) -> Given:
    """Numbers that float32 has; no state where the layer has learned one."""
    if time is None:  # what is computed again is so in chunks of 16
        time = 18 if layer.memory == "recompute" else TIME
    draw = torch.Generator().manual_seed(1)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    x = torch.randn(batch, time, layer.input_size, generator=draw)
    sizes = state_sizes(layer.cell, layer.connectivity, layer.hidden_size)
    state = tuple(torch.randn(rows, batch, size, generator=draw) for size in sizes)
    outside = {name: torch.rand(batch, time, generator=draw) + 0.1 for name in names(layer.cell)}
    lengths = None if lengths is None else torch.tensor(lengths, dtype=torch.int64)
    own = next(layer.parameters()).dtype
    return Given(x, None if layer.learn_state else state, lengths, outside).to(own)


def able(layer: Recurrent, given: Given) -> list[str]:
    """Names of the engines that run a layer; the last is the reference."""
    reasons = gatewise.explain(layer, given.x, lengths=given.lengths).reasons
    return [engine.name for engine in ENGINES if reasons[engine.name] is None]


def run(layer: Recurrent, given: Given) -> list[torch.Tensor]:
    """Outputs, of each direction where they are apart, and final states."""
    y, state = layer(given.x, given.state, lengths=given.lengths, given=given.outside or None)
    return [*(y if isinstance(y, tuple) else (y,)), *state]


def answer(
    layer: Any, given: Given, engine: str | None = None, used: slice = ALL
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Outputs, and gradients of an uneven sum of those used with respect to all that went in."""
    torch.manual_seed(7)  # for what is drawn
    if engine is None:
        outputs = run(layer, given)
    else:
        with gatewise.engine(engine):
            outputs = run(layer, given)
    wrt = [*given.leaves, *layer.parameters()]
    loss = uneven(outputs[used])
    found = torch.autograd.grad(loss, wrt, allow_unused=True, materialize_grads=True)
    return [t.detach() for t in outputs], list(found)


def same(found: Sequence[torch.Tensor], want: Sequence[torch.Tensor], tolerance: float) -> None:
    """Each tensor is within a share of its largest number, or of 1."""
    for mine, right in zip(found, want, strict=True):
        scale = max(1.0, float(right.detach().abs().max())) if right.numel() else 1.0
        torch.testing.assert_close(mine, right, rtol=0, atol=tolerance * scale)
