"""Metrics, baselines and what they mean."""

from .._lazy import attach as _attach

_NAMES = {
    "Forecast": ".baselines",
    "Linear": ".linear",
    "baselines": ".baselines",
    "metrics": ".metrics",
    "Verdict": ".verdict",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
