"""Learning as in 1997: one sequence, one step of gradient descent; many runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .networks.memory_blocks import MemoryBlocks
from .stopping import Judge, Recent
from .tasks.batch import Array, Batch, Task

CHUNK = 100
"""Sequences that are drawn at a time."""


@dataclass
class Learned:
    """What became of runs side by side.

    Attributes:
        network: All networks as they were when each had learned, or at the end.
        sequences: After how many training sequences each had, or None.
    """

    network: MemoryBlocks
    sequences: list[int | None]


def learn(
    network: MemoryBlocks,
    tasks: Sequence[Task],
    rngs: Sequence[np.random.Generator],
    rate: float,
    most: int,
    recent: Recent | None = None,
    judges: Sequence[Judge] = (),
    every: int = 1000,
) -> Learned:
    """Train each network online until it has learned.

    The loss is half the squared error, summed over what is wanted of a sequence; the weights
    change after each sequence.

    Args:
        network: Changed in place.
        tasks: Each network's own.
        rngs: Each network's own.
        rate: Of learning.
        most: Sequences after which to give up.
        recent: Says by the training sequences which runs have learned.
        judges: Each network's own, who says so by trying it.
        every: Sequences between two trials.
    """
    runs = list(range(len(tasks)))
    sequences: list[int | None] = [None] * len(tasks)
    final = {name: value.copy() for name, value in network.parameters.items()}
    seen = 0
    while seen < most and runs:
        batches = [tasks[run].draw(rngs[run], CHUNK) for run in runs]
        x = _stacked(batches)
        for k in range(min(CHUNK, most - seen)):
            errors = _step(network, batches, x, k, rate)
            seen += 1
            learned = np.zeros(len(runs), bool)
            if recent is not None:
                learned |= recent.add(errors[:, None], errors[:, None] < tasks[0].tolerance)
            if judges and seen % every == 0:
                trials = (network.only(place) for place in range(len(runs)))
                learned |= [
                    judges[run](partial(answers, one))
                    for run, one in zip(runs, trials, strict=True)
                ]
            if not learned.any():
                continue
            _put(final, network, runs)
            left = np.flatnonzero(~learned)
            for place in np.flatnonzero(learned):
                sequences[runs[place]] = seen
            runs, batches = [runs[place] for place in left], [batches[place] for place in left]
            x = x[left]
            network.keep(left)
            if recent is not None:
                recent.keep(left)
            if not runs:
                break
    _put(final, network, runs)
    network.parameters = final
    return Learned(network, sequences)


def _put(final: dict[str, Array], network: MemoryBlocks, runs: list[int]) -> None:
    """Note the weights of the networks that still learn, at their runs' places."""
    for name, value in network.parameters.items():
        final[name][runs] = value


def _stacked(batches: Sequence[Batch]) -> Array:
    """Inputs of batches side by side, [networks, batch, time, input]."""
    steps = max(batch.x.shape[1] for batch in batches)
    wide = [np.pad(b.x, ((0, 0), (0, steps - b.x.shape[1]), (0, 0))) for b in batches]
    return np.stack(wide)


def _step(
    network: MemoryBlocks, batches: Sequence[Batch], x: Array, k: int, rate: float
) -> NDArray[np.float64]:
    """Show the k-th sequence of each batch; give its largest error, [networks]."""
    lengths = [int(batch.lengths[k]) for batch in batches]
    trace = network.forward(x[:, k : k + 1, : max(lengths)])
    y = trace.y[:, 0]
    d_y, errors = np.zeros_like(y), np.empty(len(batches))
    for n, (batch, length) in enumerate(zip(batches, lengths, strict=True)):
        at = slice(0, length) if batch.every_step else slice(length - 1, length)
        target = batch.target[k, at] if batch.every_step else batch.target[k]
        d_y[n, at] = wrong = y[n, at] - target
        errors[n] = np.abs(wrong if batch.truth is None else y[n, at] - batch.truth[k]).max()
    network.descend(network.gradients(trace, d_y[:, None]), rate)
    return errors


def answers(network: MemoryBlocks, batch: Batch) -> NDArray[np.float64]:
    """What one network answers to a batch, shaped like its target."""
    y = network.forward(batch.x[None]).y[0]
    return y if batch.every_step else y[np.arange(len(y)), batch.lengths - 1]
