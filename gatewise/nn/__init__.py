"""Torch modules: recurrent layers of any cell, and the drop-ins for torch's own."""

from .._lazy import attach as _attach

_NAMES = {
    "GRU": ".gru",
    "LSTM": ".lstm",
    "Encoder": ".encoder",
    "Recurrent": ".recurrent",
    "Stream": ".stream",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
