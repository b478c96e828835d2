"""Find out why a loss or a gradient is not finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ..data.batches import move
from ..errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..data.contract import Dataset
    from ..objectives.contract import Objective


def stop(
    network: nn.Module,
    objective: Objective,
    dataset: Dataset,
    indices: Tensor,
    *,
    what: str,
    step: int,
    lr: float,
    device: torch.device | str = "cpu",
) -> InputError:
    """Make the error that names example, column and step, by looking at a batch one by one.

    Args:
        network: With the weights that met the batch.
        objective: What gave the loss.
        dataset: Where the batch came from.
        indices: The batch's examples, int64 [batch].
        what: "loss", "gradient" or "held-out loss".
        step: Number of the training step, from 1.
        lr: Learning rate at the time.
        device: Where the network is.
    """
    head = f"training stopped at step {step} because the {what} is not finite"
    for index in indices.tolist():
        if culprit := dataset.culprit(index):
            where = dataset.where(index)
            return InputError(f"{head}: {where}, {culprit}; fill that value or leave it out")
    remedy = f"lower lr (now {lr:g}) or look at what is extreme there"
    network.eval()
    for index in indices.tolist():
        one = torch.tensor([index])
        if not _finite(network, objective, move(dataset.batch(one), device)):
            return InputError(f"{head}: {dataset.where(index)} alone is enough for it; {remedy}")
    return InputError(f"{head}, though each example of the batch alone is fine; {remedy}")


def _finite(network: nn.Module, objective: Objective, batch: object) -> bool:
    network.zero_grad()
    with torch.enable_grad():
        loss = objective(network(batch), batch)
        if not math.isfinite(loss.item()):
            return False
        loss.backward()
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    finite = all(bool(g.isfinite().all()) for g in grads)
    network.zero_grad()
    return finite
