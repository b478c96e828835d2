"""Find the cells by walking the package."""

from __future__ import annotations

import importlib
import pkgutil

from ..compiler import Cell
from ..errors import InputError, nearest


def every_cell() -> dict[str, Cell]:
    """Collect all cells of the package, by name.

    Example:
        >>> sorted(every_cell())[:2]
        ['cifg', 'coupled_lstm']
    """
    package = importlib.import_module(__name__.rpartition(".")[0])
    found: dict[str, Cell] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Cell):
                found[value.name] = value
    return dict(sorted(found.items()))


def by_name(name: str) -> Cell:
    """Look a cell up by its name.

    Args:
        name: Such as `"lstm"`; `every_cell` lists them.

    Raises:
        InputError: There is no such cell; the sentence offers the nearest name.

    Example:
        >>> by_name("lstm").states
        ('h', 'c')
    """
    cells = every_cell()
    if name not in cells:
        raise InputError(f"there is no cell {name!r}: {nearest(str(name), cells)}")
    return cells[name]
