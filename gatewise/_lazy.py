"""Resolve a package's public names on first use, so that importing it costs nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable, Callable, list[str]]:
    """Build `__getattr__`, `__dir__` and `__all__` for a package's `__init__.py` (PEP 562).

    Args:
        package: The package's `__name__`.
        names: Public name to the module that defines it, relative to the package (`".lstm"`).
            A name mapped to a module of the same name (`"nn": ".nn"`) gives the module itself.

    Example:
        >>> getattr_, dir_, names = attach("gatewise", {"InputError": ".errors"})
        >>> getattr_("InputError").__name__
        'InputError'
    """

    def resolve(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(names[name], package)
        value = module if names[name] == f".{name}" and not hasattr(module, name) else None
        value = getattr(module, name) if value is None else value
        setattr(sys.modules[package], name, value)
        return value

    return resolve, lambda: sorted(names), sorted(names)
