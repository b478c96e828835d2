"""The public surface, found by walking the packages' `__init__` files.

`python -m tests.contracts.public_names` prints it as it is kept in `tests/golden`.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Any

import gatewise

# What is for a shell.
PRIVATE = ("cli",)


def packages() -> list[str]:
    """The package and those inside of it that are meant to be imported from."""
    inner = [m.name for m in pkgutil.iter_modules(gatewise.__path__) if m.ispkg]
    return ["gatewise", *(f"gatewise.{n}" for n in sorted(inner) if n not in PRIVATE)]


def names() -> list[str]:
    """Every public name, dotted, in order."""
    return [f"{p}.{n}" for p in packages() for n in sorted(_listed(p))]


def _listed(package: str) -> list[str]:
    return getattr(importlib.import_module(package), "__all__", [])


def objects() -> Iterator[tuple[str, Any]]:
    """Every public object once, modules left out, under its shortest name."""
    seen: set[int] = set()
    for name in names():
        package, _, last = name.rpartition(".")
        value = getattr(importlib.import_module(package), last)
        if id(value) not in seen and not isinstance(value, types.ModuleType):
            seen.add(id(value))
            yield name, value


if __name__ == "__main__":
    print("\n".join(names()))
