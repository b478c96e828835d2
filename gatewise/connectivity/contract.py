"""What a layer asks of a connectivity, and how one is named as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from torch import Tensor

from ..errors import InputError, nearest
from .block_sparse import BlockSparse
from .dense import Dense
from .heads import Heads
from .low_rank import LowRank
from .masked import Masked
from .start import Fill


class Connectivity(Protocol):
    """How the state of the step before reaches the gates; a frozen value without tensors.

    Engines know one connectivity, the dense one. Any other owns fewer weights, from which
    `expand` makes the dense matrix, differentiably, before an engine is called:
    `recurrence(cell, value.expanded, x, value.expand(weights, blocks, hidden_size), ...)`. So
    engines, streams, `torch.compile` and export work with all of them.
    """

    @property
    def key(self) -> str:
        """The value as text, from which `from_key` builds it again."""
        ...

    @property
    def expanded(self) -> Dense:
        """The connectivity of the weights that `expand` gives, which every engine knows."""
        ...

    def output_size(self, hidden_size: int) -> int:
        """Features of the state that leaves the layer and reaches the gates."""
        ...

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of each weight, for a number of row blocks on the state's side.

        Without row blocks, in a cell whose units hear no other, there is none.
        """
        ...

    def constants(self, blocks: int, hidden_size: int) -> dict[str, Tensor]:
        """Tensors without a gradient that `expand` needs beside the weights, by name.

        A layer keeps them as buffers, so that they are on its device and known to a trace, and
        hands them to `expand` among the weights. Where they are not handed on, they are made.
        """
        ...

    def expand(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int
    ) -> dict[str, Tensor]:
        """Give a layer's weights with `weight_hh` in the place of the connectivity's own.

        Args:
            weights: All weights of one layer in one direction, and the `constants`, by name.
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Returns:
            The weights of `expanded`; `weight_hh` is [blocks * hidden, hidden]. The other ones
            are as they were, the constants are left out.
        """
        ...

    def initialize(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int, fill: Fill
    ) -> None:
        """Start the own weights in place; call it where no gradient is recorded.

        Args:
            weights: All weights of one layer in one direction, by name.
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.
            fill: Starts one gate's matrix, after the layer's scheme.
        """
        ...

    def product(self, h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the gates receive from the last state, [batch, rows], from expanded weights."""
        ...

    def project(self, h: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The cell's new `h`, [batch, hidden], as it leaves the layer, [batch, output]."""
        ...


_KINDS: dict[str, tuple[str, Callable[[str], Connectivity]]] = {
    "dense": ("dense:PROJ_SIZE", Dense.read),
    "heads": ("heads:N", Heads.read),
    "low_rank": ("low_rank:RANK", LowRank.read),
    "masked": ("masked:DENSITY:SEED", Masked.read),
    "block_sparse": ("block_sparse:DENSITY:16x1:SEED", BlockSparse.read),
}


@lru_cache
def from_key(key: str) -> Connectivity:
    """Build a connectivity from its `key`.

    Raises:
        InputError: There is no such kind, or its numbers are not as it needs them.

    Example:
        >>> from_key("dense:3")
        Dense(proj_size=3)
        >>> from_key("heads:4")
        Heads(n=4)
    """
    kind, _, text = key.partition(":")
    if kind not in _KINDS:
        forms = ", ".join(repr(form) for form, _ in _KINDS.values())
        close = nearest(kind, _KINDS)
        advice = close if close.startswith("did you mean") else f"write one of {forms}"
        raise InputError(f"connectivity={key!r} is not known: {advice}")
    form, read = _KINDS[kind]
    try:
        return read(text)
    except InputError:
        raise
    except ValueError:
        raise InputError(f"connectivity={key!r} is not known: write {form!r}") from None
