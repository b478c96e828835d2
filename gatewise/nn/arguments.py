"""Which arguments recurrent layers and their spec accept; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any

from .. import cells
from ..compiler import Cell
from ..errors import InputError


def checked_cell(cell: Cell | str) -> Cell:
    """Give the cell of a name, or the cell itself.

    Raises:
        InputError: It is neither; for a misspelt name the sentence offers the nearest.

    Example:
        >>> checked_cell("gru").states
        ('h',)
    """
    if isinstance(cell, Cell):
        return cell
    if not isinstance(cell, str):
        raise InputError(
            f"cell={cell!r} is neither a cell nor the name of one: give a name such as 'lstm', or "
            "decorate your equations with gatewise.compiler.cell"
        )
    return cells.by_name(cell)


def check_sizes(sizes: Mapping[str, int], dropout: float) -> None:
    """Refuse sizes that are not whole and positive, and a rate that is not in [0, 1).

    Args:
        sizes: Each argument's name and value.
        dropout: The rate.

    Raises:
        InputError: One of them is not as above.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputError(f"{name}={size!r}: give a whole number of at least 1")
    check_rates({"dropout": dropout})


def check_rates(rates: Mapping[str, float]) -> None:
    """Refuse a rate that is not in [0, 1).

    Args:
        rates: Each argument's name and value.

    Raises:
        InputError: One of them is not as above.
    """
    for name, rate in rates.items():
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise InputError(f"{name}={rate!r}: give a rate of at least 0 and below 1")


def check_deviation(name: str, value: float) -> None:
    """Refuse a standard deviation that is negative or no finite number.

    Raises:
        InputError: It is so.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not isfinite(value) or value < 0:
        raise InputError(f"{name}={value!r}: give a standard deviation of at least 0")


@contextmanager
def called(argument: str, value: Any, inner: str = "") -> Iterator[None]:
    """Let a mistake that is found deeper be told under the argument that the caller wrote.

    Args:
        argument: Its name.
        value: What was given.
        inner: The name that the same value has below.

    Raises:
        InputError: What was raised inside, with the argument in front.

    Example:
        >>> with called("connectivity", "heads:3"):
        ...     raise InputError("n=3: 16 units do not make 3 heads")
        Traceback (most recent call last):
        gatewise.errors.InputError: connectivity='heads:3': n=3: 16 units do not make 3 heads
    """
    try:
        yield
    except InputError as error:
        said, own = str(error), f"{argument}={value!r}: "
        said = said.removeprefix(f"{inner}={value!r}: ") if inner else said
        raise InputError(said if said.startswith(f"{argument}=") else own + said) from error
