"""What tells one run from another: hashes of its examples and of its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ..data.digest import digest

if TYPE_CHECKING:
    from torch import nn

    from ..data.contract import Dataset


def of_examples(dataset: Dataset, most: int = 256) -> str:
    """Hash the number of examples and up to `most` of them, spread evenly."""
    count = len(dataset)
    indices = torch.linspace(0, count - 1, min(count, most), dtype=torch.float64).long()
    return digest(count, *_tensors(dataset.batch(indices)))


def of_network(network: nn.Module) -> str:
    """Hash the names, shapes and types of all weights."""
    held = network.state_dict().items()
    return digest({name: [*map(str, value.shape), str(value.dtype)] for name, value in held})


def _tensors(value: Any) -> list[Any]:
    """Flatten a batch to what can be hashed."""
    if isinstance(value, torch.Tensor):
        return [value.detach().cpu().numpy()]
    if isinstance(value, dict):
        return [t for part in value.values() for t in _tensors(part)]
    if isinstance(value, list | tuple):
        return [t for part in value for t in _tensors(part)]
    if isinstance(value, str | int | float | None):
        return [value]
    return _tensors(getattr(value, "__dict__", {}))
