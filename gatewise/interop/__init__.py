"""Weights of other libraries' recurrent layers, as layers of ours and back."""

from .._lazy import attach as _attach

_NAMES = {
    "Backward": ".backward",
    "from_flax": ".flax_cells",
    "from_haste": ".haste_layers",
    "from_keras": ".keras_layers",
    "from_onnx": ".onnx_nodes",
    "from_torch": ".torch_layers",
    "from_xlstm": ".xlstm_cells",
    "to_torch": ".torch_layers",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
