"""Random weight guessing: what no algorithm that learns should be proud of beating."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..tasks.batch import Batch, Task

AT_ONCE = 200
"""Networks that are tried side by side."""


def guess(
    task: Task, rng: np.random.Generator, trials: int, hidden: int = 5, scale: float = 20.0
) -> tuple[int | None, int]:
    """Draw the weights of a small tanh network until one solves the task.

    Schmidhuber & Hochreiter, Guessing Can Outperform Many Long Time Lag Algorithms, 1996: a task
    that guesses solve is no proof of learning over long lags. A guess has solved it where 8, then
    64, then 256 new sequences are all right.

    Args:
        task: What is to be solved.
        rng: Draws weights and sequences.
        trials: Guesses after which to give up.
        hidden: Units of the network.
        scale: Weights are uniform between minus and plus this.

    Returns:
        How many guesses it took, or None, and how many were made.
    """
    units = hidden + task.inputs + 1
    for first in range(0, trials, AT_ONCE):
        shape = (AT_ONCE, hidden, units), (AT_ONCE, task.outputs, hidden + 1)
        weights = tuple(torch.from_numpy(rng.uniform(-scale, scale, s)).float() for s in shape)
        left = np.arange(AT_ONCE)
        for count in (8, 64, 256):
            chosen = tuple(w[torch.from_numpy(left)] for w in weights)
            left = left[_solved(task, task.draw(rng, count), *chosen)]
            if not len(left):
                break
        if len(left):
            return first + int(left[0]) + 1, first + AT_ONCE
    return None, trials


def _solved(task: Task, batch: Batch, hidden: Tensor, out: Tensor) -> np.ndarray:
    """Which networks have every sequence right, [networks]."""
    networks, units, _ = hidden.shape
    x = torch.from_numpy(batch.x).float()
    one = torch.ones(*x.shape[:2], 1)
    from_input = hidden[..., units:]
    recurrent, from_output = hidden[..., :units].mT, out[..., 1:].mT
    h = torch.zeros(networks, len(x), units)
    last = torch.zeros(networks, len(x), units)
    right = torch.ones(networks, len(x), dtype=torch.bool)
    ends = torch.from_numpy(batch.lengths) - 1
    seen = torch.cat([x, one], -1)
    for t in range(x.shape[1]):
        net = torch.baddbmm(torch.matmul(seen[:, t], from_input.mT), h, recurrent)
        h = torch.tanh(net)
        if batch.every_step:
            y = torch.sigmoid(torch.baddbmm(out[..., :1].mT, h, from_output))
            wrong = (y - torch.from_numpy(batch.target[:, t])).abs().amax(-1) > task.tolerance
            right &= ~wrong | (t > ends)
        else:
            last = torch.where((ends == t)[:, None], h, last)
    if batch.every_step:
        return right.all(1).numpy()
    y = torch.sigmoid(torch.baddbmm(out[..., :1].mT, last, from_output)).double().numpy()
    return np.array([(batch.errors(own) < task.tolerance).all() for own in y])
