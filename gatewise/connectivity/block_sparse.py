"""A recurrent matrix of small blocks, the same for all gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .sparse import KEPT, Sparse, check_drawn, pattern, share


@dataclass(frozen=True)
class BlockSparse(Sparse):
    """Tiles of neighbouring units hear the same few units, with all their gates.

    The rows of one gate are cut into tiles of `block[0]` units, the columns into groups of
    `block[1]`; each tile keeps the same number of groups, drawn by the seed, the same ones for all
    gates. So a kernel that computes all gates of 16 units loads each unit that they hear once, and
    all tiles take equally long. Blocks of 16 x 1 are those of Kalchbrenner et al., Efficient
    Neural Audio Synthesis, 2018 (https://arxiv.org/abs/1802.08435); blocks in recurrent layers go
    back to Narang, Undersander & Diamos, Block-Sparse Recurrent Neural Networks, 2017
    (https://arxiv.org/abs/1711.02782). Streams leave the other blocks out; engines that run whole
    sequences multiply the dense matrix, zeros included.

    Args:
        density: Share of the groups that a tile keeps, above 0 and at most 1.
        block: Units of a tile and of a group; `hidden_size` must be a multiple of both.
        seed: Which of the patterns of this density.

    Raises:
        InputError: An argument is not as above.

    Example:
        >>> BlockSparse(0.25).parameters(blocks=4, hidden_size=64)
        {'weight_hh_kept': (4, 4, 16, 16)}
    """

    density: float
    block: tuple[int, int] = (16, 1)
    seed: int = 0

    def __post_init__(self) -> None:
        check_drawn(self.density, self.seed)
        block = self.block
        whole = isinstance(block, (tuple, list)) and all(type(n) is int and n > 0 for n in block)
        if not whole or len(block) != 2:
            raise InputError(f"block={block!r}: give units of a tile and of a group, as in (16, 1)")
        object.__setattr__(self, "block", tuple(block))

    @property
    def key(self) -> str:
        """The value as text, from which `connectivity.from_key` builds it again."""
        tile, group = self.block
        return f"block_sparse:{self.density!r}:{tile}x{group}:{self.seed}"

    @staticmethod
    def read(text: str) -> BlockSparse:
        """Read what stands in a key after the first colon."""
        density, block, seed = text.split(":")
        tile, group = map(int, block.split("x"))
        return BlockSparse(float(density), (tile, group), int(seed))

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of the kept weights, [gates, tiles, groups, entries of a block].

        Args:
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Raises:
            InputError: The units do not make whole blocks.
        """
        chosen = self._chosen(hidden_size)
        return {KEPT: (blocks, *chosen.shape, self.block[0] * self.block[1])} if blocks else {}

    def places(self, blocks: int, hidden_size: int) -> np.ndarray:
        """Where a gate's kept weights stand; see `Sparse.places`."""
        tile, group = self.block
        chosen = self._chosen(hidden_size)
        # Axes [tile, group, unit of the tile, unit of the group].
        rows = (np.arange(len(chosen))[:, None] * tile + np.arange(tile))[:, None, :, None]
        columns = (chosen[:, :, None] * group + np.arange(group))[:, :, None, :]
        return (rows * hidden_size + columns).reshape(-1)

    def _chosen(self, hidden_size: int) -> np.ndarray:
        """Which groups each tile keeps, [tiles, groups]."""
        tile, group = self.block
        if hidden_size % tile or hidden_size % group:
            raise InputError(
                f"block={self.block}: hidden_size={hidden_size} is not a multiple of {tile} and of "
                f"{group}; give a block that fits, or other units"
            )
        groups = hidden_size // group
        return pattern(self.seed, hidden_size // tile, groups, share(self.density, groups))
