"""Read a saved model without knowing its task."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..errors import InputError, nearest
from . import TASKS

if TYPE_CHECKING:
    from pathlib import Path

    from ..estimator import Estimator


def load(path: str | Path) -> Estimator:
    """Read a model that any task wrote; it answers as before, to the bit.

    The folder names its task, and the name is looked up among those of this package: a file
    can make nothing else run.

    Args:
        path: Folder that `save` wrote.

    Raises:
        InputError: The folder is missing, damaged, newer, no model, or of an unknown task.

    Example:
        >>> load("nowhere")
        Traceback (most recent call last):
        gatewise.errors.InputError: there is no model at nowhere: check the path
    """
    from ..export import read

    name = read(path).description["estimator"]
    if not isinstance(name, str) or name not in TASKS:
        raise InputError(f"{path} holds a {name}, which is no task here: {nearest(name, TASKS)}")
    return getattr(importlib.import_module(TASKS[name], __package__), name).load(path)
