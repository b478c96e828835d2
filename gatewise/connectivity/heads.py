"""Units in groups that do not hear each other: a block-diagonal recurrent matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .expanded import Expanded
from .start import Fill

_HEADS = "weight_hh_heads"


@dataclass(frozen=True)
class Heads(Expanded):
    """Units in `n` heads; a unit's gates hear the units of its own head only.

    The recurrent matrix of each gate is block-diagonal, with a weight in `n` times fewer places,
    as in the sLSTM (Beck et al., xLSTM, 2024, https://arxiv.org/abs/2405.04517). Each head's
    matrix starts as a dense one of its size would: orthogonal heads make an orthogonal matrix.

    Args:
        n: Heads; `hidden_size` must be a multiple of it.

    Raises:
        InputError: `n` is not a whole number of at least 1.

    Example:
        >>> Heads(2).parameters(blocks=4, hidden_size=8)
        {'weight_hh_heads': (4, 2, 4, 4)}
    """

    n: int

    def __post_init__(self) -> None:
        if type(self.n) is not int or self.n < 1:
            raise InputError(f"n={self.n!r}: give the heads as a whole number of at least 1")

    @property
    def key(self) -> str:
        """The value as text, from which `connectivity.from_key` builds it again."""
        return f"heads:{self.n}"

    @staticmethod
    def read(text: str) -> Heads:
        """Read what stands in a key after the first colon."""
        return Heads(int(text))

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of the weight: a matrix for each gate and head.

        Args:
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Raises:
            InputError: The units do not make heads of one size.
        """
        if hidden_size % self.n:
            raise InputError(
                f"n={self.n}: {hidden_size} units do not make {self.n} heads of one size; give a "
                f"number that divides hidden_size={hidden_size}"
            )
        units = hidden_size // self.n
        return {_HEADS: (blocks, self.n, units, units)} if blocks else {}

    def expand(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int
    ) -> dict[str, Tensor]:
        """Give the weights with `weight_hh`, [blocks * hidden, hidden], instead of the heads'."""
        others = dict(weights)
        heads = others.pop(_HEADS, None)
        if heads is None:
            return others
        # Axes [gate, head, unit, head, unit]: zeros where the two heads are not the same.
        dense = torch.diag_embed(heads.movedim(1, -1), dim1=1, dim2=3)
        return others | {"weight_hh": dense.reshape(blocks * hidden_size, hidden_size)}

    def initialize(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int, fill: Fill
    ) -> None:
        """Start each head's matrix in place; see `Connectivity.initialize`."""
        for gate, heads in enumerate(weights[_HEADS]):
            for head in heads:
                fill(gate, head, 1.0)
