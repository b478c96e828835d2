"""Where a model came from."""

from __future__ import annotations

import platform
import time
from importlib import metadata
from typing import Any

from .._version import __version__


def provenance(digest: str, seed: int, examples: int, held_out: int) -> dict[str, Any]:
    """Say what a model was made from and with, as JSON can hold it.

    Args:
        digest: Hash of the data.
        seed: Of the run.
        examples: How many were fitted on.
        held_out: How many were held out.

    Example:
        >>> sorted(provenance("0", 0, 9, 1)["versions"])
        ['gatewise', 'numpy', 'python', 'torch']
    """
    return {
        "data": digest,
        "seed": seed,
        "examples": examples,
        "held_out": held_out,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {
            "gatewise": __version__,
            "numpy": metadata.version("numpy"),
            "python": platform.python_version(),
            "torch": metadata.version("torch"),
        },
    }
