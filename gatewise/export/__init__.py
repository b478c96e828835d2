"""What leaves the library: the saved folder."""

from .._lazy import attach as _attach

_NAMES = {
    "PARTS": ".artifact",
    "Artifact": ".artifact",
    "check_target": ".artifact",
    "decode": ".values",
    "encode": ".values",
    "is_spec": ".values",
    "provenance": ".origin",
    "read": ".artifact",
    "specs_of": ".values",
    "write": ".artifact",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
