"""How the state of the step before reaches the gates."""

from .._lazy import attach as _attach

_NAMES = {
    "BlockSparse": ".block_sparse",
    "Connectivity": ".contract",
    "Dense": ".dense",
    "Heads": ".heads",
    "LowRank": ".low_rank",
    "Masked": ".masked",
    "from_key": ".contract",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
