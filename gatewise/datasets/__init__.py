"""Public data sets by name: found where they lie, or downloaded, or how to place them by hand.

The project ships none of them. A set lies in a folder of its name, in the folder that
`GATEWISE_DATA` names, or else in the user's cache.
"""

from .._lazy import attach as _attach

_NAMES = {
    "DATA_SETS": ".known",
    "DataSet": ".known",
    "LabelledSeries": ".anomalies",
    "cb513": ".tagged",
    "chatterbot": ".dialogue",
    "check": ".fetch",
    "etth1": ".series",
    "find": ".fetch",
    "imdb": ".texts",
    "internal_bleeding": ".anomalies",
    "m4_hourly": ".series",
    "nab": ".anomalies",
    "open_trivia": ".texts",
    "peptides": ".labelled",
    "sst2": ".labelled",
    "trec": ".labelled",
    "ucr": ".labelled",
    "ud_english_ewt": ".tagged",
    "weather": ".series",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
