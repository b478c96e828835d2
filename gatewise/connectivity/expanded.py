"""What connectivities share whose weights become one dense matrix before an engine sees them."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from .dense import Dense


class Expanded:
    """A connectivity of fewer weights than the dense one, without a projection of the state."""

    @property
    def expanded(self) -> Dense:
        """The connectivity of the weights that `expand` gives, which every engine knows."""
        return Dense()

    def output_size(self, hidden_size: int) -> int:
        """Features of the state that leaves the layer and reaches the gates: all of them."""
        return hidden_size

    def constants(self, blocks: int, hidden_size: int) -> dict[str, Tensor]:
        """Tensors that `expand` needs beside the weights; see `Connectivity.constants`."""
        return {}

    def product(self, h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the gates receive from the last state, from rows of the expanded `weight_hh`."""
        return F.linear(h, weight, bias)

    def project(self, h: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The cell's new `h` as it leaves the layer: unchanged."""
        return h
