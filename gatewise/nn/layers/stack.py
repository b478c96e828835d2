"""Layers upon layers, in one or both directions, through the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...compiler import Cell
from ...connectivity import Connectivity
from ...engines import Call, recurrences
from ...engines.call import NO_NOISE

Weights = Mapping[str, Tensor]

MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: torch.cat([forward, backward], -1),
    "sum": torch.add,
    "mul": torch.mul,
    "mean": lambda forward, backward: (forward + backward) / 2,
}
"""How the outputs of the two directions become one."""


def run_layers(
    cell: Cell,
    connectivity: Connectivity,
    x: Tensor,
    weights: Sequence[Sequence[Weights]],
    state: Sequence[Tensor],
    lengths: Tensor | None = None,
    *,
    merge: str = "concat",
    dropout: float = 0.0,
    noise: Sequence[Sequence[Mapping[str, Tensor]]] = (),
    memory: str = "keep",
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Run a stack of layers.

    Args:
        cell: The equations of one step, the same in every layer.
        connectivity: How the last state reaches the gates.
        x: Input, [batch, time, input].
        weights: Weights by name, for each layer and in it for each direction.
        state: One tensor for each of the cell's states, [layers * directions, batch, features].
        lengths: Steps of each sequence, [batch].
        merge: A key of `MERGES`, for what a layer hands to the next.
        dropout: Rate of what is dropped between layers; 0 while not training.
        noise: The cell's noise by name, for each layer and in it for each direction; nothing for
            its value of evaluation.
        memory: What is kept for gradients.

    Returns:
        The last layer's outputs, one for each direction, and the final state like `state`.
    """
    rows = zip(*(s.unbind(0) for s in state), strict=True)
    outputs: tuple[Tensor, ...] = ()
    last: list[tuple[Tensor, ...]] = []
    for k, layer in enumerate(weights):
        if outputs:
            x = outputs[0] if len(outputs) == 1 else MERGES[merge](*outputs)
            x = _dropped(x, dropout) if dropout else x
        drawn = noise[k] if noise else [NO_NOISE] * len(layer)
        results = recurrences([
            Call(cell, connectivity, x, own, next(rows), lengths, reverse, given, memory)
            for reverse, own, given in zip((False, True), layer, drawn, strict=False)
        ])  # fmt: skip
        outputs = tuple(y for y, _ in results)
        last += [end for _, end in results]
    return outputs, tuple(_stacked(ends) for ends in zip(*last, strict=True))


def _stacked(ends: tuple[Tensor, ...]) -> Tensor:
    """The final states of all layers; a single one is not copied."""
    return ends[0].unsqueeze(0) if len(ends) == 1 else torch.stack(ends)


def _dropped(x: Tensor, rate: float) -> Tensor:
    """Drop activations, drawn time first: as torch's layers do, with equal seeds the same ones."""
    ones = x.new_ones(x.shape[1], x.shape[0], x.shape[2])
    return x * F.dropout(ones, rate).transpose(0, 1)
