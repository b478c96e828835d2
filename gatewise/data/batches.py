"""A dataset, batch by batch and in order, where the network is."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .contract import Ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .contract import Dataset


@dataclass(frozen=True)
class Batches:
    """All examples of a dataset in order, or in its own, as batches; it may be gone through again.

    Args:
        dataset: Examples to go through.
        size: Examples of a batch; the last may hold fewer.
        device: Where the batches are put.
    """

    dataset: Dataset
    size: int
    device: torch.device | str = "cpu"

    def __len__(self) -> int:
        """Number of batches."""
        if isinstance(self.dataset, Ordered):
            return self.dataset.order(self.size, 0, seed=0).steps
        return -(-len(self.dataset) // self.size)

    def __iter__(self) -> Iterator[Any]:
        """Make the batches, one at a time."""
        for indices in self.indices():
            yield move(self.dataset.batch(indices), self.device)

    def indices(self) -> Iterator[Tensor]:
        """Indices of each batch's examples, int64, the batch first."""
        if isinstance(self.dataset, Ordered):
            yield from self.dataset.order(self.size, 0, seed=0).epoch(0)
        elif len(self.dataset):
            yield from torch.arange(len(self.dataset)).split(self.size)


def move(batch: Any, device: torch.device | str) -> Any:
    """Put the tensors of a batch on a device, inside dataclasses, tuples, lists and mappings.

    Example:
        >>> move({"x": torch.zeros(2), "name": "a"}, "meta")["x"].device
        device(type='meta')
    """
    if torch.device(device).type == "cpu":
        return batch
    if isinstance(batch, Tensor):
        return batch.to(device)
    if is_dataclass(batch) and not isinstance(batch, type):
        moved = {f.name: move(getattr(batch, f.name), device) for f in fields(batch) if f.init}
        return replace(batch, **moved)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(move(part, device) for part in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(move(part, device) for part in batch)
    if isinstance(batch, dict):
        return {name: move(part, device) for name, part in batch.items()}
    return batch
