"""The tasks: one file each, with its four parts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .._lazy import attach as _attach

if TYPE_CHECKING:
    from ..estimator import Estimator

_TASKS: dict[str, str] = {}

_NAMES = {**_TASKS}

_resolve, __dir__, __all__ = _attach(__name__, _NAMES)
__all__ += ["load"]


def __getattr__(name: str) -> object:
    return _resolve(name)


def load(path: str | Path) -> Estimator:
    """Read a model that any task wrote.

    The folder names its task; the name is looked up among those of this package, so that a
    file can make nothing else run.

    Args:
        path: Folder that `save` wrote.

    Raises:
        InputError: The folder is missing, damaged, newer, no model, or of an unknown task.
    """
    from ..errors import InputError, nearest
    from ..export import read

    name = read(path).description["estimator"]
    if name not in _TASKS:
        raise InputError(f"{path} holds a {name}, which is no task here: {nearest(name, _TASKS)}")
    return getattr(import_module(__name__), name).load(path)
