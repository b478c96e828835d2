"""Raw input to batches: parts that own all that is learned from data."""

from .._lazy import attach as _attach

_NAMES = {
    "Channels": ".readings.channels_spec",
    "Columns": ".series.columns_spec",
    "Data": ".contract",
    "Dataset": ".contract",
    "Fold": ".contract",
    "Panel": ".series.panel",
    "Readings": ".readings.readings",
    "read_panel": ".series.reading",
    "read_readings": ".readings.reading",
    "read_sequences": ".sequences.reading",
    "read_tagged": ".tagging.reading",
    "seasonal_periods": ".time.clock",
    "SequenceColumns": ".sequences.columns_spec",
    "Sequences": ".sequences.sequences",
    "stamps": ".time.clock",
    "TagColumns": ".tagging.columns_spec",
    "Tagged": ".tagging.tagged",
    "Tokens": ".text.tokens_spec",
    "Vocabulary": ".text.vocabulary",
    "write_table": ".files.writing",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
