"""Ask a network without teaching it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ..data.batches import Batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from ..data.contract import Dataset
    from ..decoders.contract import Decoder


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Keep a network in evaluation mode and record no gradients."""
    network.eval()
    with torch.no_grad():
        yield


def answers(network: nn.Module, decode: Decoder, dataset: Dataset, batch_size: int) -> list[Any]:
    """Decode a dataset in order.

    Args:
        network: What is asked, wherever it is.
        decode: Network and batch to an answer.
        dataset: Examples; none give no answers.
        batch_size: Examples at a time.

    Returns:
        One answer per batch.
    """
    with frozen(network):
        batches = Batches(dataset, batch_size, device_of(network))
        return [decode(network, batch) for batch in batches]


def device_of(network: nn.Module) -> torch.device:
    """Where a network's weights are; the CPU for one that has none."""
    return next((p.device for p in network.parameters()), torch.device("cpu"))
