"""Learning as in 1997: one sequence, one step of gradient descent; many runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .networks import compiled_blocks
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
    show = compiled_blocks.learn if compiled_blocks.available() else MemoryBlocks.learn
    seen = 0
    while seen < most and runs:
        chunk = Chunk.of([tasks[run].draw(rngs[run], CHUNK) for run in runs])
        for k in range(min(CHUNK, most - seen)):
            x, lengths, target, truth = chunk.at(k)
            errors = _errors(show(network, x, lengths, target, rate), truth, lengths)
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
            runs, chunk = [runs[place] for place in left], chunk.only(left)
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


@dataclass(frozen=True)
class Chunk:
    """Batches of several networks side by side.

    Attributes:
        x: Inputs, [networks, batch, time, input].
        lengths: Steps of each sequence, [networks, batch].
        target: What is wanted of it, [networks, batch, wanted, output].
        truth: What its answer is judged by, shaped like `target`.
    """

    x: Array
    lengths: NDArray[np.int64]
    target: Array
    truth: Array

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Chunk:
        """Put batches side by side; what is short is filled up with 0."""
        target = _stacked([_after_steps(batch, batch.target) for batch in batches])
        judged = [b.target if b.truth is None else b.truth for b in batches]
        return cls(
            _stacked([batch.x for batch in batches]),
            np.stack([batch.lengths for batch in batches]),
            target,
            _stacked([_after_steps(b, t) for b, t in zip(batches, judged, strict=True)]),
        )

    def at(self, k: int) -> tuple[Array, NDArray[np.int64], Array, Array]:
        """The k-th sequences, cut to the longest of them."""
        lengths = self.lengths[:, k]
        steps = int(lengths.max())
        wanted = min(steps, self.target.shape[2])
        return self.x[:, k, :steps], lengths, self.target[:, k, :wanted], self.truth[:, k, :wanted]

    def only(self, places: NDArray[np.int64]) -> Chunk:
        """Go on with some of the networks only."""
        return Chunk(self.x[places], self.lengths[places], self.target[places], self.truth[places])


def _after_steps(batch: Batch, wanted: Array) -> Array:
    return wanted if batch.every_step else wanted[:, None]


def _stacked(values: Sequence[Array]) -> Array:
    """Arrays side by side, their time filled up to the longest."""
    steps = max(value.shape[1] for value in values)
    return np.stack([np.pad(v, ((0, 0), (0, steps - v.shape[1]), (0, 0))) for v in values])


def _errors(y: Array, truth: Array, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each sequence's largest error, [networks]."""
    first = np.maximum(0, lengths - y.shape[1])
    inside = first[:, None] + np.arange(y.shape[1]) < lengths[:, None]
    return np.where(inside[..., None], np.abs(y - truth), 0).max((1, 2))


def answers(network: MemoryBlocks, batch: Batch) -> NDArray[np.float64]:
    """What one network answers to a batch, shaped like its target."""
    y = network.forward(batch.x[None]).y[0]
    return y if batch.every_step else y[np.arange(len(y)), batch.lengths - 1]
