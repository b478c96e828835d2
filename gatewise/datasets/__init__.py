"""Public data sets by name: found where they lie, or downloaded, or how to place them by hand.

The project ships none of them. A set lies in a folder of its name, in the folder that
`GATEWISE_DATA` names, or else in the user's cache.
"""

from .._lazy import attach as _attach

_NAMES = {
    "DATA_SETS": ".known",
    "DataSet": ".known",
    "check": ".fetch",
    "etth1": ".series",
    "find": ".fetch",
    "m4_hourly": ".series",
    "weather": ".series",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
