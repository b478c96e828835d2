"""Where layers start: from a vector, or from a state that is given in part."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ...errors import InputError, nearest
from ..layers.recurrent import Recurrent
from ..state import State


class InitialState(nn.Module):
    """Map a vector to where layers start: `h = tanh(V v + b)`, and `c = W v + b` of cells with c.

    For h as Cho et al. 2014 (https://arxiv.org/abs/1406.1078), appendix A.1.2. Other states, such
    as the normaliser of an sLSTM, start as the layers do.

    Args:
        input_size: Features of the vector.
        recurrent: The layers, of one direction.

    Example:
        >>> layers = Recurrent("lstm", 3, 8, num_layers=2)
        >>> start = InitialState(5, layers)(torch.randn(4, 5))
        >>> start["h"].shape, start["c"].shape
        (torch.Size([2, 4, 8]), torch.Size([2, 4, 8]))
    """

    def __init__(self, input_size: int, recurrent: Recurrent) -> None:
        super().__init__()
        self.num_layers = recurrent.num_layers
        self.output, *others = recurrent.cell.states
        known = [self.output, *(name for name in others if name == "c")]
        size = recurrent.num_layers * recurrent.hidden_size
        self.maps = nn.ModuleDict({name: nn.Linear(input_size, size) for name in known})

    def forward(self, vector: Tensor) -> dict[str, Tensor]:
        """Map vectors, [batch, input_size], to states by name, [num_layers, batch, features]."""
        states = {}
        for name, mapped in self.maps.items():
            part = mapped(vector).unflatten(-1, (self.num_layers, -1)).transpose(0, 1)
            states[name] = torch.tanh(part) if name == self.output else part
        return states


def started(recurrent: Recurrent, like: Tensor, given: Mapping[str, Tensor] | None) -> State:
    """Complete a state.

    Args:
        recurrent: The layers.
        like: A tensor whose first axis is the batch.
        given: States by name, [num_layers, batch, features]; others start as the layers do.

    Raises:
        InputError: A name or a shape is not the layers'.
    """
    no_steps = like.new_zeros(len(like), 0, recurrent.input_size)
    _, own = recurrent(no_steps)
    if not given:
        return own
    names = recurrent.cell.states
    for name in given:
        if name not in names:
            raise InputError(f"state {name!r} is not one of the cell's: {nearest(name, names)}")
    full = {name: given.get(name, part) for name, part in zip(names, own, strict=True)}
    return recurrent(no_steps, full)[1]
