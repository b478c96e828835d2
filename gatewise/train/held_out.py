"""The mean loss and score of a network over a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ..data.batches import move
from ..objectives.contract import Scored
from .asking import device_of, frozen

if TYPE_CHECKING:
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
        batch_size: Examples at a time; those of a like length go together.

    Returns:
        Loss and score, the means over the examples; None where there is no score.
    """
    device = device_of(network)
    scored = objective if isinstance(objective, Scored) else None
    sums = torch.zeros(2, dtype=torch.float64)
    with frozen(network):
        for indices in _by_length(dataset).split(batch_size):
            batch: Any = move(dataset.batch(indices), device)
            output = network(batch)
            sums[0] += objective(output, batch).double().cpu() * len(indices)
            if scored is not None:
                sums[1] += scored.score(output, batch).double().cpu() * len(indices)
    loss, score = (sums / len(dataset)).tolist()
    return loss, None if scored is None else score


def _by_length(dataset: Dataset) -> Tensor:
    lengths = dataset.lengths
    return torch.arange(len(dataset)) if lengths is None else lengths.argsort(stable=True)
