"""One file per cell: its equations."""

from .._lazy import attach as _attach

_NAMES = {
    "GREFF": "._greff",
    "by_name": "._catalogue",
    "cifg": "._cifg",
    "coupled_lstm": "._coupled_lstm",
    "elman": "._elman",
    "elman_relu": "._elman_relu",
    "every_cell": "._catalogue",
    "fgr": "._fgr",
    "grid_lstm": "._grid_lstm",
    "gru": "._gru",
    "gru_reset_before": "._gru_reset_before",
    "indrnn": "._indrnn",
    "janet": "._janet",
    "lem": "._lem",
    "lstm": "._lstm",
    "lstm_1997": "._lstm_1997",
    "minimal_gated_unit": "._minimal_gated_unit",
    "multiplicative_lstm": "._multiplicative_lstm",
    "mut1": "._mut1",
    "mut2": "._mut2",
    "mut3": "._mut3",
    "nfg": "._nfg",
    "niaf": "._niaf",
    "nig": "._nig",
    "noaf": "._noaf",
    "nog": "._nog",
    "peephole_lstm": "._peephole_lstm",
    "phased_lstm": "._phased_lstm",
    "slstm": "._slstm",
    "slstm_exp": "._slstm_exp",
    "slstm_max": "._slstm_max",
    "time_aware_lstm": "._time_aware_lstm",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
