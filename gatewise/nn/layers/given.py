"""What a cell's equations are given at each step beside the input, such as the time that passed."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ...compiler import Cell
from ...errors import InputError, nearest

GAP = "dt"
"""The time since the step before, which is that to the step after for who reads backwards."""


def names(cell: Cell) -> tuple[str, ...]:
    """Names of what is given from outside, and not drawn.

    Example:
        >>> from gatewise.cells import phased_lstm
        >>> names(phased_lstm)
        ('dt',)
    """
    return tuple(name for name in cell.noises if name not in cell.draws)


def checked_given(
    cell: Cell, given: Mapping[str, Tensor] | None, x: Tensor, batched: bool
) -> dict[str, Tensor]:
    """Check what is given, and give it the axis of the batch and the type of the input.

    Args:
        cell: The equations.
        given: By name; what is not here has the value that the equations say.
        x: Input, [batch, time, input], or [batch, input] for one step.
        batched: Whether the user's input has the batch.

    Raises:
        InputError: The cell is given nothing of this name, or a shape is not as above.
    """
    found: dict[str, Tensor] = {}
    for name, value in (given or {}).items():
        known = names(cell)
        if name not in known:
            said = nearest(name, known) if known else "it is given nothing beside the input"
            raise InputError(f"given names {name!r}, which cell {cell.name} does not take: {said}")
        wanted = tuple(x.shape[:-1] if batched else x.shape[1:-1])
        if not isinstance(value, Tensor) or tuple(value.shape) != wanted:
            was = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            axes = ("batch", "time")[0 if batched else 1 :][: len(wanted)]
            raise InputError(
                f"given {name} of {'shape ' if isinstance(value, Tensor) else 'type '}{was}: give "
                f"a tensor, [{', '.join(axes)}], here {wanted}"
            )
        found[name] = (value if batched else value.unsqueeze(0)).detach().to(x)
    return found


def by_direction(
    given: Mapping[str, Tensor], cell: Cell, hidden_size: int, lengths: Tensor | None, reverse: bool
) -> dict[str, Tensor]:
    """Bring what is given into the form of noise, [batch, time, hidden], as a direction reads it.

    Args:
        given: [batch, time] each.
        cell: The equations.
        hidden_size: Units.
        lengths: Steps of each sequence, [batch].
        reverse: Whether time is read backwards. The gap before a step is then that of the step
            after it; before the last step of a sequence it is what the equations say.
    """
    found = {}
    for name, value in given.items():
        if reverse and name == GAP and value.shape[1]:
            value = _turned(value, cell.noises[name], lengths)
        found[name] = value.unsqueeze(-1).expand(-1, -1, hidden_size)
    return found


def _turned(gaps: Tensor, first: float, lengths: Tensor | None) -> Tensor:
    after = torch.cat([gaps[:, 1:], torch.full_like(gaps[:, :1], first)], 1)
    if lengths is None:
        return after
    steps = torch.arange(gaps.shape[1], device=gaps.device)
    return torch.where(steps == lengths.unsqueeze(1).to(gaps.device) - 1, first, after)
