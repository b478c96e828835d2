"""What an engine asks of a connectivity, and how one is named as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from torch import Tensor

from ..errors import InputError
from .dense import Dense


class Connectivity(Protocol):
    """How the state of the step before reaches the gates; a frozen value without tensors."""

    @property
    def key(self) -> str:
        """The value as text, from which `from_key` builds it again."""
        ...

    def output_size(self, hidden_size: int) -> int:
        """Features of the state that leaves the layer and reaches the gates."""
        ...

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of each weight, for a number of row blocks on the state's side."""
        ...

    def product(self, h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the gates receive from the last state, [batch, rows]."""
        ...

    def project(self, h: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The cell's new `h`, [batch, hidden], as it leaves the layer, [batch, output]."""
        ...


@lru_cache
def from_key(key: str) -> Connectivity:
    """Build a connectivity from its `key`.

    Example:
        >>> from_key("dense:3")
        Dense(proj_size=3)
    """
    kind, _, value = key.partition(":")
    if kind != "dense" or not value.isdecimal():
        raise InputError(f"connectivity={key!r} is not known: write 'dense:0' or 'dense:PROJ_SIZE'")
    return Dense(int(value))
