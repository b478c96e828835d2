"""The LSTM toolkit: a cell is its equations, a task is four parts, an engine says why not.

Names are resolved on first use, so `import gatewise` costs no framework that the caller
does not already pay for.
"""

from ._lazy import attach as _attach
from ._version import __version__ as __version__

_NAMES = {
    "AnomalyDetector": ".tasks",
    "Autoencoder": ".tasks",
    "Columns": ".data",
    "Dialogue": ".tasks",
    "Encoder": ".nn",
    "Forecaster": ".tasks",
    "InputError": ".errors",
    "LanguageModel": ".tasks",
    "SequenceClassifier": ".tasks",
    "SequenceRegressor": ".tasks",
    "SequenceTagger": ".tasks",
    "Tokens": ".data",
    "Trainer": ".train",
    "Translator": ".tasks",
    "cells": ".cells",
    "compiler": ".compiler",
    "engine": ".engines",
    "engines": ".engines",
    "explain": ".engines",
    "load": ".tasks",
    "nn": ".nn",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
