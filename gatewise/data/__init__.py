"""Raw input to batches: parts that own all that is learned from data."""

from .._lazy import attach as _attach

_NAMES = {
    "Channels": ".channels_spec",
    "Columns": ".columns_spec",
    "Data": ".contract",
    "Dataset": ".contract",
    "Fold": ".contract",
    "Panel": ".panel",
    "Readings": ".readings",
    "read_panel": ".table",
    "read_readings": ".read_readings",
    "read_sequences": ".read_sequences",
    "read_tagged": ".tagged_reading",
    "seasonal_periods": ".clock",
    "SequenceColumns": ".sequence_columns",
    "Sequences": ".sequences",
    "stamps": ".clock",
    "TagColumns": ".tag_columns",
    "Tagged": ".tagged",
    "Tokens": ".tokens_spec",
    "Vocabulary": ".vocabulary",
    "write_table": ".writing",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
