"""The mean loss and score of a network over a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ..data.batches import move
from ..data.contract import Ordered
from ..objectives.contract import Scored
from .asking import device_of, frozen
from .carry import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from ..data.contract import Dataset
    from ..objectives.contract import Objective


def evaluate(
    network: nn.Module,
    objective: Objective,
    dataset: Dataset,
    batch_size: int,
) -> tuple[float, float | None]:
    """Go through a dataset once without learning.

    Args:
        network: What is evaluated; it is left in evaluation mode.
        objective: Gives the loss, and the score where it is `Scored`.
        dataset: Examples, at least one.
        batch_size: Examples at a time; those of a like length go together, and streams are read
            in order, with the network's state handed on.

    Returns:
        Loss and score, the means over the examples; None where there is no score.
    """
    device = device_of(network)
    scored = objective if isinstance(objective, Scored) else None
    sums, total = torch.zeros(2, dtype=torch.float64), 0.0
    with frozen(network):
        ask = Reader(network, dataset)
        for indices, weight in _batches(dataset, batch_size):
            batch: Any = move(dataset.batch(indices), device)
            output = ask(batch)
            total += weight
            sums[0] += objective(output, batch).double().cpu() * weight
            if scored is not None:
                sums[1] += scored.score(output, batch).double().cpu() * weight
    loss, score = (sums / total).tolist()
    return loss, None if scored is None else score


def _batches(dataset: Dataset, batch_size: int) -> Iterator[tuple[Tensor, float]]:
    """Indices of each batch, and how much it counts."""
    if isinstance(dataset, Ordered):
        for indices in dataset.order(batch_size, 0, seed=0).epoch(0):
            yield indices, dataset.weight(indices)
        return
    lengths = dataset.lengths
    order = torch.arange(len(dataset)) if lengths is None else lengths.argsort(stable=True)
    for indices in order.split(batch_size):
        yield indices, len(indices)
