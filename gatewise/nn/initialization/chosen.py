"""Which scheme starts which weights of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from torch import Tensor

from ...compiler import Cell
from ...compiler.normalize import shift_of
from ...errors import InputError, nearest
from .chrono import keepers
from .schemes import MATRICES, WHOLE, Scheme

Schemes: TypeAlias = str | Scheme | Mapping[str, str | float | Scheme]
"""A scheme for a whole layer, or schemes by what they start."""


class Chosen:
    """The scheme of each row block of a layer's weights.

    Args:
        cell: The layer's cell.
        scheme: As in `initialize`.
        weights: The layer's weights, by name.

    Raises:
        InputError: A scheme or what it starts is unknown, or the two do not go together.

    Example:
        >>> from gatewise.cells import lstm
        >>> chosen = Chosen(lstm, {"weight_hh": "identity", "weight_hh.o": "orthogonal"}, {})
        >>> chosen.at("weight_hh", "f"), chosen.at("weight_hh", "o")
        (Scheme(name='identity', number=None), Scheme(name='orthogonal', number=None))
    """

    def __init__(self, cell: Cell, scheme: Schemes, weights: Mapping[str, Tensor]) -> None:
        self.cell = cell
        self._shifts = shifts(cell, weights)
        self._rows = _rows(cell, weights, self._shifts)
        if isinstance(scheme, str) and scheme in WHOLE:
            named = WHOLE[scheme].items()
            scheme = {at: value for at, value in named if at in MATRICES or at in self._rows}
        if isinstance(scheme, Mapping):
            self._by_place = {place: Scheme.read(value) for place, value in scheme.items()}
        else:
            self._by_place = self._whole(Scheme.read(scheme))
        for place, value in self._by_place.items():
            self._check(place, value)

    def at(self, place: str, row: str = "") -> Scheme:
        """The scheme of a row block, or of what has none: what names it most closely.

        Args:
            place: `"weight_ih"`, `"weight_hh"`, `"weight_hr"`, `"bias"` or a vector of the cell.
            row: The row block, such as `"f"`.
        """
        for name in (*self._own(place, row), f"{place}.{self.cell.block(row)}", place):
            scheme = self._by_place.get(name)
            if scheme is not None:
                return self.default(place, row) if scheme.name == "default" else scheme
        return self.default(place, row)

    def is_shared(self, place: str, row: str) -> bool:
        """Whether the scheme of a row block was given for more than it, perhaps its other half."""
        own = {*self._own(place, row)}
        wider = {f"{place}.{self.cell.block(row)}", place} - own
        return own.isdisjoint(self._by_place) and not wider.isdisjoint(self._by_place)

    def is_default(self, place: str) -> bool:
        """Whether nothing was said of a vector."""
        given = self._by_place.get(place)
        return given is None or given.name == "default"

    def default(self, place: str, row: str = "") -> Scheme:
        """The scheme of what is not named."""
        if place == "weight_ih":
            return Scheme("xavier_uniform")
        if place in ("weight_hh", "weight_hr"):
            return Scheme("orthogonal")
        vector = self._shifts.get(row) if place == "bias" else place
        value = self.cell.bias.get(row, 0.0) if vector is None else self.cell.weights[vector]
        return Scheme("constant", value)

    def _own(self, place: str, row: str) -> tuple[str, ...]:
        """What names a row block alone; the shift of layer norm has a name of its own."""
        shift = self._shifts.get(row) if place == "bias" else None
        return (*filter(None, (shift,)), f"{place}.{row}")

    def _whole(self, scheme: Scheme) -> dict[str, Scheme]:
        """Where a scheme applies that is given for the whole layer."""
        places = [place for place in scheme.kind.places if place in self._rows]
        if not places and scheme.name != "default":
            raise InputError(
                f"scheme {str(scheme)!r} alone has nothing to start here: name what it starts, as "
                'in {"weight_hh.f": "orthogonal", "bias.f": 1.0}'
            )
        return dict.fromkeys(places, scheme)

    def _check(self, place: str, scheme: Scheme) -> None:
        half, dot, gate = str(place).partition(".")
        rows = self._rows.get(half, ())
        if half not in self._rows or (dot and gate not in {*rows, *map(self.cell.block, rows)}):
            gates = (f"{half}.{row}" for half, rows in self._rows.items() for row in rows)
            raise InputError(
                f"scheme names {place!r}, which this layer of cell {self.cell.name} does not have: "
                f"{nearest(str(place), (*self._rows, *gates))}"
            )
        if scheme.name == "chrono":
            self._check_chrono(half, gate, scheme)
        elif half not in MATRICES and not scheme.kind.vectors:
            raise InputError(
                f"scheme {str(scheme)!r} cannot start {place!r}, which is a vector: give a number, "
                "'uniform' or 'normal:0.1'"
            )

    def _check_chrono(self, half: str, gate: str, scheme: Scheme) -> None:
        kept = keepers(self.cell)
        gates = dict.fromkeys(map(self.cell.block, kept))
        if half != "bias" or not kept or (gate and gate not in {*kept, *gates}):
            which = " or ".join(repr(f"bias.{name}") for name in gates)
            advice = f"name 'bias', or {which} alone" if kept else "the cell has no such gate"
            raise InputError(
                f"scheme {str(scheme)!r} cannot start {'.'.join(filter(None, (half, gate)))!r} of "
                f"cell {self.cell.name}: it is for the bias of the gate that keeps the memory; "
                f"{advice}"
            )


def shifts(cell: Cell, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Row blocks with the vectors that layer norm has in place of their biases, if it has."""
    if "bias_ih" in weights or "bias_hh" in weights:
        return {}
    named = ((row, shift_of(cell, row)) for row in (*cell.input_rows, *cell.state_rows))
    return {row: name for row, name in named if name is not None and name in weights}


def _rows(
    cell: Cell, weights: Mapping[str, Tensor], shifted: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """What a scheme can start in a layer, and its row blocks."""
    halves = {"bias_ih": cell.input_rows, "bias_hh": cell.state_rows}
    held = [row for name, rows in halves.items() if name in weights for row in rows]
    biased = (*held, *shifted)
    rows = {
        "weight_ih": cell.input_rows,
        "weight_hh": cell.state_rows,
        "bias": tuple(dict.fromkeys(biased)),
    }
    whole = [name for name in ("weight_hr", *cell.weights) if name in weights]
    return {place: blocks for place, blocks in rows.items() if blocks} | dict.fromkeys(whole, ())
