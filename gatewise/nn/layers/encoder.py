"""The recurrent part of a task's network, as a small value that all tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...compiler import Cell
from ...errors import InputError
from ..arguments import check_rates, check_sizes, checked_cell

if TYPE_CHECKING:
    from .recurrent import Recurrent


_OPTIONS = (
    "connectivity", "layer_norm", "cell_clip", "zoneout", "recurrent_dropout",
    "recurrent_dropout_kind", "weight_dropout", "init",
)  # fmt: skip
"""What `Recurrent` checks, by the same names."""


@dataclass(frozen=True)
class Encoder:
    """Which recurrent layers read the input.

    Args:
        cell: A cell of `gatewise.cells` by name, or a cell of your own.
        hidden_size: Units of each layer and direction.
        num_layers: Layers, each fed with the outputs of the one before.
        dropout: Rate of what is dropped between layers while training.
        bidirectional: Whether a second set of layers reads time backwards.
        connectivity: How the last state reaches the gates: "dense", "heads:4" for heads that do
            not hear each other, "low_rank:16", "masked:0.1:0" and "block_sparse:0.1:16x1:0" for
            a share of the weights and a seed, "diagonal" for units that hear only themselves.
        layer_norm: Layer norm inside the recurrence: "ba" stores the memory as it is, "stored"
            its normal form.
        cell_clip: Limit of the memory on both sides.
        zoneout: Rate at which units keep their old memory while training.
        recurrent_dropout: Rate of what is dropped inside the recurrence while training.
        recurrent_dropout_kind: What that is: "semeniuta" drops the candidate at each step, "gal"
            what the recurrent weights multiply, the same units at all steps.
        weight_dropout: Rate of the recurrent weights that are dropped while training.
        init: How weights start: "default", "orthogonal", "xavier_normal", "uniform:0.1",
            "identity", "chrono:784" for a memory of up to 784 steps, and what else
            `gatewise.nn.Scheme` lists.

    Raises:
        InputError: A field is not of its kind, or the cell or the size cannot have it.

    Example:
        >>> Encoder(cell="gru", num_layers=2).build(3)
        Recurrent(gru, 3, 128, num_layers=2, dropout=0.1)
    """

    cell: str | Cell = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    dropout: float = 0.1
    bidirectional: bool = False
    connectivity: str = "dense"
    layer_norm: Literal["ba", "stored"] | None = None
    cell_clip: float | None = None
    zoneout: float = 0.0
    recurrent_dropout: float = 0.0
    recurrent_dropout_kind: Literal["semeniuta", "gal"] = "semeniuta"
    weight_dropout: float = 0.0
    init: str = "default"

    def __post_init__(self) -> None:
        checked_cell(self.cell)
        sizes = {"hidden_size": self.hidden_size, "num_layers": self.num_layers}
        check_sizes(sizes, self.dropout)
        if not isinstance(self.bidirectional, bool):
            raise InputError(f"bidirectional={self.bidirectional!r}: give True or False")
        if not isinstance(self.connectivity, str):
            key = getattr(self.connectivity, "key", "heads:4")
            raise InputError(f"connectivity={self.connectivity!r}: give its text, such as {key!r}")
        if not isinstance(self.init, str):
            raise InputError(f"init={self.init!r}: give a scheme as text, such as 'orthogonal'")
        check_rates({"zoneout": self.zoneout})
        if any(getattr(self, name) != getattr(Encoder, name) for name in _OPTIONS):
            # The layers know what goes together; only for these options is torch imported.
            self.build(1, device="meta")

    @property
    def output_size(self) -> int:
        """Features of each time step of the output."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    def build(self, input_size: int, device: str | None = None) -> Recurrent:
        """Make the layers.

        Args:
            input_size: Features of each time step.
            device: Device of the weights.
        """
        from .recurrent import Recurrent

        return Recurrent(
            self.cell,
            input_size,
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            device=device,
            **{name: getattr(self, name) for name in _OPTIONS},
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
            >>> Encoder.from_dict(Encoder(cell="gru").to_dict()) == Encoder(cell="gru")
            True
        """
        cell = data["cell"]
        return Encoder(**{**data, "cell": cell if isinstance(cell, str) else Cell.from_dict(cell)})
