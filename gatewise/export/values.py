"""A constructor's arguments as JSON, and back, without ever naming code."""

from __future__ import annotations

import dataclasses
import inspect
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..compiler import Cell
from ..errors import InputError, nearest

_MARK = "$"


def encode(value: Any, name: str = "value") -> Any:
    """Give a value as JSON can hold it, so that `decode` gives an equal one of the same types.

    Args:
        value: None, truth values, numbers, text; lists, tuples and mappings; frozen
            dataclasses; cells.
        name: What to call it in a message.

    Raises:
        InputError: It holds something else.

    Example:
        >>> encode({"q": (0.1, float("inf"))})
        {'q': {'$': 'tuple', 'items': [0.1, {'$': 'float', 'value': 'inf'}]}}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_MARK: "float", "value": str(value)}
    if isinstance(value, list):
        return [encode(v, f"{name}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, tuple):
        items = [encode(v, f"{name}[{i}]") for i, v in enumerate(value)]
        return {_MARK: "tuple", "items": items}
    if isinstance(value, Mapping):
        if all(isinstance(k, str) for k in value) and _MARK not in value:
            return {k: encode(v, f"{name}.{k}") for k, v in value.items()}
        pairs = [[encode(k, name), encode(v, f"{name}[{k!r}]")] for k, v in value.items()]
        return {_MARK: "mapping", "items": pairs}
    if isinstance(value, Cell):
        return {_MARK: "cell", "value": value.to_dict()}
    if is_spec(value):
        held = {f.name: encode(getattr(value, f.name), f"{name}.{f.name}") for f in _fields(value)}
        return {_MARK: "spec", "name": type(value).__name__, "fields": held}
    raise InputError(
        f"{name} is a {type(value).__name__}, which a saved model cannot hold: "
        "give numbers, text, lists, mappings, cells or frozen dataclasses"
    )


def decode(value: Any, specs: Mapping[str, type] | None = None) -> Any:
    """Give back what `encode` was given.

    Args:
        value: What it gave.
        specs: Name to dataclass: what may be made, and nothing else (`specs_of`).

    Raises:
        InputError: It names a spec that is not among `specs`, or a field that a spec lacks.

    Example:
        >>> decode(encode({"q": (0.1, float("inf"))}))
        {'q': (0.1, inf)}
    """
    if isinstance(value, list):
        return [decode(v, specs) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_MARK)
    if kind is None:
        return {k: decode(v, specs) for k, v in value.items()}
    if kind == "float":
        return float(value["value"])
    if kind == "tuple":
        return tuple(decode(v, specs) for v in value["items"])
    if kind == "mapping":
        return {decode(k, specs): decode(v, specs) for k, v in value["items"]}
    if kind == "cell":
        return Cell.from_dict(value["value"])
    if kind == "spec":
        return _spec(value["name"], decode(value["fields"], specs), specs or {})
    raise InputError(f"the saved model holds a value of unknown kind {kind!r}: upgrade gatewise")


def is_spec(value: Any) -> bool:
    """Whether a value is a small frozen dataclass of settings, a cell not counted."""
    return (
        dataclasses.is_dataclass(value)
        and not isinstance(value, type | Cell)
        and type(value).__dataclass_params__.frozen  # pyright: ignore[reportAttributeAccessIssue]
    )


def specs_of(function: Callable[..., Any]) -> dict[str, type]:
    """Find the dataclasses that a constructor's signature accepts, and those inside of them.

    Args:
        function: Its annotations are read, and the defaults where these cannot be resolved.

    Returns:
        Name to dataclass.
    """
    found: dict[str, type] = {}

    def add(annotation: Any) -> None:
        for part in typing.get_args(annotation):
            add(part)
        if not isinstance(annotation, type) or not dataclasses.is_dataclass(annotation):
            return
        if annotation is Cell or annotation.__name__ in found:
            return
        found[annotation.__name__] = annotation
        for inner in _hints(annotation):
            add(inner)

    for hint in _hints(function):
        add(hint)
    for parameter in inspect.signature(function).parameters.values():
        if is_spec(parameter.default):
            add(type(parameter.default))
    return found


def _hints(thing: Any) -> list[Any]:
    try:
        return list(typing.get_type_hints(thing).values())
    except NameError:
        # Something is imported for type checkers only; the defaults have to do.
        return []


def _fields(value: Any) -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(value) if f.init]


def _spec(name: str, held: Mapping[str, Any], specs: Mapping[str, type]) -> Any:
    if name not in specs:
        raise InputError(f"the saved model holds a {name}, unknown here: {nearest(name, specs)}")
    known = [f.name for f in _fields(specs[name])]
    if unknown := held.keys() - set(known):
        raise InputError(
            f"the saved model's {name} has a field {min(unknown)!r}, unknown here: upgrade gatewise"
        )
    return specs[name](**held)
