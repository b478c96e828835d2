"""Run a cell over time: the operator, and the engines that carry it out."""

from .._lazy import attach as _attach

_NAMES = {
    "ENGINES": ".choice",
    "MEMORY": ".call",
    "Call": ".call",
    "Engine": ".call",
    "Explanation": ".choice",
    "Result": ".call",
    "choose": ".choice",
    "empty_pool": ".cpu.pool",
    "engine": ".choice",
    "explain": ".choice",
    "may_be_native": ".choice",
    "parameters": ".sizes",
    "recurrence": ".operator",
    "recurrences": ".operator",
    "state_sizes": ".sizes",
    "step": ".reference",
    "traceable": ".tracing",
    "whole_stack": ".choice",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
