"""A recurrent matrix with zeros in fixed places."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .sparse import KEPT, Sparse, check_drawn, pattern, share


class Bits(NamedTuple):
    """A mask as data: its size, and its entries row by row, eight in a byte."""

    rows: int
    columns: int
    packed: bytes

    def unpacked(self) -> np.ndarray:
        """The entries, [rows * columns], 1 for what is kept."""
        data = np.frombuffer(self.packed, np.uint8)
        return np.unpackbits(data, count=self.rows * self.columns)


@dataclass(frozen=True, repr=False)
class Masked(Sparse):
    """Each gate of a unit hears some of the units: a mask on the entries of `weight_hh`.

    By density and seed, each row of each gate keeps the same number of entries, drawn apart;
    with `Masked.of`, those that a mask of yours keeps, such as what pruning left. Only kept
    entries are weights. Random masks are a baseline that is hard to beat (Zhang & Stadie, One-shot
    Pruning of Recurrent Neural Networks by Jacobian Spectrum Evaluation, 2020,
    https://arxiv.org/abs/1912.00120). The product is a dense one, so it takes as long as without
    the mask.

    Args:
        density: Share of the entries of each row to keep, above 0 and at most 1.
        seed: Which of the masks of this density.
        given: A mask as data; `Masked.of` fills it in.

    Raises:
        InputError: Density or seed are not as above.

    Example:
        >>> Masked(density=0.25).parameters(blocks=4, hidden_size=8)
        {'weight_hh_kept': (1, 64)}
        >>> Masked.of(torch.eye(8, dtype=torch.bool)).parameters(blocks=4, hidden_size=8)
        {'weight_hh_kept': (4, 8)}
    """

    density: float = 0.1
    seed: int = 0
    given: Bits | None = None

    def __post_init__(self) -> None:
        check_drawn(self.density, self.seed)

    def __repr__(self) -> str:
        if self.given is None:
            return f"Masked(density={self.density!r}, seed={self.seed!r})"
        size = f"{self.given.rows} x {self.given.columns}"
        return f"Masked.of(<mask of {size} with density {self.density:.3g}>)"

    @staticmethod
    def of(mask: Tensor) -> Masked:
        """Make the connectivity of a mask.

        Args:
            mask: True for what is kept, [hidden, hidden] for all gates alike, or
                [gates * hidden, hidden] with the rows of `weight_hh`.

        Raises:
            InputError: It is not boolean, has no such shape, or keeps nothing.
        """
        boolean = isinstance(mask, Tensor) and mask.dtype == torch.bool
        if not boolean or mask.dim() != 2 or not mask.numel() or mask.shape[0] % mask.shape[1]:
            was = f"{mask.dtype} of shape {tuple(mask.shape)}" if isinstance(mask, Tensor) else mask
            raise InputError(
                f"mask={was}: give a boolean tensor, [hidden, hidden] or [gates * hidden, hidden]"
            )
        packed = np.packbits(mask.detach().cpu().numpy()).tobytes()
        return Masked._from(Bits(mask.shape[0], mask.shape[1], packed))

    @staticmethod
    def _from(given: Bits) -> Masked:
        kept = int(given.unpacked().sum())
        if not kept:
            raise InputError("mask keeps no entry: leave at least one True")
        return Masked(kept / (given.rows * given.columns), given=given)

    @property
    def key(self) -> str:
        """The value as text, from which `connectivity.from_key` builds it again."""
        if self.given is None:
            return f"masked:{self.density!r}:{self.seed}"
        text = b64encode(self.given.packed).decode()
        return f"masked:{self.given.rows}x{self.given.columns}:{text}"

    @staticmethod
    def read(text: str) -> Masked:
        """Read what stands in a key after the first colon."""
        first, _, second = text.partition(":")
        if "x" not in first:
            return Masked(float(first), int(second))
        rows, columns = map(int, first.split("x"))
        packed = b64decode(second, validate=True)
        if rows < 1 or columns < 1 or rows % columns or len(packed) != -(-rows * columns // 8):
            raise ValueError(text)
        return Masked._from(Bits(rows, columns, packed))

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of the kept weights, in the order of the rows.

        Args:
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Raises:
            InputError: The given mask is not of this size.
        """
        if not blocks:
            return {}
        groups = blocks if self.given and self.given.rows == hidden_size else 1
        return {KEPT: (groups, len(self.places(blocks, hidden_size)))}

    def places(self, blocks: int, hidden_size: int) -> np.ndarray:
        """Where the kept weights stand; see `Sparse.places`."""
        rows = blocks * hidden_size
        if self.given is not None:
            size = self.given.rows, self.given.columns
            if size not in ((hidden_size, hidden_size), (rows, hidden_size)):
                raise InputError(
                    f"mask of {size[0]} x {size[1]}: {hidden_size} units with {blocks} gates take "
                    f"{hidden_size} x {hidden_size}, for all gates alike, or {rows} x {hidden_size}"
                )
            return np.flatnonzero(self.given.unpacked())
        chosen = pattern(self.seed, rows, hidden_size, share(self.density, hidden_size))
        return (np.arange(rows)[:, None] * hidden_size + chosen).reshape(-1)
