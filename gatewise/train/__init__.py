"""Training: a network, a dataset and an objective, and how to go about it."""

from .._lazy import attach as _attach

_NAMES = {
    "Batches": "..data.batches",
    "Carries": ".carry",
    "Checkpoint": ".checkpoint",
    "Ensemble": ".ensemble",
    "Epoch": ".history",
    "History": ".history",
    "Layered": ".layers",
    "Reader": ".carry",
    "Trainer": ".spec",
    "answers": ".asking",
    "derive": ".randomness",
    "evaluate": ".held_out",
    "finish": ".finish",
    "frozen": ".asking",
    "identity": ".identity",
    "isolated": ".randomness",
    "run": ".loop",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
