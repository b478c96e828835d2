"""Weights that are mostly zero, for layers that run step by step: zeros take no time.

A block of units, as many as a vector holds, reads those columns of a matrix in which one of its
gates has a weight that is not zero. So time goes down where zeros stand in blocks of 16 rows
(8 of float64, or of AVX2), as the connectivity `BlockSparse` places them, or heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ...errors import InputError
from ..call import Call
from . import kernels
from .host import host
from .stream_weights import FloatPanels, Layer, Matrix, layer_of, matrices, room

_WORTH = 0.85
"""Share of the columns up to which leaving out the others pays."""


def is_sparse(calls: Sequence[Call]) -> bool:
    """Whether so many columns of the layers' matrices are zero, block by block, that it pays."""
    kept = whole = 0
    for call in calls:
        layer = layer_of(call, host())
        for _, mask in _masks(layer, call.weights):
            kept += mask.sum(1).max() * len(mask)
            whole += mask.size
    return kept <= _WORTH * whole


class SparsePanels:
    """The columns of each block of units that are not zero; see `FloatPanels`.

    Attributes:
        kernel: The kernel that reads them.
        words: Where it finds them.
    """

    def __init__(self, layer: Layer, weights: Mapping[str, Tensor]) -> None:
        self._layer = layer
        self.kernel = kernels.forward(layer.plan, layer.kind, layer.machine, False, "sparse")
        self._rooms: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.words: dict[str, int] = {}
        self.pack(weights)

    def pack(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the weights as they are now.

        Raises:
            InputError: There is a weight where too many columns were zero before.
        """
        whole, lanes = FloatPanels(self._layer, weights), self._layer.sizes.lanes
        for found, mask in _masks(self._layer, weights):
            name = f"{found.part}:{found.source}"
            panel = whole.panels[f"panel:{name}"]
            blocks = len(mask)
            # [blocks, columns, gates * lanes], as the kernel walks it.
            panel = panel.reshape(blocks, found.columns, len(found.starts) * lanes)
            count = int(mask.sum(1).max())
            if name not in self._rooms:
                self._rooms[name] = (
                    room((blocks, count, panel.shape[-1]), self._layer.kind),
                    room((blocks, count), "int64"),
                )
                kept, columns = self._rooms[name]
                self.words |= {f"panel:{name}": kept.ctypes.data, f"chosen:{name}": count,
                               f"columns:{name}": columns.ctypes.data}  # fmt: skip
            kept, columns = self._rooms[name]
            if count > columns.shape[1]:
                raise InputError(
                    "the layer has weights where they were zero when this stream was made: make a "
                    "new one with layer.stream(...)"
                )
            kept[...], columns[...] = 0, 0
            for block, chosen in enumerate(mask):
                places = np.flatnonzero(chosen)
                columns[block, : len(places)] = places
                kept[block, : len(places)] = panel[block, places]


def _masks(
    layer: Layer, weights: Mapping[str, Tensor]
) -> Iterator[tuple[Matrix, np.ndarray[Any, Any]]]:
    """For each matrix of a layer which columns each block of units reads, [blocks, columns]."""
    sizes = layer.sizes
    for found in matrices(layer):
        weight = weights[found.weight].numpy(force=True)
        blocks = sizes.padded(found.units) // sizes.lanes
        mask = np.zeros((blocks * sizes.lanes, found.columns), dtype=bool)
        for start in found.starts:
            # What is no number is not zero either.
            mask[: found.units] |= weight[start : start + found.units] != 0
        tiles = mask.reshape(blocks, sizes.lanes, found.columns)
        yield found, np.asarray(tiles.any(1))
