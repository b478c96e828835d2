"""The recurrent part of a task's network, as a small value that all tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compiler import Cell
from ..errors import InputError
from .arguments import check_sizes, checked_cell

if TYPE_CHECKING:
    from .recurrent import Recurrent


@dataclass(frozen=True)
class Encoder:
    """Which recurrent layers read the input.

    Args:
        cell: A cell of `gatewise.cells` by name, or a cell of your own.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, each fed with the outputs of the one before.
        dropout: Rate of what is dropped between layers while training.
        bidirectional: Whether a second set of layers reads time backwards.

    Raises:
        InputError: A field is not of its kind.

    Example:
        >>> Encoder(cell="gru", num_layers=2).build(3)
        Recurrent(gru, 3, 128, num_layers=2, dropout=0.1)
    """

    cell: str | Cell = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    dropout: float = 0.1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        checked_cell(self.cell)
        sizes = {"hidden_size": self.hidden_size, "num_layers": self.num_layers}
        check_sizes(sizes, self.dropout)
        if not isinstance(self.bidirectional, bool):
            raise InputError(f"bidirectional={self.bidirectional!r}: give True or False")

    @property
    def output_size(self) -> int:
        """Features of each time step of the output."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    def build(self, input_size: int) -> Recurrent:
        """Make the layers.

        Args:
            input_size: Features of each time step.
        """
        from .recurrent import Recurrent

        return Recurrent(
            self.cell,
            input_size,
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the spec as JSON-able data; a cell of your own goes with its equations."""
        own = {} if isinstance(self.cell, str) else {"cell": self.cell.to_dict()}
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | own

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Encoder:
        """Read a spec back.

        Example:
            >>> Encoder.from_dict(Encoder(cell="gru").to_dict())
            Encoder(cell='gru', hidden_size=128, num_layers=1, dropout=0.1, bidirectional=False)
        """
        cell = data["cell"]
        return Encoder(**{**data, "cell": cell if isinstance(cell, str) else Cell.from_dict(cell)})
