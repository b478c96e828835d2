"""Step after step in Python, for layers whose products no engine knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ...engines.call import NO_NOISE
from ..masks import inside, zeroed

Parts = tuple[Tensor, ...]
Step = Callable[[Tensor, Parts, Mapping[str, Tensor]], Parts]
"""Takes a step's input, the old state and the step's noise; gives the new state."""


def over_time(
    step: Step,
    inputs: Tensor,
    state: Parts,
    noise: Mapping[str, Tensor] = NO_NOISE,
    lengths: Tensor | None = None,
) -> tuple[Tensor, Parts]:
    """Run a step over time.

    Args:
        step: One time step of a layer.
        inputs: What each step takes, [batch, time, ...]; finite past a sequence's end.
        state: Where to start, each part [batch, ...].
        noise: By name, [batch, time, ...], or [batch, 1, ...] for all times.
        lengths: Steps of each sequence, [batch]; those beyond leave the state unchanged.

    Returns:
        The first state after each step, [batch, time, ...], zero past a sequence's end, and the
        last state.

    Example:
        >>> def add(x, state, noise):
        ...     return (state[0] + x,)
        >>> start, lengths = (torch.zeros(2),), torch.tensor([3, 1])
        >>> y, (last,) = over_time(add, torch.ones(2, 3), start, lengths=lengths)
        >>> y.tolist(), last.tolist()
        ([[1.0, 2.0, 3.0], [1.0, 0.0, 0.0]], [3.0, 1.0])
    """
    steps = inputs.shape[1]
    keep = None if lengths is None else _keep(lengths, steps, state[0].dim())
    drawn = {name: _each(value, steps) for name, value in noise.items()}
    outputs: list[Tensor] = []
    # A view per step taken at once: indexing one by one makes the gradient quadratic in time.
    for t, given in enumerate(inputs.unbind(1)):
        new = step(given, state, {name: values[t] for name, values in drawn.items()})
        if keep is not None:
            pairs = zip(new, state, strict=True)
            new = tuple(torch.where(keep[t], after, before) for after, before in pairs)
        state = new
        outputs.append(state[0])
    if not outputs:
        first = state[0]
        return first.new_zeros(first.shape[0], 0, *first.shape[1:]), state
    return zeroed(torch.stack(outputs, 1), lengths), state


def _each(noise: Tensor, steps: int) -> Parts:
    return noise.expand(-1, steps, *noise.shape[2:]).unbind(1)


def _keep(lengths: Tensor, steps: int, dims: int) -> Parts:
    """For each step which sequences have it, with as many axes as a state has."""
    within = inside(lengths, steps)
    return within.reshape(*within.shape, *[1] * (dims - 1)).unbind(1)
