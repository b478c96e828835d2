"""Find out why a loss or a gradient is not finite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ..data.batches import move
from ..errors import InputError
from .asking import device_of

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
) -> InputError:
    """Make the error that names example, column and step.

    The example is found by halving the batch, again and again: what is not finite together
    is not finite in one of the halves, unless it is only their sum that overflows.

    Args:
        network: With the weights that met the batch.
        objective: What gave the loss.
        dataset: Where the batch came from.
        indices: The batch's examples, int64, the batch first.
        what: "loss", "gradient" or "held-out loss".
        step: Number of the training step, from 1.
        lr: Learning rate at the time.
    """
    head = f"training stopped at step {step} because the {what} is not finite"
    remedy = f"lower lr (now {lr:.3g}) or look at what is extreme there"
    network.eval()
    while len(indices) > 1:
        first, second = indices.tensor_split(2)
        if not _finite(network, objective, dataset, first):
            indices = first
        elif not _finite(network, objective, dataset, second):
            indices = second
        else:
            return InputError(f"{head}, though either half of the batch alone is fine; {remedy}")
    index = int(indices.flatten()[0])
    where, culprit = dataset.where(index), dataset.culprit(index)
    if culprit:
        return InputError(f"{head}: {where}, {culprit}; fill that value or leave it out")
    return InputError(f"{head}: {where} is enough for it, though all its values are; {remedy}")


def _finite(network: nn.Module, objective: Objective, dataset: Dataset, indices: Tensor) -> bool:
    batch = move(dataset.batch(indices), device_of(network))
    network.zero_grad()
    # cuDNN has no backward in evaluation mode.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        loss = objective(network(batch), batch)
        if not math.isfinite(loss.item()):
            return False
        loss.backward()
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    finite = all(bool(g.isfinite().all()) for g in grads)
    network.zero_grad()
    return finite
