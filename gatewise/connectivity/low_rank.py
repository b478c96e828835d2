"""A recurrent matrix that is the product of two thin ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .expanded import Expanded
from .start import Fill, orthogonal

_U, _V = "weight_hh_u", "weight_hh_v"


@dataclass(frozen=True)
class LowRank(Expanded):
    """All gates hear the same `rank` mixtures of the units: `weight_hh = U V`.

    Kuchaiev & Ginsburg, Factorization tricks for LSTM networks, 2017
    (https://arxiv.org/abs/1703.10722), who factorise the matrix of input and state together; here
    it is the state's. Unlike with a projection (`Dense(proj_size)`), the output keeps all units.

    The product starts with the variance that the scheme gives a dense matrix: `V` has
    orthonormal rows and each gate's `U` is `W V^T sqrt(hidden / rank)`, with a dense `W` after
    the scheme (the factor is split between `U` and `V`). For an orthogonal `W` the squares of the
    product's entries sum up to `hidden`, as those of `W` do, and the radius of its spectrum is
    about 1. An identity becomes the projection on `rank` directions, without the factor.

    Args:
        rank: Mixtures of the units; less than `hidden_size`.

    Raises:
        InputError: `rank` is not a whole number of at least 1.

    Example:
        >>> LowRank(2).parameters(blocks=4, hidden_size=8)
        {'weight_hh_u': (32, 2), 'weight_hh_v': (2, 8)}
    """

    rank: int

    def __post_init__(self) -> None:
        if type(self.rank) is not int or self.rank < 1:
            raise InputError(f"rank={self.rank!r}: give a whole number of at least 1")

    @property
    def key(self) -> str:
        """The value as text, from which `connectivity.from_key` builds it again."""
        return f"low_rank:{self.rank}"

    @staticmethod
    def read(text: str) -> LowRank:
        """Read what stands in a key after the first colon."""
        return LowRank(int(text))

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the two factors.

        Args:
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Raises:
            InputError: The rank is not less than that of a dense matrix.
        """
        if self.rank >= hidden_size:
            raise InputError(
                f"rank={self.rank}: give less than hidden_size={hidden_size}, the rank of a full "
                "matrix, or take Dense()"
            )
        shapes = {_U: (blocks * hidden_size, self.rank), _V: (self.rank, hidden_size)}
        return shapes if blocks else {}

    def expand(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int
    ) -> dict[str, Tensor]:
        """Give the weights with `weight_hh`, [blocks * hidden, hidden], instead of its factors."""
        others = dict(weights)
        if _U not in others:
            return others
        return others | {"weight_hh": others.pop(_U) @ others.pop(_V)}

    def initialize(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int, fill: Fill
    ) -> None:
        """Start both factors in place; see the class and `Connectivity.initialize`."""
        u, v = weights[_U], weights[_V]
        gain = (hidden_size / self.rank) ** 0.5
        basis = torch.empty_like(v, dtype=torch.promote_types(v.dtype, torch.float32))
        orthogonal(basis)
        for gate, rows in enumerate(u.split(hidden_size)):
            dense = basis.new_empty(hidden_size, hidden_size)
            fill(gate, dense, gain)
            rows.copy_(dense @ basis.T / gain**0.5)
        v.copy_(basis * gain**0.5)
