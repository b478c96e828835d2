"""A cell as a value: what it takes, what it computes, and nothing of the function it came from."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..errors import InputError, nearest
from .expr import Expr, walk

if TYPE_CHECKING:
    from .stages import Stage

KINDS = ("gate", "from_input", "from_state", "state", "weight", "hyper", "noise")
"""What a cell's parameter can be; `declare` says what each means."""

_INPUT_HALF, _STATE_HALF = ("gate", "from_input"), ("gate", "from_state")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Draw:
    """How noise is drawn while a layer trains: 0, or else the one number that keeps the mean.

    The mean is the value of the noise in evaluation, so what is not 0 is `mean / chance`.

    Attributes:
        chance: Probability of not being 0.
        per: `"step"` for a mask of its own at each step, `"sequence"` for one that all steps share.

    Example:
        >>> Draw(0.9)
        Draw(chance=0.9, per='step')
    """

    chance: float
    per: str = "step"


@dataclass(frozen=True)
class Port:
    """One named thing that a cell takes.

    Attributes:
        name: As in the declaring function's signature.
        kind: One of `KINDS`.
        initial: Initial bias of a gate, initial value of a weight, value of a hyper, value of
            noise where none is drawn.
        draw: How a layer draws noise while it trains; None where it is only given from outside.
    """

    name: str
    kind: str
    initial: float = 0.0
    draw: Draw | None = None


@dataclass(frozen=True)
class Cell:
    """The pointwise part of a recurrent layer, for one unit: gates and old state to new state.

    A frozen value: compared and hashed by content, saved as data, run by any engine. Made by the
    decorator `cell`, or by `Cell.from_dict`; there is nothing to subclass.

    Attributes:
        name: What it is called.
        ports: What it takes, in declared order.
        outputs: The new states, in the order in which the states are declared. The first state
            is the output of the layer and what the recurrent weights multiply.
        labels: Names that the declaring function gave to values, for readable text.
        doc: Its docstring, with its paper.

    Example:
        >>> from gatewise.cells import lstm
        >>> lstm.states, lstm.input_rows, lstm.bias
        (('h', 'c'), ('i', 'f', 'g', 'o'), {'f': 1.0})
        >>> Cell.from_dict(lstm.to_dict()) == lstm
        True
    """

    name: str
    ports: tuple[Port, ...]
    outputs: tuple[Expr, ...]
    labels: tuple[tuple[str, Expr], ...] = ()
    doc: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        _check(self)
        self.stages  # noqa: B018  Refuses equations without a value now, not in an engine.
        object.__setattr__(self, "__doc__", self.doc)  # What help(cell) shows.

    def __repr__(self) -> str:
        return f"<cell {self.name}({', '.join(f'{p.name}: {p.kind}' for p in self.ports)})>"

    def __reduce__(self) -> tuple:
        return Cell.from_dict, (self.to_dict(),)

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Name to kind, in declared order."""
        return {p.name: p.kind for p in self.ports}

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Names of what is carried in time; the first is the output."""
        return tuple(p.name for p in self.ports if p.kind == "state")

    @cached_property
    def input_rows(self) -> tuple[str, ...]:
        """Row blocks of `weight_ih` and `bias_ih`, in order."""
        return tuple(p.name for p in self.ports if p.kind in _INPUT_HALF)

    @cached_property
    def state_rows(self) -> tuple[str, ...]:
        """Row blocks of `weight_hh` and `bias_hh`, in order."""
        return tuple(p.name for p in self.ports if p.kind in _STATE_HALF)

    def block(self, row: str) -> str:
        """Name what a row block is part of: the halves `n_x` and `n_h` are both of `n`.

        Example:
            >>> from gatewise.cells import gru
            >>> [gru.block(row) for row in gru.state_rows]
            ['r', 'z', 'n']
        """
        stem = row[:-2]
        pair = {f"{stem}_x": "from_input", f"{stem}_h": "from_state"}
        return stem if row in pair and pair.items() <= self.inputs.items() else row

    @cached_property
    def bias(self) -> dict[str, float]:
        """Initial bias, in total over both halves, of the row blocks where it is not 0."""
        kinds = (*_INPUT_HALF, *_STATE_HALF)
        return {p.name: p.initial for p in self.ports if p.kind in kinds and p.initial}

    @cached_property
    def weights(self) -> dict[str, float]:
        """Learnable vectors, one number per unit, and their initial value."""
        return {p.name: p.initial for p in self.ports if p.kind == "weight"}

    @cached_property
    def hypers(self) -> dict[str, float]:
        """Constants of the equations and their value."""
        return {p.name: p.initial for p in self.ports if p.kind == "hyper"}

    @cached_property
    def noises(self) -> dict[str, float]:
        """What is given per unit and step, such as a mask, and its value where none is given."""
        return {p.name: p.initial for p in self.ports if p.kind == "noise"}

    @cached_property
    def draws(self) -> dict[str, Draw]:
        """How a layer in training draws each noise that it draws."""
        return {p.name: p.draw for p in self.ports if p.draw is not None}

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The equations, cut where a product with the recurrent weights is needed in between."""
        from .stages import split

        return split(self)

    @cached_property
    def key(self) -> str:
        """The cell as one canonical string (without its docstring): `Cell.from_key` reads it."""
        content = {k: v for k, v in self.to_dict().items() if k != "doc"}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    def with_(self, **hypers: float) -> Cell:
        """Make the same cell with other values of its constants.

        Args:
            **hypers: New value of each `Hyper` to change, by name.

        Raises:
            InputError: The cell has no `Hyper` of that name, or the value is not a finite number.

        Example:
            >>> from gatewise.compiler import Gate, Hyper, State, cell, tanh
            >>> @cell
            ... def leaky(a: Gate, h: State, keep: Hyper = 0.9):
            ...     return keep * h + (1 - keep) * tanh(a)
            >>> leaky.with_(keep=0.5).hypers
            {'keep': 0.5}
        """
        for name in hypers:
            if name not in self.hypers:
                raise InputError(
                    f"cell {self.name} has no Hyper {name!r}: {nearest(name, self.hypers)}"
                )
        ports = tuple(
            replace(p, initial=hypers[p.name]) if p.name in hypers else p for p in self.ports
        )
        return replace(self, ports=ports)

    def to_dict(self) -> dict[str, Any]:
        """Give the cell as JSON-able data, with a format version."""
        from .saved import to_dict

        return to_dict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Cell:
        """Read a cell back; runs no code from it.

        Raises:
            InputError: The data is not a cell of a format that this version reads.
        """
        from .saved import from_dict

        return from_dict(data)

    @staticmethod
    def from_key(key: str) -> Cell:
        """Read a cell back from its `key`."""
        from .saved import from_key

        return from_key(key)


def _check(cell: Cell) -> None:
    """Refuse what no engine could run, wherever the cell came from."""
    for name in (cell.name, *(p.name for p in cell.ports), *(name for name, _ in cell.labels)):
        if not isinstance(name, str) or not _NAME.match(name) or keyword.iskeyword(name):
            raise InputError(
                f"{name!r} in cell {cell.name!r} cannot be a name: use letters, digits and "
                "underscores of ASCII, starting with a letter"
            )
    seen: set[str] = set()
    for port in cell.ports:
        if port.name in seen:
            raise InputError(f"cell {cell.name} declares {port.name!r} twice")
        seen.add(port.name)
        _check_port(cell, port)
    if not cell.states:
        raise InputError(f"cell {cell.name} declares no State: add one, such as h: State")
    if len(cell.outputs) != len(cell.states):
        raise InputError(
            f"cell {cell.name} declares {len(cell.states)} states ({', '.join(cell.states)}) and "
            f"returns {len(cell.outputs)} values: return the new states in the declared order"
        )
    _check_graph(cell)


def _check_port(cell: Cell, port: Port) -> None:
    if port.kind not in KINDS:
        raise InputError(
            f"{port.name!r} of cell {cell.name} has the kind {port.kind!r}: "
            f"{nearest(str(port.kind), KINDS)}"
        )
    number = port.initial
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not isfinite(number):
        raise InputError(
            f"{port.name} of cell {cell.name} must start from a finite number, not {number!r}"
        )
    if port.draw is not None:
        _check_draw(cell, port, port.draw)


def _check_draw(cell: Cell, port: Port, draw: Draw) -> None:
    where = f"{port.name} of cell {cell.name}"
    if port.kind != "noise":
        raise InputError(f"{where} is a {port.kind}: only Noise can be drawn")
    chance = draw.chance
    if isinstance(chance, bool) or not isinstance(chance, (int, float)) or not 0 < chance <= 1:
        raise InputError(f"{where} is drawn with chance={chance!r}: give more than 0, at most 1")
    if draw.per not in ("step", "sequence"):
        raise InputError(
            f"{where} is drawn per={draw.per!r}: {nearest(str(draw.per), ('step', 'sequence'))}"
        )


def _check_graph(cell: Cell) -> None:
    """A row block is used in one way only; every name is declared."""
    nodes = walk(cell.outputs)
    applied: set[object] = set()
    for node in nodes:
        if node.op in ("var", "product") and node.value not in cell.inputs:
            raise InputError(f"cell {cell.name} uses {node.value!r} without declaring it")
        if node.op == "product":
            if cell.inputs[str(node.value)] != "from_state":
                raise InputError(
                    f"{node.value} of cell {cell.name} is a {cell.inputs[str(node.value)]}: only a "
                    "Gate or FromState can be applied to a value"
                )
            if node.value in applied:
                raise InputError(
                    f"cell {cell.name} applies {node.value} to two values: "
                    "declare one FromState for each"
                )
            applied.add(node.value)
    for node in nodes:
        if node.op == "var" and node.value in applied:
            raise InputError(
                f"cell {cell.name} uses {node.value} both plain and applied to a value: "
                "declare one FromState for each"
            )
