"""From sequences to their vectors, and to what the vectors say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn


class Codes:
    """The vector of each sequence of a batch, float32 [batch, code]."""

    def __call__(self, network: Any, batch: Any) -> np.ndarray:
        """Ask the network's encoder."""
        return network.encode(batch).cpu().numpy()


class Reconstructions:
    """Each sequence of a batch as its vector gives it back, float32 [steps, channels] each."""

    def __call__(self, network: nn.Module, batch: Any) -> list[np.ndarray]:
        """Run the whole network, and cut what lies past a sequence's end."""
        found = network(batch).reconstruction.cpu().numpy()
        lengths = batch.lengths.tolist()
        return [part[:n] for part, n in zip(found, lengths, strict=True)]
