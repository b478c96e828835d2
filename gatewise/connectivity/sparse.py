"""What the sparse connectivities share: weights in some places of the matrix, zeros elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .expanded import Expanded
from .start import Fill

KEPT = "weight_hh_kept"
_INDEX = "index_hh"


class Sparse(Expanded, ABC):
    """Weights are kept in places that are fixed; `weight_hh_kept` holds them alone.

    Its first axis counts groups of row blocks whose places are the same: all gates one by one, or
    all of them together as one group.

    A gate's kept weights start as those of the dense matrix that the scheme draws, times the root
    of `hidden_size` over the number of places in the row, so that the gate receives the variance
    that the dense matrix would send. An identity keeps what it has in these places, as it is.
    """

    @abstractmethod
    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of the weight."""

    @abstractmethod
    def places(self, blocks: int, hidden_size: int) -> np.ndarray:
        """Where a group's weights stand in its rows of `weight_hh`, counted entry by entry."""

    def constants(self, blocks: int, hidden_size: int) -> dict[str, Tensor]:
        """The places as a tensor; see `Connectivity.constants`."""
        return {_INDEX: torch.from_numpy(self.places(blocks, hidden_size))} if blocks else {}

    def expand(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int
    ) -> dict[str, Tensor]:
        """Give the weights with `weight_hh`, [blocks * hidden, hidden], instead of the kept ones.

        Args:
            weights: The layer's weights by name; with the `constants`, these are not made anew.
            blocks: Row blocks on the state's side.
            hidden_size: Units of the cell.
        """
        others = dict(weights)
        kept, index = others.pop(KEPT, None), others.pop(_INDEX, None)
        if kept is None:
            return others
        if index is None:
            index = self.constants(blocks, hidden_size)[_INDEX].to(kept.device)
        flat = kept.flatten(1)
        zeros = flat.new_zeros(len(flat), blocks // len(flat) * hidden_size**2)
        dense = zeros.index_copy(1, index, flat)
        return others | {"weight_hh": dense.reshape(blocks * hidden_size, hidden_size)}

    def initialize(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int, fill: Fill
    ) -> None:
        """Start the kept weights in place; see the class and `Connectivity.initialize`."""
        kept = weights[KEPT]
        wide = torch.promote_types(kept.dtype, torch.float32)
        ones = torch.ones_like(kept, dtype=wide)
        mask = self.expand({KEPT: ones}, blocks, hidden_size)["weight_hh"]
        gain = (hidden_size / mask.sum(1, keepdim=True).clamp(min=1)).sqrt()
        dense = torch.empty_like(mask)
        rows = zip(dense.split(hidden_size), gain.split(hidden_size), strict=True)
        for gate, (matrix, factor) in enumerate(rows):
            fill(gate, matrix, factor)
        index = self.constants(blocks, hidden_size)[_INDEX].to(kept.device)
        kept.copy_(dense.reshape(len(kept), -1)[:, index].reshape(kept.shape))


@lru_cache(maxsize=32)
def pattern(seed: int, rows: int, columns: int, kept: int) -> np.ndarray:
    """Draw `kept` different columns for each row, in ascending order, [rows, kept].

    Example:
        >>> pattern(0, 2, 8, 3).tolist() == pattern(0, 2, 8, 3).tolist()
        True
    """
    # Of NumPy's generators this is the one whose numbers stay the same in all versions.
    drawn = np.random.RandomState(seed).random_sample((rows, columns))
    chosen = np.sort(np.argsort(drawn, axis=1, kind="stable")[:, :kept], axis=1)
    chosen.setflags(write=False)
    return chosen


def share(density: float, count: int) -> int:
    """How many of `count` are kept: the nearest whole number, and at least one."""
    return max(1, round(density * count))


def check_drawn(density: float, seed: int) -> None:
    """Refuse a density or a seed from which no pattern can be drawn.

    Raises:
        InputError: The density is not above 0 and at most 1, or the seed not of 32 bits.
    """
    number = isinstance(density, (int, float)) and not isinstance(density, bool)
    if not number or not 0 < density <= 1:
        raise InputError(
            f"density={density!r}: give the share of the weights to keep, above 0 and at most 1"
        )
    if type(seed) is not int or not 0 <= seed < 2**32:
        raise InputError(f"seed={seed!r}: give a whole number from 0 to {2**32 - 1}")
