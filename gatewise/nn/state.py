"""The state of a layer, by name: `state.h`, `state.c`."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor
from torch.utils import _pytree as pytree


class State(Protocol):
    """A layer's state: a tuple of tensors, one for each of the cell's states, and by name."""

    def __iter__(self) -> Iterator[Tensor]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Tensor: ...

    def __getattr__(self, name: str, /) -> Tensor: ...


_made: dict[tuple[str, ...], Any] = {}


def state_type(names: tuple[str, ...]) -> Any:
    """Give the tuple type whose fields are a cell's states.

    It is a named tuple, so it unpacks, compares and travels through `torch.compile`,
    `torch.func` and `torch.utils._pytree` as tuples do; it can be pickled and exported.

    Args:
        names: The states' names, in the cell's order.

    Example:
        >>> State = state_type(("h", "c"))
        >>> state = State(h=1, c=2)
        >>> state.c, tuple(state)
        (2, (1, 2))
    """
    # A plain table, since `torch.compile` would look into a cached function and make the type.
    if names not in _made:
        _made[names] = _make(names)
    return _made[names]


def restore(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Build a state again from what a pickle holds of it."""
    return state_type(names)(*values)


def _make(names: tuple[str, ...]) -> Any:
    kind: Any = namedtuple("State", names)
    # The type is made while running, so a pickle must say how, not where.
    kind.__reduce__ = lambda self: (restore, (self._fields, tuple(self)))
    pytree._register_namedtuple(kind, serialized_type_name=f"gatewise.State[{','.join(names)}]")
    return kind
