"""Every unit's last state reaches every gate of every unit, through one matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError
from .start import Fill


@dataclass(frozen=True)
class Dense:
    """A full matrix from the last state to the gates, after an optional low-rank projection.

    With a projection the cell's new `h` is mapped to `proj_size` features, which are the
    layer's output and what the gates see at the next step (Sak, Senior & Beaufays 2014,
    https://arxiv.org/abs/1402.1128).

    Args:
        proj_size: Features of the projected state; 0 for no projection.

    Example:
        >>> Dense().parameters(blocks=4, hidden_size=8)
        {'weight_hh': (32, 8)}
        >>> Dense(proj_size=3).parameters(blocks=4, hidden_size=8)
        {'weight_hh': (32, 3), 'weight_hr': (3, 8)}
    """

    proj_size: int = 0

    def __post_init__(self) -> None:
        if type(self.proj_size) is not int or self.proj_size < 0:
            raise InputError(
                f"proj_size={self.proj_size!r}: give the features of the projected state as a "
                "whole number, or 0 for no projection"
            )

    @property
    def key(self) -> str:
        """The value as text, from which `connectivity.from_key` builds it again."""
        return f"dense:{self.proj_size}"

    @staticmethod
    def read(text: str) -> Dense:
        """Read what stands in a key after the first colon."""
        return Dense(int(text))

    @property
    def expanded(self) -> Dense:
        """The connectivity of the weights that `expand` gives: this one."""
        return self

    def output_size(self, hidden_size: int) -> int:
        """Features of the state that leaves the layer and reaches the gates."""
        return self.proj_size or hidden_size

    def parameters(self, blocks: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of each weight.

        Args:
            blocks: Row blocks on the state's side, one for each gate that it reaches.
            hidden_size: Units of the cell.

        Raises:
            InputError: The projection is not narrower than the cell.
        """
        if self.proj_size >= hidden_size:
            raise InputError(
                f"proj_size={self.proj_size}: a projection makes the state narrower, so it must be "
                f"less than hidden_size={hidden_size}; give 0 for none"
            )
        shapes: dict[str, tuple[int, ...]] = {}
        if blocks:
            shapes["weight_hh"] = (blocks * hidden_size, self.output_size(hidden_size))
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, hidden_size)
        return shapes

    def constants(self, blocks: int, hidden_size: int) -> dict[str, Tensor]:
        """Tensors that `expand` needs beside the weights: none."""
        return {}

    def expand(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int
    ) -> dict[str, Tensor]:
        """Give the weights as they are."""
        return dict(weights)

    def initialize(
        self, weights: Mapping[str, Tensor], blocks: int, hidden_size: int, fill: Fill
    ) -> None:
        """Start each gate's matrix in place; the projection is the layer's to start."""
        for gate, matrix in enumerate(weights["weight_hh"].split(hidden_size)):
            fill(gate, matrix, 1.0)

    def product(self, h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """What the gates receive from the last state.

        Args:
            h: The state that reaches the gates, [batch, output].
            weight: All rows of `weight_hh`, or those of one stage, [rows, output].
            bias: One value a row, or nothing.
        """
        return F.linear(h, weight, bias)

    def project(self, h: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """The cell's new `h`, [batch, hidden], as it leaves the layer, [batch, output]."""
        return F.linear(h, weights["weight_hr"]) if self.proj_size else h
