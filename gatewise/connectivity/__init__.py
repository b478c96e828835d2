"""How the state of the step before reaches the gates."""

from .._lazy import attach as _attach

_NAMES = {
    "Connectivity": ".contract",
    "Dense": ".dense",
    "from_key": ".contract",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
