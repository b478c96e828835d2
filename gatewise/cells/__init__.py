"""One file per cell: its equations."""

from .._lazy import attach as _attach

_NAMES = {
    "by_name": "._catalogue",
    "coupled_lstm": "._coupled_lstm",
    "elman": "._elman",
    "elman_relu": "._elman_relu",
    "every_cell": "._catalogue",
    "fgr": "._fgr",
    "gru": "._gru",
    "gru_reset_before": "._gru_reset_before",
    "indrnn": "._indrnn",
    "janet": "._janet",
    "lstm": "._lstm",
    "minimal_gated_unit": "._minimal_gated_unit",
    "mut1": "._mut1",
    "mut2": "._mut2",
    "mut3": "._mut3",
    "nfg": "._nfg",
    "niaf": "._niaf",
    "nig": "._nig",
    "noaf": "._noaf",
    "nog": "._nog",
    "peephole_lstm": "._peephole_lstm",
    "slstm": "._slstm",
    "slstm_exp": "._slstm_exp",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
