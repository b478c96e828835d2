"""Metrics, baselines and what they mean."""

from .._lazy import attach as _attach

_NAMES = {
    "Verdict": ".verdict",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
