"""Metrics, baselines and what they mean."""

from .._lazy import attach as _attach

_NAMES = {
    "Forecast": ".baselines",
    "Linear": ".linear",
    "anomaly_baselines": ".anomaly_baselines",
    "anomaly_events": ".anomaly_events",
    "anomaly_points": ".anomaly_points",
    "anomaly_smoothing": ".anomaly_smoothing",
    "anomaly_surprise": ".anomaly_surprise",
    "anomaly_volume": ".anomaly_volume",
    "baselines": ".baselines",
    "metrics": ".metrics",
    "nab": ".nab",
    "Verdict": ".verdict",
    "tags": ".tags",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
