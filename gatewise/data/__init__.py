"""Raw input to batches: parts that own all that is learned from data."""

from .._lazy import attach as _attach

_NAMES = {
    "Columns": ".columns_spec",
    "Data": ".contract",
    "Dataset": ".contract",
    "Fold": ".contract",
    "Panel": ".panel",
    "read_panel": ".table",
    "seasonal_periods": ".clock",
    "stamps": ".clock",
    "Tokens": ".tokens_spec",
    "Vocabulary": ".vocabulary",
    "write_table": ".writing",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
