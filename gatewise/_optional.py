"""Import what an extra brings, or say which extra."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import InputError


def need(module: str, extra: str) -> ModuleType:
    """Import an optional package.

    Args:
        module: Name of the package to import.
        extra: The extra of gatewise that installs it.

    Raises:
        InputError: It is not installed; the sentence holds the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != module.split(".")[0]:
            raise
        raise InputError(
            f"{module} is needed for this and is not installed: pip install 'gatewise[{extra}]'"
        ) from None
