"""Learning as today: Adam on small batches of new sequences, with a clipped gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gatewise.nn import Recurrent

from .networks.bias import set_bias, set_chrono
from .networks.reader import Reader
from .stopping import Judge, Recent
from .tasks.batch import Task


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained.

    Attributes:
        hidden: Units.
        rate: Adam's first learning rate; it falls to a tenth along a cosine.
        batch: Sequences of one update.
        updates: How many at most.
        forget: First bias of an LSTM's forget gate; `"chrono"` for what the task's length asks
            (`set_chrono`), None for the cell's own.
        clip: What the gradient's norm is cut to.
        every: Updates between two trials of a judge.
        direct: Whether inputs reach the outputs directly, too.
    """

    hidden: int = 32
    rate: float = 5e-3
    batch: int = 32
    updates: int = 3000
    forget: float | str | None = "chrono"
    clip: float = 1.0
    every: int = 50
    direct: bool = False


@dataclass
class Trained:
    """What became of a training.

    Attributes:
        network: As it was when it had learned, or at the end.
        sequences: After how many training sequences it had, or None.
        losses: Of each update.
    """

    network: Reader
    sequences: int | None
    losses: list[float]


def train(
    cell: str,
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    recent: Recent | None = None,
    judge: Judge | None = None,
) -> Trained:
    """Train until the network has learned; under `seeded`, which draws its first weights.

    Args:
        cell: Name of a cell of Gatewise.
        task: What is learned.
        recipe: How.
        rng: Draws the sequences.
        recent: Says by the training sequences that it has learned.
        judge: Says so by trying the network.

    Example:
        >>> from experiments.experiment import seeded
        >>> from experiments.tasks.adding import Marked
        >>> with seeded(0) as rng:
        ...     len(train("lstm", Marked(20), Recipe(hidden=4, updates=3), rng).losses)
        3
    """
    network = Reader(cell, task, recipe.hidden, direct=recipe.direct)
    _set_forget(network.layer, recipe.forget, task.longest)
    weights = list(network.parameters())
    optimizer = torch.optim.Adam(weights, recipe.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, recipe.updates, recipe.rate / 10
    )
    losses = []
    for update in range(1, recipe.updates + 1):
        batch = task.draw(rng, recipe.batch)
        y = network(batch)
        loss = network.loss(y, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, recipe.clip)
        optimizer.step()
        falling.step()
        losses.append(loss.item())
        if recent is not None:
            errors = batch.errors(network.as_answer(y))[None]
            if recent.add(errors, errors < task.tolerance)[0]:
                return Trained(network, update * recipe.batch, losses)
        if judge is not None and update % recipe.every == 0 and judge(network.answers):
            return Trained(network, update * recipe.batch, losses)
    return Trained(network, None, losses)


def _set_forget(layer: Recurrent, forget: float | str | None, longest: int) -> None:
    """Set the forget gate's bias of a layer that has one."""
    gates = set(layer.cell.input_rows)
    if forget == "chrono" and {"i", "f"} <= gates:
        set_chrono(layer, longest)
    elif isinstance(forget, float) and "f" in gates:
        set_bias(layer, "f", forget)
