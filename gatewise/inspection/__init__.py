"""Look at what was fitted: the report, in one file that needs no network."""

from .._lazy import attach as _attach

_NAMES = {
    "ForecastReport": ".report",
    "LearningCurve": ".report",
    "Seen": ".report",
    "Span": ".report",
    "StepExplanation": ".step",
    "TaskReport": ".task_report",
    "Term": ".arithmetic",
    "Window": ".report",
    "explain_step": ".step",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
