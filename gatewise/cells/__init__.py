"""One file per cell: its equations."""

from .._lazy import attach as _attach

_NAMES = {
    "by_name": "._catalogue",
    "coupled_lstm": "._coupled_lstm",
    "elman": "._elman",
    "elman_relu": "._elman_relu",
    "every_cell": "._catalogue",
    "gru": "._gru",
    "gru_reset_before": "._gru_reset_before",
    "lstm": "._lstm",
    "peephole_lstm": "._peephole_lstm",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
