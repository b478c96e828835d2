"""A cell as JSON-able data, and back; data that is not a cell is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import InputError
from .expr import SHAPES, Expr, const, walk
from .value import Cell, Draw, Port

FORMAT = 1
"""Raised when data of before can no longer be read the same way."""

_MOST_NODES = 10_000


def to_dict(cell: Cell) -> dict[str, Any]:
    """Give a cell as data: its nodes are a list, arguments before their users, named by position.

    Example:
        >>> from gatewise.cells import elman
        >>> to_dict(elman)["nodes"]
        [['var', [], 'a'], ['tanh', [0], None]]
    """
    nodes = walk([*cell.outputs, *(node for _, node in cell.labels)])
    place = {node: k for k, node in enumerate(nodes)}
    return {
        "format": FORMAT,
        "name": cell.name,
        "doc": cell.doc,
        "ports": [_port(p) for p in cell.ports],
        "nodes": [[n.op, [place[a] for a in n.args], n.value] for n in nodes],
        "outputs": [place[o] for o in cell.outputs],
        "labels": [[label, place[node]] for label, node in cell.labels],
    }


def from_dict(data: Mapping[str, Any]) -> Cell:
    """Read what `to_dict` gave; see `Cell.from_dict`."""
    if not isinstance(data, Mapping):
        raise InputError(f"a saved cell is a table, not {type(data).__name__}")
    if data.get("format") != FORMAT:
        raise InputError(
            f"the saved cell has format {data.get('format')!r} and this version reads {FORMAT}: "
            "update gatewise, or save the cell again"
        )
    try:
        nodes = _nodes(data["nodes"])
        return Cell(
            name=data["name"],
            ports=tuple(_read_port(*row) for row in data["ports"]),
            outputs=tuple(nodes[_index(k, len(nodes))] for k in data["outputs"]),
            labels=tuple((label, nodes[_index(k, len(nodes))]) for label, k in data["labels"]),
            doc=str(data.get("doc", "")),
        )
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as damage:
        raise InputError(
            f"the saved cell is damaged ({type(damage).__name__}: {damage}): save it again"
        ) from None


@lru_cache(maxsize=256)
def from_key(key: str) -> Cell:
    """Read what `Cell.key` gave; see `Cell.from_key`."""
    try:
        data = json.loads(key)
    except ValueError as damage:
        raise InputError(f"the cell's key is damaged: {damage}") from None
    return from_dict(data)


def _port(port: Port) -> list[Any]:
    drawn = [] if port.draw is None else [[float(port.draw.chance), port.draw.per]]
    return [port.name, port.kind, float(port.initial), *drawn]


def _read_port(name: str, kind: str, initial: float, draw: Sequence[Any] | None = None) -> Port:
    return Port(name, kind, initial, None if draw is None else Draw(*draw))


def _nodes(rows: list[Any]) -> list[Expr]:
    if len(rows) > _MOST_NODES:
        raise InputError(f"the saved cell has {len(rows)} nodes, more than {_MOST_NODES}")
    nodes: list[Expr] = []
    for row in rows:
        op, places, value = row
        if not isinstance(op, str) or SHAPES.get(op) != len(places):
            raise InputError(f"the saved cell holds {row!r}, which is no operation of this version")
        args = tuple(nodes[_index(k, len(nodes))] for k in places)
        if op == "const":
            nodes.append(const(value))
            continue
        named = op in ("var", "product")
        if named != isinstance(value, str) or not (named or value is None):
            raise InputError(f"the saved cell holds {row!r}, whose value does not belong there")
        nodes.append(Expr(op, args, value))
    return nodes


def _index(k: Any, end: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or not 0 <= k < end:
        raise InputError(f"the saved cell refers to node {k!r}, and there are {end} before it")
    return k
